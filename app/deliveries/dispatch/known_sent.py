"""Messages that are known to have gone, whatever the ledger says: they count as sent.

The sent notes beside the keys tell, and after a restore the attempt journal of the last life, which
is ahead of both: nobody gets a second copy because a database came back from a backup.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import func, select, update

from app.database import Transaction
from app.deliveries.destinations.throttle_signals import verdict_of
from app.deliveries.dispatch.attempt_journal import Attempt
from app.deliveries.dispatch.reply_codec import answer_of
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.recording import batched
from app.deliveries.ledger.states import CLAIMED, DEFERRED, OPEN, PENDING, SENT, UNCERTAIN
from app.dialects import in_ids
from app.mail.replies import Outcome
from app.mailings.models import Mailing
from app.mailings.states import RECALLED
from app.witness.sent_notes import SentNotes

_AT_ONCE = 5000


def settle_known(
    session: Transaction, sent: SentNotes, attempts: Mapping[int, Attempt] | None = None
) -> dict[int, tuple[int, int]]:
    """Count as sent what is known to have gone; return by mailing how many, and how many are left.

    `attempts` are those of the attempt journal, to be given after a restore alone. What another
    sender holds at this moment is left to it.
    """
    settled = {}
    mailings = session.scalars(
        select(Mailing).where(Mailing.folded.is_(False), Mailing.state != RECALLED)
    )
    by_journal = _settle_attempts(session, attempts or {})
    for mailing in mailings.all():
        count = by_journal.get(mailing.id, 0) + _settle_noted(session, sent, mailing)
        left = select(func.count()).where(
            Delivery.mailing_id == mailing.id, Delivery.state.in_(OPEN)
        )
        if count or attempts is not None:
            settled[mailing.id] = count, session.scalar(left) or 0
    return settled


def _settle_noted(session: Transaction, sent: SentNotes, mailing: Mailing) -> int:
    key = mailing.week, mailing.segment
    noted = sent.known(key)
    if not noted:
        return 0
    ids, after = list[int](), 0
    while rows := session.execute(
        select(Delivery.id, Delivery.subscriber_id)
        .where(
            Delivery.mailing_id == mailing.id,
            Delivery.id > after,
            Delivery.state.not_in((SENT, CLAIMED)),
            Delivery.subscriber_id.is_not(None),
        )
        .order_by(Delivery.id)
        .limit(_AT_ONCE)
    ).all():
        ids += [row.id for row in rows if sent.digest(key, row.subscriber_id or b"") in noted]
        after = rows[-1].id
    _write(session, ids, SENT)
    return len(ids)


def _settle_attempts(session: Transaction, attempts: Mapping[int, Attempt]) -> dict[int, int]:
    """Read what the journal knows beyond the ledger; an attempt without a result is in doubt."""
    settled: dict[int, int] = {}
    for some in batched(attempts):
        gone, doubtful = list[int](), list[int]()
        for row in session.execute(
            select(Delivery.id, Delivery.mailing_id, Delivery.attempts).where(
                in_ids(Delivery.id, some), Delivery.state.in_((PENDING, DEFERRED))
            )
        ):
            attempt = attempts[row.id]
            if attempt.number <= row.attempts:
                continue
            if attempt.result is None and row.mailing_id is not None:
                doubtful.append(row.id)
            elif attempt.result is not None and _was_taken(attempt):
                gone.append(row.id)
                if row.mailing_id is not None:
                    settled[row.mailing_id] = settled.get(row.mailing_id, 0) + 1
        _write(session, gone, SENT)
        _write(session, doubtful, UNCERTAIN)
    return settled


def _was_taken(attempt: Attempt) -> bool:
    if attempt.result is None:
        return False
    return verdict_of(answer_of(attempt.result), attempt.number)[0].outcome is Outcome.ACCEPTED


def _write(session: Transaction, ids: Collection[int], state: str) -> None:
    for some in batched(ids):
        session.execute(
            update(Delivery)
            .where(in_ids(Delivery.id, some), Delivery.state != CLAIMED)
            .values(state=state, reason=None, claimed_by=None)
            .execution_options(synchronize_session=False)
        )


def note_sent(
    session: Transaction, sent: SentNotes, taken: Iterable[tuple[int | None, bytes | None]]
) -> None:
    """Note whose message a relay took: pairs of mailing and subscriber. Raises OSError."""
    by_mailing: dict[int, list[bytes]] = {}
    for mailing_id, subscriber_id in taken:
        if mailing_id is not None and subscriber_id is not None:
            by_mailing.setdefault(mailing_id, []).append(subscriber_id)
    for mailing_id, readers in by_mailing.items():
        mailing = session.get(Mailing, mailing_id)
        if mailing is not None:
            sent.note((mailing.week, mailing.segment), readers)
