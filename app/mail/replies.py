"""What a relay's reply means: whom it concerns, and what becomes of the message. Pure.

Replies are values, never exceptions. The table is read from the top and the first rule that
matches decides. Only the reader's own address being bad is ever held against a reader. The words
are read by the table that reads bounces (`classification`), so that both judge alike.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

from app.mail.classification.classify import classify_by_rule
from app.mail.redaction import printable, without_addresses

LONGEST_TEXT = 300  # characters of a reply that are kept

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")  # RFC 3463 §2, RFC 2034 §4


class Stage(StrEnum):
    """How far a conversation had come; DOT is after the final dot was sent."""

    CONNECT = "connect"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply. `enhanced` is its status code (RFC 3463), `text` holds no address."""

    code: int
    enhanced: str | None
    text: str

    @classmethod
    def parse(cls, code: int, text: str, recipient: str = "") -> "Reply":
        """Read a reply's code and text (lines apart by LF), hiding addresses in it.

        An enhanced code of another class than the reply's own is ignored: the reply code wins.
        """
        lines = [line.strip() for line in text.split("\n")]
        found = (_ENHANCED.match(line) for line in lines)
        enhanced = next((f[0] for f in found if f and int(f[1]) == code // 100), None)
        words = " ".join(_ENHANCED.sub("", line, count=1).strip() for line in lines)
        return cls(code, enhanced, without_addresses(printable(words), recipient)[:LONGEST_TEXT])

    @property
    def positive(self) -> bool:
        """Whether the relay did what it was asked (RFC 5321 §4.2.1: the first digit decides)."""
        return 200 <= self.code < 300

    def __str__(self) -> str:
        """Say the reply as it is kept in the ledger."""
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))


@dataclass(frozen=True, slots=True)
class Answer:
    """How far a message (or a connection) came: the reply there, or None if none came.

    `trouble` says in one sentence why there is no reply; it holds no address and no secret.
    """

    stage: Stage
    reply: Reply | None
    trouble: str = ""

    @classmethod
    def taken(cls, code: int, text: str) -> "Answer":
        """Read the reply to a message that was taken: nobody reads its words."""
        found = _ENHANCED.match(text)
        return _taken(code, found[0] if found and int(found[1]) == code // 100 else None)


@lru_cache(maxsize=256)
def _taken(code: int, enhanced: str | None) -> Answer:
    return Answer(Stage.DOT, Reply(code, enhanced, ""))


class Outcome(StrEnum):
    """What becomes of this delivery. UNCERTAIN: the relay may have the message; nobody knows."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Scope(StrEnum):
    """Whose matter it is. What concerns anything but the reader is never held against readers."""

    READER = "reader"
    MESSAGE = "message"
    MAILING = "mailing"
    CONNECTION = "connection"
    DOMAIN = "domain"
    RELAY = "relay"


class RetryClass(StrEnum):
    """How soon a retry makes sense; the policy behind each is the sender's."""

    NONE = "none"  # never again by itself
    CONNECTION = "connection"  # at once, on another connection
    GREYLIST = "greylist"  # the same message after some minutes
    FULL = "full"  # a mailbox that may be emptied: hours
    LATER = "later"  # any other temporary trouble of one reader
    RATE = "rate"  # the relay wants less of everything
    RELAY = "relay"  # as soon as the relay is used again: it rests by itself
    OPERATOR = "operator"  # when somebody has put something right


class BounceClass(StrEnum):
    """What a refusal says about the address, as bounces do later."""

    NONE = "none"
    HARD = "hard"  # there is no such mailbox
    SOFT = "soft"  # there is one, but not now
    BLOCK = "block"  # we are not wanted: our fault, not the address's


@dataclass(frozen=True, slots=True)
class Disposition:
    """What an answer means."""

    outcome: Outcome
    concern: Scope
    pace: RetryClass = RetryClass.NONE
    kind: BounceClass = BounceClass.NONE


ACCEPTED = Disposition(Outcome.ACCEPTED, Scope.MESSAGE)
UNCERTAIN = Disposition(Outcome.UNCERTAIN, Scope.CONNECTION)
RECONNECT = Disposition(Outcome.RETRY, Scope.CONNECTION, RetryClass.CONNECTION)
RELAY_BUSY = Disposition(Outcome.RETRY, Scope.RELAY, RetryClass.RATE)
RELAY_WRONG = Disposition(Outcome.RETRY, Scope.RELAY, RetryClass.RELAY)
MAILING_REFUSED = Disposition(Outcome.RETRY, Scope.MAILING, RetryClass.OPERATOR, BounceClass.BLOCK)
CONTENT_REFUSED = Disposition(Outcome.FAILED, Scope.MAILING, kind=BounceClass.BLOCK)
MESSAGE_REFUSED = Disposition(Outcome.FAILED, Scope.MESSAGE)
MESSAGE_BLOCKED = Disposition(Outcome.FAILED, Scope.MESSAGE, kind=BounceClass.BLOCK)
MESSAGE_LATER = Disposition(Outcome.RETRY, Scope.MESSAGE, RetryClass.LATER)
GREYLISTED = Disposition(Outcome.RETRY, Scope.READER, RetryClass.GREYLIST)
READER_FULL = Disposition(Outcome.RETRY, Scope.READER, RetryClass.FULL, BounceClass.SOFT)
READER_LATER = Disposition(Outcome.RETRY, Scope.READER, RetryClass.LATER, BounceClass.SOFT)
READER_GONE = Disposition(Outcome.FAILED, Scope.READER, kind=BounceClass.HARD)
READER_REFUSED = Disposition(Outcome.FAILED, Scope.READER, kind=BounceClass.SOFT)

# What reports say of a reply to the message's end: some servers' words mean something else there.
_AT_DOT = "(in reply to end of DATA command)"

_OPENING = frozenset({Stage.CONNECT, Stage.TLS, Stage.LOGIN})
_SENDING = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT})
_MESSAGE = _SENDING - {Stage.RCPT}
_MAIL = frozenset({Stage.MAIL})
_RCPT = frozenset({Stage.RCPT})
_DATA = frozenset({Stage.MAIL, Stage.DATA})
_DOT = frozenset({Stage.DOT})


@dataclass(frozen=True, slots=True)
class Rule:
    """A verdict on replies at these stages whose code, enhanced code and meaning match whole.

    `meaning` is a pattern of the class and reason that the classification table reads in the words
    and codes, such as "hard/*", or "guess block/*" for a guess. An empty pattern matches anything.
    """

    stages: frozenset[Stage]
    code: str
    enhanced: str
    meaning: str
    verdict: Disposition

    def matches(self, stage: Stage, reply: Reply, meaning: str) -> bool:
        """Whether this rule decides."""
        return (
            stage in self.stages
            and re.fullmatch(self.code, str(reply.code)) is not None
            and (not self.enhanced or bool(re.fullmatch(self.enhanced, reply.enhanced or "")))
            and (not self.meaning or fnmatchcase(meaning, self.meaning))
        )


# What no words explain is nobody's fault yet, and our own is refused again by every relay: how many
# of them in a row pause a mailing, and take back what failed, is the sender's matter (ADR 0021).
#
# stages, code, enhanced code, meaning, verdict
RULES = (
    # Our account is suspended, or over what it may send: the relay's word for now, too
    Rule(_SENDING, r"4\d\d", "", "block/account", RELAY_WRONG),
    # Any stage: the connection ends (RFC 5321 §3.8)
    Rule(_SENDING, r"421", "", "", RECONNECT),
    # Opening: never a reader's matter. 454: temporary failure of authentication (RFC 4954 §6)
    Rule(_OPENING, r"4\d\d", "", "", RELAY_BUSY),
    Rule(_OPENING, r"\d+", "", "", RELAY_WRONG),
    # "Authentication required" comes at MAIL, too
    Rule(_SENDING, r"53[0458]", "", "", RELAY_WRONG),
    # The sender is refused, whatever the stage
    Rule(_SENDING, r"5\d\d", "", "block/account", MAILING_REFUSED),
    Rule(_SENDING, r"5\d\d", "", "block/sender", MAILING_REFUSED),
    # The recipient, temporarily
    Rule(_RCPT, r"4\d\d|552", r"[45]\.5\.3", "", RECONNECT),
    Rule(_RCPT, r"4\d\d|552", "", "block/recipients", RECONNECT),
    Rule(_RCPT, r"4\d\d", "", "soft/full", READER_FULL),
    Rule(_RCPT, r"4\d\d", "", "soft/greylisted", GREYLISTED),
    Rule(_RCPT, r"450", r"4\.(2\.0|7\.1)", "", GREYLISTED),
    Rule(_RCPT, r"4\d\d", r"4\.7\.\d+", "", RELAY_BUSY),
    Rule(_RCPT, r"4\d\d", "", "block/*", RELAY_BUSY),
    Rule(_RCPT, r"452", "", "", RELAY_BUSY),
    Rule(_RCPT, r"4\d\d", "", "", READER_LATER),
    # The recipient, for good: by what is meant, then by the code
    Rule(_RCPT, r"5\d\d", "", "hard/*", READER_GONE),
    Rule(_RCPT, r"5\d\d", r"5\.6\.\d+", "", MESSAGE_REFUSED),
    Rule(_RCPT, r"5\d\d", "", "soft/too-large", MESSAGE_REFUSED),
    Rule(_RCPT, r"552", "", "block/*", RELAY_WRONG),
    Rule(_RCPT, r"552", r"5\.2\.2", "", READER_REFUSED),
    Rule(_RCPT, r"552", "", "", READER_FULL),  # RFC 5321 §4.5.3.1.10: to be read as 452
    Rule(_RCPT, r"5\d\d", "", "soft/system", RELAY_WRONG),
    Rule(_RCPT, r"5\d\d", "", "soft/*", READER_REFUSED),
    # Exchange: who may write to this recipient, which says nothing of all others
    Rule(_RCPT | _DOT, r"5\d\d", r"5\.7\.1[23]\d", "", MESSAGE_BLOCKED),
    Rule(_RCPT, r"5\d\d", "", "block/*", RELAY_WRONG),
    Rule(_RCPT, r"5\d\d", r"5\.[357]\.\d+", "", RELAY_WRONG),
    Rule(_RCPT, r"5\d\d", "", "guess block/*", MESSAGE_BLOCKED),
    Rule(_RCPT, r"55[13]|556", "", "", READER_GONE),  # RFC 7504: the host takes no mail
    Rule(_RCPT, r"5\d\d", "", "guess hard/*", READER_GONE),
    Rule(_RCPT, r"5\d\d", "", "guess soft/*", READER_REFUSED),
    Rule(_RCPT, r"55[04]", "", "", MESSAGE_REFUSED),
    Rule(_RCPT, r"5\d\d", "", "", RELAY_WRONG),  # 500-504: it does not understand us
    # The transaction and the content
    Rule(_MESSAGE, r"452", "", "", RELAY_BUSY),
    Rule(_MESSAGE, r"4\d\d", r"4\.7\.\d+", "", RELAY_BUSY),
    Rule(_MESSAGE, r"4\d\d", "", "block/*", RELAY_BUSY),
    Rule(_MESSAGE, r"4\d\d", "", "", MESSAGE_LATER),
    Rule(_DATA, r"5\d\d", "", "", MAILING_REFUSED),
    # Our messages have one recipient: what is said of it after the dot is said of the reader
    Rule(_DOT, r"5\d\d", "", "hard/*", READER_GONE),
    Rule(_DOT, r"5\d\d", r"5\.6\.\d+", "", MESSAGE_REFUSED),
    Rule(_DOT, r"5\d\d", "", "soft/too-large", CONTENT_REFUSED),
    Rule(_DOT, r"5\d\d", "", "soft/system", MESSAGE_REFUSED),
    Rule(_DOT, r"5\d\d", "", "soft/*", READER_REFUSED),
    Rule(_DOT, r"552", "", "", CONTENT_REFUSED),
    Rule(_DOT, r"5\d\d", r"5\.(3\.4|7\.\d+)", "", MAILING_REFUSED),
    Rule(_DOT, r"5\d\d", "", "block/*", MAILING_REFUSED),
    Rule(_DOT, r"5\d\d", "", "guess block/*", MESSAGE_BLOCKED),
    Rule(_DOT, r"5\d\d", "", "", MESSAGE_REFUSED),
    # What no server should say there: after the dot nobody knows, before it nothing has happened
    Rule(_DOT, r"\d+", "", "", UNCERTAIN),
    Rule(_SENDING, r"\d+", "", "", RECONNECT),
)


def classify(answer: Answer) -> Disposition:
    """Say what an answer means for the delivery. Total: every answer has a verdict."""
    stage, reply = answer.stage, answer.reply
    if reply is None:
        return _without_reply(stage)
    if stage is Stage.DOT and reply.positive:
        return ACCEPTED
    meaning = _meaning(answer)
    return next(rule.verdict for rule in RULES if rule.matches(stage, reply, meaning))


def _meaning(answer: Answer) -> str:
    """Read a reply by the table that reads reports, too."""
    reply = answer.reply
    if reply is None:
        return ""
    said = f"{reply} {_AT_DOT}" if answer.stage is Stage.DOT else reply.text
    seen, rule = classify_by_rule(said, status=reply.enhanced or "", code=str(reply.code))
    guess = "guess " if rule is not None and rule.guess else ""
    return f"{guess}{seen.class_}/{seen.reason}"


def _without_reply(stage: Stage) -> Disposition:
    """Only after the final dot may the relay have the message (RFC 1047)."""
    if stage is Stage.DOT:
        return UNCERTAIN
    return RELAY_BUSY if stage in _OPENING else RECONNECT
