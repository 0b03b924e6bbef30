"""Test emails: an edition as readers would get it, sent by the sender to addresses that are given.

They take the road of all messages (priority, relay, limits, DKIM), so they are signed as real ones
are, and arrive or fail as real ones would. Their outcome is asked for; the address is not kept.
"""

import time
from collections.abc import Sequence

from app.addresses.address import EmailAddress
from app.addresses.public_keys import PublicKeys
from app.clock import Clock
from app.database import Database
from app.deliveries.compose.composing import compiled_test
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.ledger.test_requests import (
    UNSETTLED,
    TestOutcome,
    TestState,
    outcomes_of,
    request_tests,
)
from app.editions.preview import preview
from app.issues.week import Week
from app.newsletter import Segment
from app.operators.audit import note

WAIT = 20.0  # seconds an editor waits for the outcome; a sender looks every half second
_LOOK_EVERY = 0.2

SAID = {
    TestState.WAITING: "waiting for the sender",
    TestState.SENDING: "being sent",
    TestState.DEFERRED: "the relay says later; tried again for 15 minutes",
    TestState.ACCEPTED: "the relay took it",
    TestState.REFUSED: "the relay refused it",
    TestState.UNCERTAIN: "the connection broke at the end: the relay may have it or not; it is not"
    " sent again by itself",
    TestState.NOT_ALLOWED: "VESTKA_ALLOWED_RECIPIENTS does not allow this address",
    TestState.EXPIRED: "no relay took it in 15 minutes; given up",
    TestState.FAILED: "the message could not be made; the sender's log says why",
}


def ask_for_tests(
    database: Database,
    post: SenderIdentity,
    keys: PublicKeys,
    edition: tuple[Week, Segment, str],
    addresses: Sequence[EmailAddress],
    *,
    by: str,
    clock: Clock,
) -> list[bytes]:
    """Leave a test email to each address for the sender; return their ids.

    The edition is compiled first, so that what is wrong with it is told at once. Raises what
    `preview`, `compiled_test` and `request_tests` raise; then nothing is sent.
    """
    week, segment, language = edition
    now = clock.now()
    with database.reading() as session:
        rendered = preview(
            session,
            post.newsletter,
            week,
            segment,
            public_url=post.public_url,
            hosted=post.hosts_photos,
            language=language,
        )
    compiled_test(post, rendered, segment.id, language, week)
    with database.transaction() as session:
        names = (str(week), segment.id, language)
        ids = request_tests(session, keys, addresses, names, now=now)
        note(session, by, "test emails asked for", f"{week} {segment.id}: {len(ids)}", now=now)
    return ids


def wait_for_outcomes(
    database: Database, ids: Sequence[bytes], within: float = WAIT
) -> list[TestOutcome]:
    """Return the outcomes once all are known, or as they are after `within` seconds."""
    end = time.monotonic() + within
    while True:
        with database.reading() as session:
            outcomes = outcomes_of(session, ids)
        if time.monotonic() >= end or not any(each.state in UNSETTLED for each in outcomes):
            return outcomes
        time.sleep(_LOOK_EVERY)


def reply_of(outcome: TestOutcome) -> str:
    """Say in one line what became of it, with the relay's codes if it answered."""
    codes = " ".join(str(code) for code in (outcome.reply_code, outcome.reply_status) if code)
    return f"{codes}: {SAID[outcome.state]}" if codes else SAID[outcome.state]
