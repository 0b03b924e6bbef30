"""How each relay is doing, as this process sees it: when it rests, and when it is worth a word.

What concerns the relay is never held against a reader: the relay rests, the letters wait.
"""

from dataclasses import dataclass, field

from app.deliveries.pacing import Permits
from app.deliveries.retrying import rest
from app.mail.relay import Relay
from app.mail.replies import Answer, Concern, Outcome, Pace, Verdict, classify

# So many refusals of our set-up in a row, without one letter taken, are no coincidence.
STRIKES = 3


@dataclass
class RelayState:
    """One relay, how often it failed in a row, and until when it is left alone (monotonic).

    Until `rest_until` it gets no letter, until `open_after` no new connection: one that breaks says
    nothing about the others.
    """

    relay: Relay
    place: int = 0  # among all relays, as the attempt journal knows it
    failures: int = 0
    strikes: int = 0
    rest_until: float = 0.0
    open_after: float = 0.0
    trouble: str = ""
    told: bool = False
    lines: int = 0  # connections that are ours, of those that all senders share
    crowded_until: float = 0.0  # when others had all of them
    permits: Permits = field(init=False)

    def __post_init__(self) -> None:
        """Hold no permit yet."""
        self.permits = Permits(self.relay.limits)

    def heard(self, answer: Answer, *, now: float, chance: float) -> Verdict:
        """Take in what the relay said to a letter; return what it means."""
        verdict = classify(answer)
        if verdict.outcome is Outcome.ACCEPTED:
            self.failures = self.strikes = 0
            self.trouble = ""
            self.told = False
        elif verdict.concern is Concern.RELAY:
            if verdict.pace is Pace.OPERATOR:
                self.strikes += 1
            if verdict.pace is not Pace.OPERATOR or self.strikes >= STRIKES:
                self._rest(answer, now, chance)
                self.rest_until = self.open_after
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
        reply = answer.reply
        self.trouble = str(reply) if reply else answer.trouble
        if now < self.open_after:
            return  # lines that fail together fail once
        self.failures += 1
        self.open_after = now + rest(self.failures, chance)

    def waits(self, now: float, *, connected: bool) -> float:
        """Return for how many seconds a line, connected or not, has to leave the relay alone."""
        return max(self.rest_until, 0.0 if connected else self.open_after) - now

    def is_down(self, now: float) -> bool:
        """Whether letters had better go another way, or wait in the queue for everyone."""
        if not self.lines and now < self.crowded_until:
            return True
        return self.failures >= STRIKES and self.waits(now, connected=False) > 0

    @property
    def needs_operator(self) -> bool:
        """Whether somebody has to put something right."""
        return self.strikes >= STRIKES or self.failures >= 2 * STRIKES
