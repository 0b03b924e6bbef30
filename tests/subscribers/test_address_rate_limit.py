"""Bombing: however an address is spelled and asked for, it gets so many messages and no more."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.database import Database
from app.rate_limits.refusals import ADDRESS, CLIENT, EVERYONE, refused_since
from app.settings import Rate
from app.subscribers.admission import admit
from app.subscribers.models import CONFIRMED, ServiceMessage, Subscriber, Subscription
from app.subscribers.sign_up import drop, drop_manage_wish
from tests.support.builders import a_subscriber, everything
from tests.support.clock import MONDAY

DAY = timedelta(days=1)
RATES = (Rate(2, DAY), Rate(3, 30 * DAY))


def wish(
    database: Database, keyring: Keyring, address: str, segments: Sequence[str] = ("en",)
) -> None:
    """Ask for these segments; for none: ask for a manage link."""
    parsed, today = EmailAddress.parse(address), MONDAY.date()
    with database.transaction() as session:
        if segments:
            drop(
                session,
                keyring,
                parsed,
                segments=segments,
                language="en",
                consent="1",
                today=today,
            )
        else:
            drop_manage_wish(session, keyring, parsed, language="en", today=today)


def let_in(
    database: Database,
    keyring: Keyring,
    now: datetime = MONDAY,
    rates: Sequence[Rate] = RATES,
) -> int:
    """Admit everything; return how many messages were written down, and take them away."""
    with database.transaction() as session:
        admit(session, keyring, rates=rates, now=now)
        session.flush()
        written = session.scalar(select(func.count()).select_from(ServiceMessage)) or 0
        session.execute(delete(ServiceMessage))
    return written


def withheld(database: Database) -> int:
    with database.reading() as session:
        counts = refused_since(session, MONDAY.date())
    assert counts[CLIENT] == counts[EVERYONE] == 0
    return counts[ADDRESS]


def readers(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Subscriber)) or 0


def test_tags_and_dots_bring_no_more_messages_also_in_one_batch(
    database: Database, keyring: Keyring
) -> None:
    for number in range(10):
        wish(database, keyring, f"an.n+{number}@example.org")
    wish(database, keyring, "bob@example.org")
    assert let_in(database, keyring) == 3
    assert readers(database) == 3, "whoever gets no message is not kept"
    assert withheld(database) == 8
    assert let_in(database, keyring) == 0, "what was withheld does not come later"


def test_senders_at_once_share_an_address_s_allowance(database: Database, keyring: Keyring) -> None:
    for number in range(60):
        wish(database, keyring, f"a{number % 6}+{number}@example.org")

    def one(_: int) -> int:
        with database.transaction() as session:
            return admit(session, keyring, rates=RATES, now=MONDAY, limit=15)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(8))) == 60
    assert (readers(database), withheld(database)) == (12, 48)


def test_every_kind_of_message_counts(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, "ann@example.org").id
    wish(database, keyring, "ann@example.org")  # already subscribed
    wish(database, keyring, "ann@example.org", ("be-ru",))  # confirm
    assert let_in(database, keyring) == 2
    wish(database, keyring, "ann@example.org", ())  # manage
    assert let_in(database, keyring) == 0
    assert withheld(database) == 1
    wish(database, keyring, "ann@example.org", ())
    assert let_in(database, keyring, MONDAY + 2 * DAY) == 1
    wish(database, keyring, "ann@example.org", ())
    assert let_in(database, keyring, MONDAY + 4 * DAY) == 0, "three in a month"
    with database.reading() as session:
        held = session.scalars(select(Subscription).where(Subscription.subscriber_id == ann))
        assert sorted(each.segment for each in held) == ["be-ru", "en"]


def test_a_withheld_notice_can_still_come_later(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "ann@example.org")
    for number in range(2):
        wish(database, keyring, f"ann+{number}@example.org")
    assert let_in(database, keyring) == 2
    wish(database, keyring, "ann@example.org")
    assert let_in(database, keyring) == 0
    wish(database, keyring, "ann@example.org")
    assert let_in(database, keyring, MONDAY + 2 * DAY) == 1


def test_a_withheld_request_changes_nothing(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "ann@example.org")
    for number in range(2):
        wish(database, keyring, f"ann+{number}@example.org")
    let_in(database, keyring)
    before = everything(database)
    wish(database, keyring, "ann@example.org", ("en", "be-ru"))
    let_in(database, keyring)
    after = everything(database)
    assert after.pop("rate_limit_refusals") != before.pop("rate_limit_refusals")
    assert after == before


def test_what_brings_no_message_takes_nothing(database: Database, keyring: Keyring) -> None:
    for _ in range(5):
        wish(database, keyring, "ann@example.org", ())  # nobody we know
    assert let_in(database, keyring) == 0
    for _ in range(5):
        wish(database, keyring, "ann@example.org")  # asked once, and only once
    assert let_in(database, keyring) == 1
    assert withheld(database) == 0
    wish(database, keyring, "ann@example.org", ())
    assert let_in(database, keyring) == 1


def test_nothing_kept_for_counting_tells_whom_it_counts(
    database: Database, keyring: Keyring
) -> None:
    for number in range(4):
        wish(database, keyring, f"ann+{number}@example.org")
    let_in(database, keyring)
    kept = everything(database)["rate_limit_counts"]
    assert kept
    assert "example" not in repr(kept)
    assert all(until.second == until.microsecond == 0 for _, until, _ in kept)


numbers = count()
asked = st.lists(
    st.tuples(
        st.sampled_from(["{0}", "{0}+a", "{0}+b", "x.{0}", "x{0}", "X{0}+A"]),
        st.sampled_from([("en",), ("be-ru",), ("en", "be-ru"), ()]),
        st.sampled_from([0, 0, 1, 6, 20, 30, 300]),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked)
def test_no_window_ever_brings_one_mailbox_more_messages(
    database: Database,
    keyring: Keyring,
    acts: list[tuple[str, tuple[str, ...], int, bool]],
) -> None:
    mailbox, now = f"m{next(numbers)}x", MONDAY
    sent: dict[str, list[datetime]] = {}
    for spelling, segments, hours, confirms in acts:
        now += timedelta(hours=hours)
        local = spelling.format(mailbox)
        wish(database, keyring, f"{local}@example.org", segments)
        folded = local.lower().partition("+")[0].replace(".", "")
        sent.setdefault(folded, []).extend([now] * let_in(database, keyring, now))
        if confirms:
            with database.transaction() as session:
                session.execute(update(Subscription).values(state=CONFIRMED))
    for messages in sent.values():
        for rate in RATES:
            for first in messages:
                assert sum(first <= at < first + rate.window for at in messages) <= rate.times
