"""How each relay is doing, as this process sees it: when it rests, and when it is worth a word.

What concerns the relay is never held against a reader: the relay rests, the letters wait.
"""

from dataclasses import dataclass

from app.deliveries.retrying import rest
from app.mail.relay import Relay
from app.mail.replies import Answer, Concern, Outcome, Pace, Verdict, classify

# So many refusals of our set-up in a row, without one letter taken, are no coincidence.
STRIKES = 3


@dataclass
class RelayState:
    """One relay, how often it failed in a row, and until when it is left alone (monotonic)."""

    relay: Relay
    failures: int = 0
    strikes: int = 0
    rest_until: float = 0.0
    trouble: str = ""

    def heard(self, answer: Answer, *, now: float, chance: float) -> Verdict:
        """Take in what the relay said to a letter; return what it means."""
        verdict = classify(answer)
        if verdict.outcome is Outcome.ACCEPTED:
            self.failures = self.strikes = 0
            self.trouble = ""
        elif verdict.concern is Concern.RELAY:
            if verdict.pace is Pace.OPERATOR:
                self.strikes += 1
            if verdict.pace is not Pace.OPERATOR or self.strikes >= STRIKES:
                self._rest(answer, now, chance)
        elif answer.reply is None or verdict.concern is Concern.CONNECTION:
            self._rest(answer, now, chance)
        elif verdict.concern is Concern.READER:
            self.failures = 0
        return verdict

    def could_not_open(self, answer: Answer, *, now: float, chance: float) -> None:
        """Take in that no connection could be opened."""
        self.strikes += classify(answer).pace is Pace.OPERATOR
        self._rest(answer, now, chance)

    def _rest(self, answer: Answer, now: float, chance: float) -> None:
        self.failures += 1
        self.rest_until = max(self.rest_until, now + rest(self.failures, chance))
        reply = answer.reply
        self.trouble = str(reply) if reply else answer.trouble

    @property
    def needs_operator(self) -> bool:
        """Whether somebody has to put something right."""
        return self.strikes >= STRIKES or self.failures >= 2 * STRIKES
