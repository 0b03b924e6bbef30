"""Results become states: only of messages that this sender holds, and each result once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.destinations.throttle_signals import SENT_AWAY
from app.deliveries.ledger.claiming import park
from app.deliveries.ledger.recording import (
    SERVICE_TRIES,
    DeliveryUpdate,
    defer,
    record,
    release,
    release_unknown,
    written,
)
from app.deliveries.ledger.states import CLAIMED, MOVES
from app.mail.replies import (
    MAILING_REFUSED,
    MESSAGE_REFUSED,
    READER_GONE,
    RELAY_WRONG,
    RULES,
    UNCERTAIN,
    Disposition,
    RetryClass,
)
from tests.deliveries.rows import claimed, row, states
from tests.support.clock import MONDAY

VERDICTS = [*{rule.verdict: None for rule in RULES}, UNCERTAIN]


def sent(delivery_id: int, attempts: int = 1) -> DeliveryUpdate:
    return DeliveryUpdate(delivery_id, "sent", None, None, 250, "2.0.0", "relay", attempts)


@given(
    verdict=st.sampled_from(VERDICTS),
    attempts=st.integers(1, 50),
    repeat=st.booleans(),
    chance=st.floats(0, 1),
    hours=st.integers(-5, 99),
)
def test_every_verdict_is_a_move_that_a_claim_may_make(
    *, verdict: Disposition, attempts: int, repeat: bool, chance: float, hours: int
) -> None:
    expires_at = MONDAY + timedelta(hours=hours)
    made = written(
        1,
        attempts,
        verdict,
        relay="relay",
        code=None,
        status=None,
        repeat_doubt=repeat,
        expires_at=expires_at,
        chance=chance,
        now=MONDAY,
    )
    assert made.state in MOVES[CLAIMED]
    assert (made.due_at is not None) is (made.state in ("deferred", "pending"))
    assert made.due_at is None or made.due_at <= max(expires_at, MONDAY)
    assert made.state != "pending" or not repeat
    assert made.state != "uncertain" or not repeat
    assert made.attempts == attempts


def test_only_the_holder_s_claim_is_changed(database: Database, keyring: Keyring) -> None:
    _, sender_id, (one, two, three) = claimed(database, keyring)
    with database.transaction() as session:
        record(session, sender_id + 1, [sent(one.delivery_id)])
        release(session, sender_id + 1, [two.delivery_id])
        defer(session, sender_id + 1, [three.delivery_id], until=MONDAY)
        release_unknown(session, sender_id + 1, [])
        assert states(session) == {"claimed": 3}


def test_recording_twice_changes_nothing(database: Database, keyring: Keyring) -> None:
    _, sender_id, (one, *_) = claimed(database, keyring)
    with database.transaction() as session:
        record(session, sender_id, [sent(one.delivery_id)])
        late = DeliveryUpdate(one.delivery_id, "failed", "reader", None, 550, None, "relay", 2)
        record(session, sender_id, [late])
        found = row(session, one.delivery_id)
        assert (found.state, found.attempts, found.claimed_by) == ("sent", 1, None)


def test_many_results_are_told_apart(database: Database, keyring: Keyring) -> None:
    _, sender_id, (one, two, three) = claimed(database, keyring)
    due = MONDAY + timedelta(minutes=5)
    with database.transaction() as session:
        deferred = DeliveryUpdate(
            two.delivery_id, "deferred", "reader", due, 450, "4.2.0", "relay", 1
        )
        record(session, sender_id, [sent(one.delivery_id), deferred, sent(three.delivery_id)])
        assert states(session) == {"sent": 2, "deferred": 1}
        found = row(session, two.delivery_id)
        assert (found.due_at, found.reply_code, found.reply_status) == (due, 450, "4.2.0")


def test_what_is_released_was_never_claimed(database: Database, keyring: Keyring) -> None:
    _, sender_id, claims = claimed(database, keyring)
    with database.transaction() as session:
        release(session, sender_id, [claim.delivery_id for claim in claims])
        for claim in claims:
            found = row(session, claim.delivery_id)
            assert (found.state, found.claimed_by, found.attempts) == ("pending", None, 0)


def test_only_unknown_claims_are_released(database: Database, keyring: Keyring) -> None:
    _, sender_id, (one, *_) = claimed(database, keyring)
    with database.transaction() as session:
        release_unknown(session, sender_id, [one.delivery_id])
        assert states(session) == {"pending": 2, "claimed": 1}
        assert row(session, one.delivery_id).state == "claimed"


def test_a_parked_claim_is_not_unknown(database: Database, keyring: Keyring) -> None:
    _, sender_id, (parked, *_) = claimed(database, keyring)
    with database.transaction() as session:
        park(session, sender_id, [parked.delivery_id])
        release_unknown(session, sender_id, [])
        assert row(session, parked.delivery_id).state == "claimed"
        assert states(session) == {"pending": 2, "claimed": 1}


def test_a_message_that_cannot_be_made_waits(database: Database, keyring: Keyring) -> None:
    _, sender_id, (one, *_) = claimed(database, keyring)
    later = MONDAY + timedelta(minutes=15)
    with database.transaction() as session:
        defer(session, sender_id, [one.delivery_id], until=later)
        found = row(session, one.delivery_id)
        assert (found.state, found.due_at, found.claimed_by) == ("deferred", later, None)


@pytest.mark.parametrize("pace", [pace for pace in RetryClass if pace is not RetryClass.NONE])
def test_no_retry_is_put_off_beyond_the_life_of_the_mailing(pace: RetryClass) -> None:
    verdicts = [*VERDICTS, SENT_AWAY]
    verdict = next(v for v in verdicts if v.pace is pace and v != MAILING_REFUSED)
    made = written(
        1,
        1,
        verdict,
        relay="",
        code=None,
        status=None,
        repeat_doubt=False,
        expires_at=MONDAY + timedelta(seconds=1),
        chance=0.5,
        now=MONDAY,
    )
    assert made.due_at == MONDAY + timedelta(seconds=1)


def made_of(
    verdict: Disposition, attempts: int = 1, *, repeat_doubt: bool = False
) -> DeliveryUpdate:
    return written(
        1,
        attempts,
        verdict,
        relay="",
        code=None,
        status=None,
        repeat_doubt=repeat_doubt,
        expires_at=MONDAY + timedelta(hours=48),
        chance=0.5,
        now=MONDAY,
    )


def test_what_our_own_fault_stops_is_pending() -> None:
    refused, closed = made_of(MAILING_REFUSED), made_of(RELAY_WRONG)
    assert (refused.state, refused.due_at) == ("pending", MONDAY)
    assert closed.state == "pending"
    assert closed.due_at is not None
    assert closed.due_at > MONDAY, "the relay is not asked for the same message at once"


def test_what_somebody_asked_for_is_tried_again_unless_the_reader_is_gone() -> None:
    assert made_of(MESSAGE_REFUSED, repeat_doubt=True).state == "deferred"
    assert made_of(MAILING_REFUSED, repeat_doubt=True).state == "deferred"
    assert made_of(READER_GONE, repeat_doubt=True).state == "failed"
    assert made_of(MESSAGE_REFUSED, SERVICE_TRIES, repeat_doubt=True).state == "failed"
    assert made_of(MESSAGE_REFUSED).state == "failed"
