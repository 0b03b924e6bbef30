"""Refusals in the SMTP conversation, which follow the same law as reports that come later.

They are taken from the ledger at the moment when an ended mailing's rows forget their readers, in
the same transaction: each is taken once, and none before its provider may be counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, select

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.database import Transaction
from app.deliveries.ledger.message_kinds import ISSUE
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.states import FAILED
from app.issues.week import Week
from app.mail.classification import Class, Verdict, classify
from app.mail.replies import BounceClass, Scope
from app.mailings.models import Mailing
from app.outcomes.attribution import Attribution, Message
from app.outcomes.diagnostic_texts import provider
from app.outcomes.evidence import Evidence
from app.outcomes.processing import Processor
from app.subscribers.models import Subscriber
from app.subscribers.row_integrity import open_selected, rows

_CLASSES = {
    f"{Scope.READER} {BounceClass.HARD}": Class.HARD,
    f"{Scope.READER} {BounceClass.SOFT}": Class.SOFT,
    f"{Scope.MAILING} {BounceClass.BLOCK}": Class.BLOCK,
    f"{Scope.RELAY} {BounceClass.BLOCK}": Class.BLOCK,
}


@dataclass(frozen=True, slots=True)
class SmtpRejections:
    """Takes the refused messages among rows of the ledger."""

    taker: Processor
    keyring: Keyring

    def take(self, session: Transaction, ids: Sequence[int], *, now: datetime) -> int:
        """Take those of these deliveries that were refused; return how many."""
        query = (
            select(
                Delivery.subscriber_id,
                Delivery.reason,
                Delivery.reply_code,
                Delivery.reply_status,
                Mailing.week,
                Mailing.segment,
            )
            .join(Mailing, Mailing.id == Delivery.mailing_id)
            .where(
                Delivery.id.in_(list(ids)),
                Delivery.state == FAILED,
                Delivery.reason.in_(list(_CLASSES)),
            )
        )
        refused = session.execute(query).all()
        for row in refused:
            self._take_one(session, row, now)
        return len(refused)

    def _take_one(
        self,
        session: Transaction,
        row: Row[bytes | None, str | None, int | None, str | None, str, str],
        now: datetime,
    ) -> None:
        reader = session.execute(rows().where(Subscriber.id == row.subscriber_id)).one_or_none()
        if reader is None:
            return
        opened = open_selected(self.keyring, reader)
        name = provider(opened.wire) if isinstance(opened, EmailAddress) else provider("")
        message = Message(reader.link_id, ISSUE, row.segment, Week.parse(row.week).number)
        verdict = _verdict(_CLASSES[row.reason or ""], row.reply_code, row.reply_status)
        proved = Attribution(message, Evidence.AUTHENTICATED)  # our own connection heard it
        self.taker.note(session, proved, verdict, name, "", now=now)


def _verdict(class_: Class, code: int | None, status: str | None) -> Verdict:
    """Keep the class that was decided when the words were there; the codes tell how sure it is."""
    again = classify("", status=status or "", code=str(code or ""))
    if again.class_ is class_:
        return again
    return Verdict(class_, "refused", code, status)
