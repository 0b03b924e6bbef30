"""Taking in: counted once, followed by what the law says, and deaf to whatever proves nothing."""

import dataclasses
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.addresses.address import EmailAddress
from app.addresses.blind_index import never_indexes
from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.models import Delivery
from app.issues.week import Week
from app.mail.classification import Class, Verdict
from app.mail.reports import Recipient, Report
from app.mailings.models import Mailing
from app.operators.alerts import recent_alerts
from app.outcomes.attribution import TokenReader
from app.outcomes.models import BounceMark, Diagnostic, OutcomeCount, Returned
from app.outcomes.processing import FOREIGN, KNOWN, TAKEN, Processor
from app.settings import BouncePolicy
from app.subscribers.models import (
    CONFIRMED,
    PENDING,
    PendingRemoval,
    ServiceMessage,
    Subscriber,
    Subscription,
    UnsubscribeCount,
)
from app.subscribers.pending_removals import process
from app.subscribers.service_messages import ask_to_confirm
from app.suppressions.lookup import reasons_of
from app.suppressions.reasons import COMPLAINT, DEAD
from tests.deliveries.rows import a_mailing
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber, everything
from tests.support.clock import MONDAY

SURE = Verdict(Class.HARD, "unknown", 550, "5.1.1", sure=True)
UNSURE = Verdict(Class.HARD, "unknown", 550)
SPAM = Verdict(Class.COMPLAINT, "abuse")
BLOCK = Verdict(Class.BLOCK, "reputation", 554, "5.7.1")
ADDRESS = "reader-0-2025-W04@gmail.com"


@pytest.fixture
def taker(keyring: Keyring) -> Processor:
    signs = TokenReader(keyring.links, "back.example.org", "lists.example.org", NEWSLETTER)
    return Processor(signs, BouncePolicy())


def reader(session: Session) -> Subscriber:
    return session.scalars(select(Subscriber)).one()


def report(
    keyring: Keyring, link_id: bytes, verdict: Verdict, week: Week = WEEK, segment: str = "en"
) -> Report:
    path = keyring.links.return_path(link_id, week.number, segment)
    text = f"550 <{ADDRESS}> said no to {ADDRESS.partition('@')[0].upper()}"
    return Report(
        verdict, (Recipient(ADDRESS, verdict, text),), text, (f"{path}@back.example.org",)
    )


def counts(session: Session) -> dict[tuple[str, ...], int]:
    rows = session.scalars(select(OutcomeCount))
    return {(r.week, r.segment, r.outcome, r.reason, r.provider): r.count for r in rows}


def sent(
    session: Transaction, keyring: Keyring, week: Week = WEEK, now: datetime = MONDAY
) -> Subscriber:
    a_mailing(session, keyring, 1, week=week, now=now)
    return reader(session)


def test_a_sure_word_ends_the_reader_at_once(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        taken = taker.take(session, report(keyring, link_id, SURE), now=MONDAY)
        assert (taken.became, taken.ended) == (TAKEN, True)
        assert session.scalars(select(Subscription)).all() == []
        left = [(row.segment, row.reason) for row in session.scalars(select(UnsubscribeCount))]
        assert left == [("en", DEAD)]
    with database.transaction() as session:
        process(session, keyring, today=MONDAY.date())
        ann = EmailAddress.parse("reader-0-2025-W04@example.org")
        never = never_indexes(keyring.never, ann)
        assert reasons_of(session, never, today=MONDAY.date()) == [DEAD]
        later = MONDAY.date() + timedelta(days=31)
        assert reasons_of(session, never, today=later) == []


def test_it_is_counted_once_however_often_it_is_told(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        told = report(keyring, link_id, UNSURE)
        assert taker.take(session, told, now=MONDAY).became == TAKEN
        again = dataclasses.replace(told, report_id="<another@example.com>", text="other words")
        for each in (told, again):
            assert taker.take(session, each, now=MONDAY).became == KNOWN
        assert counts(session) == {("2025-W04", "en", "hard", "unknown", "gmail"): 1}
        (said,) = session.scalars(select(Diagnostic))
        assert (said.text, said.count) == (None, 1)
        assert len(session.scalars(select(Subscription)).all()) == 1


def test_twice_in_two_issues_ends_it(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    after = Week.parse("2025-W05")
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        assert not taker.take(session, report(keyring, link_id, UNSURE), now=MONDAY).ended
        later = MONDAY + timedelta(days=7)
        a_mailing(session, keyring, 0, week=after, now=later)
        taken = taker.take(session, report(keyring, link_id, UNSURE, after), now=later)
        assert taken.ended


def test_an_issue_that_got_through_in_between_clears_it(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    weeks = [Week.parse(f"2025-W0{number}") for number in (5, 6)]
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        taker.take(session, report(keyring, link_id, UNSURE), now=MONDAY)
        for week in weeks:
            a_mailing(session, keyring, 0, week=week, now=MONDAY)
        assert not taker.take(session, report(keyring, link_id, UNSURE, weeks[1]), now=MONDAY).ended


def test_a_complaint_ends_and_suppresses(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        assert taker.take(session, report(keyring, link_id, SPAM), now=MONDAY).ended
        (farewell,) = session.scalars(select(PendingRemoval))
        assert (farewell.reason, farewell.until) == (COMPLAINT, None)


def forwarded(keyring: Keyring, link_id: bytes, verdict: Verdict) -> Report:
    """A report by somebody who knows no more than a forward of the message tells."""
    token = keyring.links.message_id(link_id, WEEK.number, "en")
    return Report(verdict, message_ids=(f"<{token}@lists.example.org>",))


@pytest.mark.parametrize("verdict", [SURE, SPAM])
def test_b17_a_message_id_alone_ends_that_one_subscription_and_suppresses_nobody(
    database: Database, keyring: Keyring, taker: Processor, verdict: Verdict
) -> None:
    with database.transaction() as session:
        known = sent(session, keyring)
        link_id = known.link_id
        confirmed = {"state": CONFIRMED, "consent": "1", "requested_day": MONDAY.date()}
        session.add(Subscription(subscriber_id=known.id, segment="be-ru", **confirmed))
    with database.transaction() as session:
        assert taker.take(session, forwarded(keyring, link_id, verdict), now=MONDAY).ended
        assert session.scalars(select(Subscription.segment)).all() == ["be-ru"]
        assert session.scalars(select(PendingRemoval)).all() == []
        assert session.scalars(select(BounceMark)).all() == []


@pytest.mark.parametrize("verdict", [UNSURE, BLOCK])
def test_a_message_id_alone_counts_for_nothing_later(
    database: Database, keyring: Keyring, taker: Processor, verdict: Verdict
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        assert not taker.take(session, forwarded(keyring, link_id, verdict), now=MONDAY).ended
        assert len(session.scalars(select(Subscription)).all()) == 1
        assert session.scalars(select(BounceMark)).all() == []


@pytest.mark.parametrize("better", ["return path", "authenticated"])
def test_better_evidence_follows_a_forgery_and_is_counted_once(
    database: Database, keyring: Keyring, taker: Processor, better: str
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        weak, strong = forwarded(keyring, link_id, SPAM), report(keyring, link_id, SPAM)
        assert taker.take(session, weak, now=MONDAY).became == TAKEN
        assert taker.take(session, weak, now=MONDAY).became == KNOWN
        authenticated = better == "authenticated"
        told = weak if authenticated else strong
        taken = taker.take(session, told, now=MONDAY, authenticated=authenticated)
        assert taken.became == TAKEN
        assert sum(counts(session).values()) == 1
        assert taker.take(session, strong, now=MONDAY).became == KNOWN
        assert taker.take(session, weak, now=MONDAY).became == KNOWN


def test_an_authenticated_complaint_by_message_id_ends_the_reader(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        told = forwarded(keyring, link_id, SPAM)
        assert taker.take(session, told, now=MONDAY, authenticated=True).ended
        (removal,) = session.scalars(select(PendingRemoval))
        assert removal.reason == COMPLAINT


def test_a_block_touches_no_reader_and_is_told(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
        for _ in range(3):
            assert not taker.take(session, report(keyring, link_id, BLOCK), now=MONDAY).ended
        assert session.scalars(select(BounceMark)).all() == []
        assert len(session.scalars(select(Subscription)).all()) == 1
        (told,) = recent_alerts(session)
        assert "reputation; gmail" in told.text
        (said,) = session.scalars(select(Diagnostic))
        assert said.text == "550 <[address]> said no to [address]"


def test_no_mark_tells_whose_it_is(database: Database, keyring: Keyring, taker: Processor) -> None:
    """Whoever has the database and not the link key cannot lay a mark beside a reader."""
    with database.transaction() as session:
        known = sent(session, keyring)
        taker.take(session, report(keyring, known.link_id, UNSURE), now=MONDAY)
        mark = session.scalars(select(BounceMark)).one()
        message = session.scalars(select(Returned)).one()
        kept = b"".join((mark.reader, message.message))
        for secret in (known.id, known.link_id, known.blind_index):
            assert secret[:8] not in kept


def strange(database: Database, taker: Processor, told: Report, now: datetime = MONDAY) -> None:
    before = everything(database)
    with database.transaction() as session:
        taken = taker.take(session, told, now=now)
        assert (taken.became, taken.ended) == (FOREIGN, False)
    after = everything(database)
    (row,) = after.pop("outcome_counts")
    assert row[1] == ""
    before.pop("outcome_counts")
    assert after == before


@pytest.mark.parametrize("verdict", [SURE, SPAM])
def test_what_proves_nothing_changes_nothing(
    database: Database, keyring: Keyring, taker: Processor, verdict: Verdict
) -> None:
    with database.transaction() as session:
        sent(session, keyring)
    strange(database, taker, Report(verdict, (Recipient(ADDRESS, verdict),)))


@pytest.mark.parametrize("verdict", [SURE, SPAM])
def test_an_old_token_is_a_replay(
    database: Database, keyring: Keyring, taker: Processor, verdict: Verdict
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
    old = MONDAY + timedelta(days=31)
    strange(database, taker, report(keyring, link_id, verdict), now=old)


def test_a_token_of_an_issue_that_was_never_sent_is_nothing(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    with database.transaction() as session:
        link_id = sent(session, keyring).link_id
    strange(database, taker, report(keyring, link_id, SURE, segment="be-ru"))


@pytest.mark.parametrize("verdict", [SURE, SPAM])
def test_a_confirmation_that_comes_back(
    database: Database, keyring: Keyring, taker: Processor, verdict: Verdict
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, state=PENDING)
        ask_to_confirm(session, keyring, ann.id, ["en"], "en", MONDAY.date())
        session.flush()
        nonce = session.scalars(select(ServiceMessage.nonce)).one()
        link_id = ann.link_id
    number = int.from_bytes(nonce[:3], "big")
    path = keyring.links.return_path(link_id, number ^ 1, "confirmation")
    strange(database, taker, Report(verdict, return_paths=(f"{path}@back.example.org",)))
    path = keyring.links.return_path(link_id, number, "confirmation")
    with database.transaction() as session:
        told = Report(verdict, return_paths=(f"{path}@back.example.org",))
        assert taker.take(session, told, now=MONDAY).ended
        assert session.scalars(select(ServiceMessage)).all() == []
        assert len(session.scalars(select(PendingRemoval)).all()) == 1


def test_of_who_left_meanwhile_it_is_only_counted(
    database: Database, keyring: Keyring, taker: Processor
) -> None:
    with database.transaction() as session:
        known = sent(session, keyring)
        link_id = known.link_id
        session.delete(known)
        session.flush()
        taken = taker.take(session, report(keyring, link_id, SPAM), now=MONDAY)
        assert (taken.became, taken.ended) == (TAKEN, False)
        assert counts(session) == {("2025-W04", "en", "complaint", "abuse", "gmail"): 1}
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
        assert len(session.scalars(select(Mailing)).all()) == 1
