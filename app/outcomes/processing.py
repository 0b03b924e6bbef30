"""Taking in what came back: counted once for each message and class, and then what follows from it.

One transaction of the caller's. A report that proves nothing is only counted; one that is repeated,
however it is spelled the second time, changes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.ledger.message_kinds import ISSUE
from app.dialects import insert_if_absent
from app.issues.week import Week
from app.mail.classification import Class, Verdict
from app.mail.reports import Report
from app.mailings.launch import mailing_of
from app.operators.alerts import alert
from app.outcomes.attribution import Attribution, Message, TokenReader
from app.outcomes.bounce_history import passed_between, remember, standing_of
from app.outcomes.bounce_policy import judge_reader, judge_service, judge_subscription
from app.outcomes.counting import Saying, count_outcome, keep_saying
from app.outcomes.diagnostic_texts import diagnosis, provider
from app.outcomes.evidence import WEIGHTS, Evidence, strengthened
from app.outcomes.models import Returned
from app.settings import BouncePolicy
from app.subscribers.models import ServiceMessage, Subscriber
from app.subscribers.unsubscription import end, end_and_suppress
from app.suppressions.reasons import DEAD

# A relay tries for five days (RFC 5321 §4.5.4.1), people complain for weeks; a token that comes
# back later is not news but a replay.
NEWS = timedelta(days=30)

FOREIGN = "foreign"  # it proves nothing: counted, and nothing else
KNOWN = "known"  # it was told before
TAKEN = "taken"

_MARK = 12  # characters of a mark in the database

NOT_OURS = ""  # the segment under which foreign reports are counted


@dataclass(frozen=True, slots=True)
class Processed:
    """What became of a report: FOREIGN, KNOWN or TAKEN; and whether a reader was ended by it."""

    became: str
    class_: Class
    reason: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Processor:
    """The rules by which reports are taken in."""

    signs: TokenReader
    rules: BouncePolicy

    def take(
        self, session: Transaction, report: Report, *, now: datetime, authenticated: bool = False
    ) -> Processed:
        """Take in a report that was read; `authenticated` tells whether its source is."""
        found = self.signs.attribute(report)
        if found is None or not _is_news(session, found.message, now):
            count_outcome(session, str(Week.of(now.date())), NOT_OURS, report.verdict, "")
            return Processed(FOREIGN, report.class_, report.verdict.reason)
        text = diagnosis(report.text, [each.address for each in report.recipients])
        name = provider(next(iter(report.named), ""))
        evidence = strengthened(found.evidence, authenticated=authenticated)
        proved = Attribution(found.message, evidence)
        return self.note(session, proved, report.verdict, name, text, now=now)

    def note(
        self,
        session: Transaction,
        proved: Attribution,
        verdict: Verdict,
        provider_name: str,
        text: str,
        *,
        now: datetime,
    ) -> Processed:
        """Note what came back of a message of ours; `text` is fit to be kept.

        What was told by weak evidence may be told again by better: then more follows from it, but
        it is counted once.
        """
        message, evidence = proved
        known = self._known(session, message, verdict.class_)
        if evidence is Evidence.MESSAGE_ID and known:
            return Processed(KNOWN, verdict.class_, verdict.reason)
        if not self._is_first(session, proved, verdict.class_, now.date()):
            return Processed(KNOWN, verdict.class_, verdict.reason)
        if not known:
            self._count(session, message, verdict, provider_name, text, now)
        ended = self._follow(session, proved, verdict, now.date())
        return Processed(TAKEN, verdict.class_, verdict.reason, ended)

    def _count(
        self,
        session: Transaction,
        message: Message,
        verdict: Verdict,
        provider_name: str,
        text: str,
        now: datetime,
    ) -> None:
        week = str(message.week) if message.kind == ISSUE else str(Week.of(now.date()))
        count_outcome(session, week, message.segment, verdict, provider_name)
        said = Saying(text, self.signs.links.pseudonym("saying", text.encode()))
        keep_saying(session, week, message.segment, verdict.class_, said, today=now.date())
        if verdict.class_ is Class.BLOCK:
            _tell_of_block(session, week, message.segment, verdict, provider_name, now)

    def _known(self, session: Session, message: Message, class_: Class) -> bool:
        """Tell whether this was told of the message before, by whatever evidence."""
        marks = (_mark(class_, each) for each in Evidence)
        query = select(Returned.outcome).where(
            Returned.message == self._pseudonym(message), Returned.outcome.in_(set(marks))
        )
        return session.scalar(query.limit(1)) is not None

    def _is_first(
        self, session: Transaction, proved: Attribution, class_: Class, today: date
    ) -> bool:
        row = {
            "message": self._pseudonym(proved.message),
            "outcome": _mark(class_, proved.evidence),
            "day": today,
        }
        return insert_if_absent(session, Returned, [row]) == 1

    def _pseudonym(self, message: Message) -> bytes:
        number = message.number.to_bytes(3, "big")
        facts = message.link_id + number + message.segment.encode()
        return self.signs.links.pseudonym("message", facts)

    def _follow(
        self, session: Transaction, proved: Attribution, verdict: Verdict, today: date
    ) -> bool:
        """Do to the reader what follows; return whether it ended them, or a subscription."""
        message, weight = proved.message, WEIGHTS[proved.evidence]
        query = select(Subscriber.id).where(Subscriber.link_id == message.link_id)
        subscriber_id = session.scalar(query.with_for_update())
        if subscriber_id is None:
            return False
        if not weight.ends_reader:
            return self._end_one(session, subscriber_id, message, verdict, today)
        if message.kind == ISSUE:
            reason = self._judged(session, subscriber_id, message, verdict, today)
        else:
            reason = judge_service(verdict.class_, self.rules, sure=verdict.sure)
        if reason is None:
            return False
        days = timedelta(days=self.rules.dead_days)
        until = today + days if reason == DEAD else None
        end_and_suppress(session, subscriber_id, reason, until=until, today=today)
        return True

    def _end_one(
        self,
        session: Transaction,
        subscriber_id: bytes,
        message: Message,
        verdict: Verdict,
        today: date,
    ) -> bool:
        """End the subscription to the message's own segment, if that follows; suppress nothing."""
        reason = judge_subscription(verdict.class_, self.rules, sure=verdict.sure)
        if reason is None or message.kind != ISSUE:
            return False
        end(session, subscriber_id, (message.segment,), reason, today=today)
        return True

    def _judged(
        self,
        session: Transaction,
        subscriber_id: bytes,
        message: Message,
        verdict: Verdict,
        today: date,
    ) -> str | None:
        reader = self.signs.links.pseudonym("reader", message.link_id)
        before = standing_of(session, reader)
        judged = judge_reader(
            before,
            verdict.class_,
            message.number,
            self.rules,
            sure=verdict.sure,
            passed=passed_between(session, subscriber_id, before.week, message.number),
            today=today,
        )
        remember(session, reader, judged.standing, today=today)
        return judged.ends


def _mark(class_: Class, evidence: Evidence) -> str:
    """Return the mark of what was told: told by weak evidence only, it has one of its own."""
    return f"{class_}?"[:_MARK] if evidence is Evidence.MESSAGE_ID else str(class_)


def _is_news(session: Session, message: Message, now: datetime) -> bool:
    """Tell whether the message went lately: old tokens that come again are replays."""
    if message.kind == ISSUE:
        mailing = mailing_of(session, message.week, message.segment)
        return mailing is not None and now - mailing.launched_at <= NEWS
    query = (
        select(ServiceMessage.nonce)
        .join(Subscriber, Subscriber.id == ServiceMessage.subscriber_id)
        .where(Subscriber.link_id == message.link_id, ServiceMessage.kind == message.kind)
    )
    begins = message.number.to_bytes(3, "big")
    return any(nonce.startswith(begins) for nonce in session.scalars(query))


def _tell_of_block(
    session: Transaction,
    week: str,
    segment: str,
    verdict: Verdict,
    provider_name: str,
    now: datetime,
) -> None:
    text = (
        f"Messages of {week} to {segment} are refused because of us, not of their readers"
        f" ({verdict.reason}; {provider_name}). No reader is touched."
    )
    key = f"blocked-{week}-{segment}-{verdict.reason}-{provider_name}"
    alert(session, key, text, now=now)
