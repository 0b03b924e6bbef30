"""Taking in what came back: counted once for each letter and class, and then what follows from it.

One transaction of the caller's. A report that proves nothing is only counted; one that is repeated,
however it is spelled the second time, changes nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.deliveries.kinds import ISSUE
from app.dialects import insert_if_absent
from app.issues.week import Week
from app.mail.reports import Report
from app.mail.verdicts import Class, Verdict
from app.mailings.launch import mailing_of
from app.operators.alerts import alert
from app.outcomes.belonging import Letter, Signs
from app.outcomes.counting import Saying, count_outcome, keep_saying
from app.outcomes.diagnosing import diagnosis, provider
from app.outcomes.judging import judge_reader, judge_service
from app.outcomes.marks import passed_between, remember, standing_of
from app.outcomes.models import Returned
from app.settings import Consequences
from app.subscribers.models import ServiceLetter, Subscriber
from app.subscribers.unsubscription import end_keeping
from app.suppressions.reasons import DEAD

# A relay tries for five days (RFC 5321 §4.5.4.1), people complain for weeks; a token that comes
# back later is not news but a replay.
NEWS = timedelta(days=30)

FOREIGN = "foreign"  # it proves nothing: counted, and nothing else
KNOWN = "known"  # it was told before
TAKEN = "taken"

NOT_OURS = ""  # the segment under which foreign reports are counted


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report: FOREIGN, KNOWN or TAKEN; and whether a reader was ended by it."""

    became: str
    class_: Class
    reason: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Taker:
    """The rules by which reports are taken in."""

    signs: Signs
    rules: Consequences

    def take(self, session: Transaction, report: Report, *, now: datetime) -> Taken:
        """Take in a report that was read."""
        letter = self.signs.letter_of(report)
        if letter is None or not _is_news(session, letter, now):
            count_outcome(session, str(Week.of(now.date())), NOT_OURS, report.verdict, "")
            return Taken(FOREIGN, report.class_, report.verdict.reason)
        text = diagnosis(report.text, [each.address for each in report.recipients])
        name = provider(next(iter(report.named), ""))
        return self.note(session, letter, report.verdict, name, text, now=now)

    def note(
        self,
        session: Transaction,
        letter: Letter,
        verdict: Verdict,
        provider_name: str,
        text: str,
        *,
        now: datetime,
    ) -> Taken:
        """Note what came back of a letter that is certainly ours; `text` is fit to be kept."""
        if not self._is_first(session, letter, verdict.class_, now.date()):
            return Taken(KNOWN, verdict.class_, verdict.reason)
        week = str(letter.week) if letter.kind == ISSUE else str(Week.of(now.date()))
        count_outcome(session, week, letter.segment, verdict, provider_name)
        said = Saying(text, self.signs.links.pseudonym("saying", text.encode()))
        keep_saying(session, week, letter.segment, verdict.class_, said, today=now.date())
        if verdict.class_ is Class.BLOCK:
            _tell_of_block(session, week, letter.segment, verdict, provider_name, now)
        ended = self._follow(session, letter, verdict, now.date())
        return Taken(TAKEN, verdict.class_, verdict.reason, ended)

    def _is_first(self, session: Transaction, letter: Letter, class_: Class, today: date) -> bool:
        number = letter.number.to_bytes(3, "big")
        facts = letter.link_id + number + letter.segment.encode()
        row = {
            "letter": self.signs.links.pseudonym("letter", facts),
            "outcome": str(class_),
            "day": today,
        }
        return insert_if_absent(session, Returned, [row]) == 1

    def _follow(self, session: Transaction, letter: Letter, verdict: Verdict, today: date) -> bool:
        """Do to the reader what follows; return whether it ended them."""
        query = select(Subscriber.id).where(Subscriber.link_id == letter.link_id)
        subscriber_id = session.scalar(query.with_for_update())
        if subscriber_id is None:
            return False
        if letter.kind == ISSUE:
            reason = self._judged(session, subscriber_id, letter, verdict, today)
        else:
            reason = judge_service(verdict.class_, self.rules, sure=verdict.sure)
        if reason is None:
            return False
        days = timedelta(days=self.rules.dead_days)
        until = today + days if reason == DEAD else None
        end_keeping(session, subscriber_id, reason, until=until, today=today)
        return True

    def _judged(
        self,
        session: Transaction,
        subscriber_id: bytes,
        letter: Letter,
        verdict: Verdict,
        today: date,
    ) -> str | None:
        reader = self.signs.links.pseudonym("reader", letter.link_id)
        before = standing_of(session, reader)
        judged = judge_reader(
            before,
            verdict.class_,
            letter.number,
            self.rules,
            sure=verdict.sure,
            passed=passed_between(session, subscriber_id, before.week, letter.number),
            today=today,
        )
        remember(session, reader, judged.standing, today=today)
        return judged.ends


def _is_news(session: Session, letter: Letter, now: datetime) -> bool:
    """Tell whether the letter went lately: old tokens that come again are replays."""
    if letter.kind == ISSUE:
        mailing = mailing_of(session, letter.week, letter.segment)
        return mailing is not None and now - mailing.launched_at <= NEWS
    query = (
        select(ServiceLetter.nonce)
        .join(Subscriber, Subscriber.id == ServiceLetter.subscriber_id)
        .where(Subscriber.link_id == letter.link_id, ServiceLetter.kind == letter.kind)
    )
    begins = letter.number.to_bytes(3, "big")
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
        f"Letters of {week} to {segment} are refused because of us, not of their readers"
        f" ({verdict.reason}; {provider_name}). No reader is touched."
    )
    key = f"blocked-{week}-{segment}-{verdict.reason}-{provider_name}"
    alert(session, key, text, now=now)
