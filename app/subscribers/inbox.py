"""The way into the inbox from a web process: sign-ups that arrive together share one commit."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from app.database import Database, Transaction
from app.subscribers.proof_of_work import FIELD, ProofSpent, spend
from app.subscribers.sign_up import Row, put
from app.web.group_commit import GroupCommit

ROOM = 5000  # rows waiting: some seconds of a flood, and a few megabytes


class _Drop(NamedTuple):
    row: Row
    proof: bytes | None
    """The fingerprint of the proof of work that pays for it, if one is asked for."""


class Inbox:
    """The inbox of one installation, for one event loop."""

    def __init__(self, database: Database, *, room: int = ROOM) -> None:
        """Write nothing yet."""
        self._database = database
        self._gathering: GroupCommit[_Drop, ProofSpent | None] = GroupCommit(self._write, room=room)

    async def take(self, row: Row, *, proof: bytes | None = None) -> None:
        """Leave a sealed row in the inbox; it is committed when this returns.

        Raises TooBusy; ProofSpent, and nothing is left, if the proof of work was used before.
        """
        if (refused := await self._gathering.add(_Drop(row, proof))) is not None:
            raise refused

    def _write(self, drops: Sequence[_Drop]) -> Sequence[ProofSpent | None]:
        with self._database.transaction() as session:
            unpaid = _unpaid(session, drops)
            if rows := [drop.row for drop, none in zip(drops, unpaid, strict=True) if not none]:
                put(session, rows)
        return [ProofSpent(field=FIELD) if none else None for none in unpaid]


def _unpaid(session: Transaction, drops: Sequence[_Drop]) -> Sequence[bool]:
    """Spend the proofs; tell of each drop whether its own was spent before, or beside it."""
    days: dict[bytes, date] = {drop.proof: drop.row["day"] for drop in drops if drop.proof}
    spent = spend(session, days)
    unpaid = []
    for drop in drops:
        unpaid.append(drop.proof is not None and drop.proof in spent)
        if drop.proof is not None:
            spent.add(drop.proof)
    return unpaid
