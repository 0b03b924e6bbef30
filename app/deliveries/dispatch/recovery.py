"""Recovery: what a dead sender had claimed goes back to the queue, or is told to be in doubt.

The dead sender's journal decides where it can be read: our own earlier life's, or that of a process
that died on this machine. Where it is lost with its host, whatever had been claimed is in
doubt, but for what was parked: that was at no connection.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import select

from app.database import Transaction
from app.deliveries.destinations.throttle_signals import verdict_of
from app.deliveries.dispatch.attempt_journal import (
    Journals,
    Replay,
    identity_of,
    lock_folder,
    replay,
)
from app.deliveries.dispatch.reply_codec import answer_of
from app.deliveries.ledger.leases import dead_senders, forget
from app.deliveries.ledger.message_kinds import REPEATED
from app.deliveries.ledger.models import Delivery, Sender
from app.deliveries.ledger.recording import DeliveryUpdate, record, release, written
from app.deliveries.ledger.states import CLAIMED, UNCERTAIN
from app.mail.replies import Answer, Outcome, Scope, Stage
from app.operators.alerts import alert

_HELD = (
    *(Delivery.id, Delivery.kind, Delivery.attempts, Delivery.expires_at),
    Delivery.attempted_at,
)
_LOST = Answer(Stage.DOT, None)


@dataclass(frozen=True)
class Recovered:
    """How many messages went back to the queue, and how many are settled or in doubt."""

    released: int
    settled: int
    uncertain: int


def recover(
    session: Transaction,
    journals: Journals,
    own: int | None,
    *,
    now: datetime,
    silent: Mapping[int, datetime] = MappingProxyType({}),
) -> Recovered:
    """Free what dead senders held, our own earlier lives among them; `own` is our number now.

    `silent` are other senders that are taken for dead, with the lease that they had then.
    """
    total = Recovered(0, 0, 0)
    for sender in dead_senders(session, journals.identity, own, silent):
        if sender.identity == journals.identity:
            known = replay(journals.folder, sender.id)
        else:
            known = _journal_of_the_dead(sender)
        one = _recover_one(session, sender, known, now)
        forget(session, sender.id)
        total = Recovered(
            total.released + one.released,
            total.settled + one.settled,
            total.uncertain + one.uncertain,
        )
    return total


def _journal_of_the_dead(sender: Sender) -> Replay | None:
    """Read another sender's journal if it lies on this machine; None if it cannot be had.

    On another machine there may be another sender's folder of the same name: it proves nothing.
    """
    folder = Path(sender.journals)
    if identity_of(folder) != sender.identity:
        return None
    lock = lock_folder(folder)
    if lock is None:
        return None  # it lives after all, and only lost its lease
    try:
        return replay(folder, sender.id)
    finally:
        os.close(lock)


def _recover_one(
    session: Transaction, sender: Sender, told: Replay | None, now: datetime
) -> Recovered:
    held = session.execute(
        select(*_HELD)
        .where(Delivery.claimed_by == sender.id, Delivery.state == CLAIMED)
        .with_for_update(skip_locked=True)
    ).all()
    free: list[int] = []
    rows: list[DeliveryUpdate] = []
    for row in held:
        parked = row.attempted_at is None
        answer = _what_happened(row.id, row.attempts + 1, told, parked=parked)
        if answer is None:
            free.append(row.id)
            continue
        verdict = verdict_of(answer, row.attempts + 1)[0]
        if verdict.outcome is Outcome.FAILED and verdict.concern is not Scope.READER:
            free.append(row.id)  # the words are lost that would tell whose fault it is
            continue
        rows.append(
            written(
                row.id,
                row.attempts + 1,
                verdict,
                relay=_relay_of(row.id, told),
                code=answer.reply.code if answer.reply else None,
                status=answer.reply.enhanced if answer.reply else None,
                repeat_doubt=row.kind in REPEATED,
                expires_at=row.expires_at,
                chance=0.5,
                now=now,
            )
        )
    record(session, sender.id, rows)
    release(session, sender.id, free)
    doubts = sum(row.state == UNCERTAIN for row in rows)
    if doubts:
        text = (
            f"A sender ended before relays had answered; {doubts} messages are uncertain: a relay"
            " may have them or not. `vestka mailing uncertain` lists those of a mailing."
        )
        alert(session, f"uncertain-{sender.id}", text, now=now)
    return Recovered(len(free), len(rows) - doubts, doubts)


def _what_happened(
    delivery_id: int, number: int, told: Replay | None, *, parked: bool
) -> Answer | None:
    """Return the answer to attempt `number` at this message; None if there was no such attempt.

    Where the journal is lost, or its end may be, every message is in doubt that was not parked.
    """
    attempt = told.attempts.get(delivery_id) if told else None
    if attempt is None or attempt.number != number:
        return None if parked or (told and told.whole) else _LOST
    return _LOST if attempt.result is None else answer_of(attempt.result)


def _relay_of(delivery_id: int, told: Replay | None) -> str:
    attempt = told.attempts.get(delivery_id) if told else None
    return attempt.relay if attempt else ""
