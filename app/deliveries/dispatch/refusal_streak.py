"""Refusals in a row with nothing taken in between: many of them are the sender's fault. Pure.

What the words of a reply say decides only how soon: an explained refusal of a reader weighs little,
one that nobody can explain more, and one of the sender is enough. What failed in such a row is
taken back (ADR 0021). A row is a sending process's own memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from app.mail.replies import BounceClass, Disposition, Outcome, Reply, Scope, Stage

LIMIT = 12  # the weight of a row that stops a mailing
UNEXPLAINED = 4  # of the message or its sender, at MAIL, DATA or the final dot
UNEXPLAINED_AT_RCPT = 2  # beside the reader's own name
NOT_NOW = 2  # words that speak of a living reader, or of our own account
GONE = 1  # words that speak of a mailbox which is no more


class Refusal(NamedTuple):
    """What a streak looks at: a message, how often it was tried before, and what was said."""

    delivery_id: int
    attempts: int
    verdict: Disposition
    stage: Stage
    reply: Reply | None


def weight(refusal: Refusal) -> int:
    """Say how much a refusal weighs; 0: it says nothing of the sender."""
    verdict = refusal.verdict
    if verdict.concern is Scope.MAILING and verdict.outcome is Outcome.RETRY:
        return LIMIT
    if verdict.outcome is not Outcome.FAILED:
        return 0
    if verdict.concern is Scope.READER:
        return GONE if verdict.kind is BounceClass.HARD else NOT_NOW
    return UNEXPLAINED_AT_RCPT if refusal.stage is Stage.RCPT else UNEXPLAINED


@dataclass
class Streak:
    """The refusals of one mailing since a message of it was taken, and what failed in them.

    `works` tells whether one was taken since the mailing last stopped. Then a message that was
    taken back before, and is refused once more, is believed: its reader is the cause. A full row
    stays full until the mailing is resumed: what was on its way when it stopped is taken back, too.
    """

    weight: int = 0
    failed: set[int] = field(default_factory=set)
    said: Reply | None = None
    works: bool = False
    stopped: bool = False  # its mailing was paused
    looked_back: bool = False  # what others met of the same row was taken back, too

    @property
    def is_full(self) -> bool:
        """Whether the mailing has to stop."""
        return self.weight >= LIMIT

    def taken(self) -> None:
        """Take notice of a message that was taken: the row is broken."""
        if not self.is_full:
            self.weight, self.said, self.works = 0, None, True
            self.failed.clear()

    def refused(self, refusal: Refusal) -> None:
        """Count a refusal."""
        if refusal.verdict.outcome is Outcome.FAILED:
            self.failed.add(refusal.delivery_id)
        much = weight(refusal)
        if much and (much >= LIMIT or not (self.works and refusal.attempts)):
            self.weight += much
            self.said = refusal.reply or self.said


class Streaks:
    """The rows of all mailings of one sender."""

    def __init__(self) -> None:
        """Nothing was refused yet."""
        self._rows: dict[int, Streak] = {}

    def count(self, mailing_id: int, results: Iterable[Refusal]) -> None:
        """Take in what became of a mailing's messages, in order."""
        row = self._rows.setdefault(mailing_id, Streak())
        for each in results:
            if each.verdict.outcome is Outcome.ACCEPTED:
                row.taken()
            else:
                row.refused(each)

    def full(self) -> dict[int, Streak]:
        """Return the mailings that have to stop, or did so and were not resumed."""
        return {number: row for number, row in self._rows.items() if row.is_full}

    def resumed(self, mailings: Iterable[int | None]) -> None:
        """Begin anew with those of these mailings that had stopped: their messages go again."""
        for number in set(mailings):
            if number is not None and number in self._rows and self._rows[number].stopped:
                del self._rows[number]
