"""How each relay is doing, as this process sees it: when it rests, and when it is worth a word.

What concerns the relay is never held against a reader: the relay rests, the messages wait. What one
receiving domain says of us is not the relay's matter; what several say is, and what is said of a
mailing's first messages, with none taken.
"""

from dataclasses import dataclass, field

from app.deliveries.destinations.throttle_signals import ThrottleSignal, verdict_of
from app.deliveries.dispatch.circuit_breaker import TRIPS, Breaker, State
from app.deliveries.dispatch.relay_rate_limit import Permits
from app.deliveries.ledger import backoff
from app.mail.relay import Relay
from app.mail.replies import Answer, Disposition, Outcome, RetryClass, Scope, Stage, classify

# So many refusals of our set-up in a row, without one message taken, are no coincidence.
STRIKES = 3
# So many groups of domains that wish something of us, with no message taken in between: it is not
# they who say it.
VOICES = 3
# How often a line asks whether another's probe has gone well, in seconds.
ASK_AGAIN = 0.2
# No permit for so long, in seconds, and it is no matter of a second but of the hour or the day.
DRY = 5.0
USED_UP = 30.0  # seconds until permits are waited for again, where there are other relays


@dataclass
class RelayState:
    """One relay, how often it failed in a row, and until when it is left alone (monotonic).

    Until `rest_until` it gets no message; until its breaker has rested no new connection: one that
    breaks says nothing about the others, unless they break again and again.
    """

    relay: Relay
    place: int = 0  # among all relays, as the attempt journal knows it
    breaker: Breaker = field(default_factory=Breaker)
    strikes: int = 0
    rest_until: float = 0.0
    trouble: str = ""
    told: bool = False
    lines: int = 0  # connections that are ours, of those that all senders share
    senders: int = 1  # who share them, ourselves included
    crowded_until: float = 0.0  # when others had all of them
    probing: object = None  # the line that tries it, after a rest
    voices: set[str] = field(default_factory=set)
    served: set[int] = field(default_factory=set)  # mailings of which it took a message
    sent_away: dict[int, int] = field(default_factory=dict)  # messages of other mailings
    used_up_until: float = 0.0  # when all that it may have now went to it
    dry_since: float | None = None  # since when no permit was to be had
    permits: Permits = field(init=False)

    def __post_init__(self) -> None:
        """Hold no permit yet."""
        self.permits = Permits(self.relay.limits)

    def heard(
        self,
        answer: Answer,
        *,
        group: str = "",
        mailing: int | None = None,
        attempts: int = 1,
        now: float,
        chance: float,
    ) -> tuple[Disposition, ThrottleSignal]:
        """Take in what was said to a message for a group of domains; return what it means.

        `mailing` is the one that it belongs to, `attempts` counts those at it, this one too.
        """
        verdict, wish = verdict_of(answer, attempts)
        if verdict.outcome is Outcome.ACCEPTED and mailing is not None:
            self.served.add(mailing)
            self.sent_away.pop(mailing, None)
        if wish is not ThrottleSignal.NONE:
            self.voices.add(group)
            if len(self.voices) < VOICES and not self._begins_in_vain(wish, mailing):
                self._works()
                return verdict, wish
            verdict, wish = classify(answer), ThrottleSignal.NONE
        self._take_in(answer, verdict, now, chance)
        return verdict, wish

    def _begins_in_vain(self, wish: ThrottleSignal, mailing: int | None) -> bool:
        """Whether the first messages of a mailing are all sent away, whoever they are for."""
        if wish is not ThrottleSignal.AWAY or mailing is None or mailing in self.served:
            return False
        self.sent_away[mailing] = self.sent_away.get(mailing, 0) + 1
        return self.sent_away[mailing] >= VOICES

    def _take_in(self, answer: Answer, verdict: Disposition, now: float, chance: float) -> None:
        if verdict.outcome is Outcome.ACCEPTED:
            self._works()
            self.strikes = 0
            self.trouble = ""
            self.told = False
            self.voices.clear()
        elif verdict.concern is Scope.RELAY:
            if verdict.pace is RetryClass.RELAY:
                self.strikes += 1
            if verdict.pace is not RetryClass.RELAY or self.strikes >= STRIKES:
                self._fail(answer, now, chance)
                self.rest_until = self.breaker.rests_until
        elif answer.reply is None or verdict.concern is Scope.CONNECTION:
            self._fail(answer, now, chance)
        elif verdict.concern is Scope.READER:
            self._works()

    def _works(self) -> None:
        self.breaker = self.breaker.taken()
        self.probing = None

    def could_not_open(self, answer: Answer, *, now: float, chance: float) -> None:
        """Take in that no connection could be opened."""
        if classify(answer).pace is RetryClass.RELAY:
            self.strikes += STRIKES if answer.stage is Stage.LOGIN else 1
        self._fail(answer, now, chance)

    def _fail(self, answer: Answer, now: float, chance: float) -> None:
        reply = answer.reply
        self.trouble = str(reply) if reply else answer.trouble
        rests = backoff.LOGIN_RESTS if answer.stage is Stage.LOGIN else backoff.RESTS
        # A login that is refused is no chance, and its rests are long: nothing is held meanwhile.
        refused = answer.stage is Stage.LOGIN and classify(answer).pace is RetryClass.RELAY
        trips = 1 if refused else TRIPS
        self.breaker = self.breaker.at(now).failed(now, rests, chance, trips=trips)
        self.probing = None

    @property
    def failures(self) -> int:
        """How often it failed in a row."""
        return self.breaker.failures

    def state(self, now: float) -> State:
        """How its breaker stands now."""
        return self.breaker.at(now).state

    def waits(self, now: float, *, connected: bool, line: object = None) -> float:
        """Return for how many seconds a line, connected or not, has to leave the relay alone."""
        waits = self.rest_until - now
        state = self.state(now)
        if state is State.OPEN or not connected:
            waits = max(waits, self.breaker.rests_until - now)
        if state is State.HALF_OPEN and self.probing not in (None, line):
            waits = max(waits, ASK_AGAIN)
        return waits

    def begin(self, now: float, line: object) -> bool:
        """Let a line with a message use the relay; after a rest only one, which tries it."""
        if self.state(now) is not State.HALF_OPEN:
            return True
        if self.probing is None:
            self.probing = line
        return self.probing is line

    def end(self, line: object) -> None:
        """Take notice that a line has done what it could for now."""
        if self.probing is line:
            self.probing = None

    def permitted(self, now: float, *, any_: bool) -> None:
        """Take notice whether there were permits to be had."""
        if any_:
            self.dry_since = None
            self.used_up_until = 0.0
            return
        self.dry_since = now if self.dry_since is None else self.dry_since
        if now - self.dry_since >= DRY:
            self.used_up_until = now + USED_UP

    def is_used_up(self, now: float) -> bool:
        """Whether it had all that it may have this hour or day."""
        return now < self.used_up_until

    def is_down(self, now: float) -> bool:
        """Whether messages had better go another way, or wait in the queue for everyone."""
        if not self.lines and now < self.crowded_until:
            return True
        return self.state(now) is State.OPEN

    @property
    def needs_operator(self) -> bool:
        """Whether somebody has to put something right."""
        return self.strikes >= STRIKES or self.failures >= 2 * STRIKES
