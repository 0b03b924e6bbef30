"""Telling the operators that somebody abuses the forms. Only counts are known and told."""

from datetime import datetime

from app.database import Transaction
from app.operators.alerts import alert
from app.rate_limits.refusals import REASONS, refused_since

MANY = 100
"""Refusals in a day that are told of; some are everyday life: shared networks, impatient people."""


def alert_of_abuse(session: Transaction, *, now: datetime) -> None:
    """Tell the operators, once a day for each reason."""
    today = now.date()
    for reason, times in refused_since(session, today).items():
        if times >= MANY:
            text = f"The sign-up form seems to be under attack: {REASONS[reason]}: {times} today."
            alert(session, f"attack-{reason}-{today}", text, now=now)
