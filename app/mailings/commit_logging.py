"""Log lines of a mailing's turns: said once the turn is true, and by number alone."""

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.database import Transaction
from app.log import get_logger
from app.mailings.models import Mailing

log = get_logger("mailings")


def tell(session: Transaction, turn: str, mailing: Mailing) -> None:
    """Say that a mailing was launched, paused, resumed, finished or cancelled, if that is kept."""
    said = f"mailing {turn}"
    facts = {"mailing": mailing.id, "week": mailing.week, "segment": mailing.segment}

    def say(_: Session) -> None:
        log.info(said, **facts)

    event.listen(session, "after_commit", say, once=True)
