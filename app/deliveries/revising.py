"""Revising a paused mailing's issue: a new edition for whoever has nothing yet.

None of the earlier edition goes once the new one is approved: the mailing is paused, no sender
holds a message of it (claims are counted under the mailing's lock), and what is claimed afterwards
is composed from the revision that the mailing names then.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from app.database import Database, Transaction
from app.deliveries.ledger.cancelling import excluded_by_cancelling
from app.deliveries.ledger.progress import as_record
from app.deliveries.ledger.states import CLAIMED, FAILED, OPEN, UNCERTAIN
from app.deliveries.recalling import MessagesClaimed, count_in, wait_until_released
from app.editions.freezing import EditionContext, freeze, newest_revision
from app.editions.lint.rules import Finding
from app.errors import DomainError
from app.issues.approval import IssueIncomplete, approved_segments
from app.issues.content import IssueContent, missing_alts, missing_texts
from app.issues.drafting import check_match, find
from app.issues.versions import REVISION, add_version, corrections_of
from app.issues.week import Week
from app.mailings.launch import find_mailing, mailing_of
from app.mailings.models import Mailing
from app.mailings.states import CANCELLED, PAUSED, RECALLED
from app.newsletter import Newsletter
from app.operators.audit import note


class NotPaused(DomainError):
    """Only a paused or cancelled mailing can be revised."""

    def __init__(self, mailing: Mailing) -> None:
        """Say its state, and what to do."""
        super().__init__(
            f"Mailing {mailing.id} is {mailing.state}; only one that is paused (or cancelled) can"
            f" be revised. {_way_on(mailing)}"
        )
        self.facts = {"state": mailing.state}


def _way_on(mailing: Mailing) -> str:
    if mailing.state == RECALLED:
        return "Its issue is open: store another draft (`vestka issue put`) and approve it."
    if mailing.finished_at is not None:
        return f"Correct what the archive shows (`vestka issue correct {mailing.week} FILE`)."
    return f"Pause it first (`vestka mailing pause {mailing.id}`)."


class NothingUnsent(DomainError):
    """Everybody has this mailing's message, so a revision would reach nobody."""

    def __init__(self, mailing: Mailing) -> None:
        """Say what to do instead."""
        super().__init__(
            f"Nobody waits for mailing {mailing.id} any more, so a revision would reach nobody."
            f" Correct what the archive shows (`vestka issue correct {mailing.week} FILE`)."
        )


def revise(
    session: Transaction,
    context: EditionContext,
    mailing_id: int,
    content: IssueContent,
    *,
    by: str,
    if_match: str | None = None,
    now: datetime,
) -> tuple[Mailing, tuple[Finding, ...]]:
    """Store and approve a new edition; return its mailing, and what there is to warn of.

    Other segments for which the issue is approved and not launched get it, too. Raises
    MailingUnknown, NotPaused, MessagesClaimed, NothingUnsent, EtagDiffers, IssueIncomplete,
    EditionFaulty, or what `add_version` raises.
    """
    week = Week.parse(find_mailing(session, mailing_id).week)
    issue = find(session, week, lock=True)
    check_match(issue, if_match)
    mailing = find_mailing(session, mailing_id, lock=True)
    _check_revisable(session, mailing, now)
    # The text is whole and new: what was withdrawn of the earlier one is not in it, or is meant.
    corrections = corrections_of(issue).model_copy(update={"withdrawn": {}})
    add_version(
        session, context.newsletter, issue, content, corrections, kind=REVISION, by=by, now=now
    )
    segments = [
        each
        for each in approved_segments(session, week)
        if each == mailing.segment or mailing_of(session, week, each) is None
    ]
    _check_complete(context.newsletter, content, segments)
    found = freeze(
        session,
        context.newsletter,
        week,
        segments,
        public_url=context.public_url,
        hosted=context.hosted,
        anew=True,
        now=now,
    )
    mailing.revision = newest_revision(session, mailing.week, mailing.segment)
    session.flush()
    return mailing, found


def _check_revisable(session: Transaction, mailing: Mailing, now: datetime) -> None:
    if mailing.state not in (PAUSED, CANCELLED):
        raise NotPaused(mailing)
    if claimed := count_in(session, mailing.id, CLAIMED):
        raise MessagesClaimed(mailing, claimed)
    if mailing.audience is None or count_in(session, mailing.id, *OPEN, UNCERTAIN, FAILED):
        return
    excluded = select(func.count()).where(*excluded_by_cancelling(mailing.id, now))
    if not session.scalar(excluded):
        raise NothingUnsent(mailing)


def _check_complete(newsletter: Newsletter, content: IssueContent, segments: Sequence[str]) -> None:
    wanted = [newsletter.segment(each) for each in segments]
    gaps = {
        each.id: (*missing_texts(content, each), *missing_alts(content, each)) for each in wanted
    }
    if missing := {segment: places for segment, places in gaps.items() if places}:
        raise IssueIncomplete(missing)


def revise_mailing(
    database: Database,
    context: EditionContext,
    mailing_id: int,
    content: IssueContent,
    *,
    by: str,
    if_match: str | None = None,
    now: datetime,
) -> tuple[dict[str, object], tuple[Finding, ...]]:
    """Revise a mailing once no sender holds messages of it; return its record, and the findings.

    A transaction of its own, because none may be open while it waits. Raises what `revise` raises.
    """
    with database.reading() as session:
        paused = find_mailing(session, mailing_id).state in (PAUSED, CANCELLED)
    if paused:
        wait_until_released(database, mailing_id)
    with database.transaction() as session:
        mailing, found = revise(
            session, context, mailing_id, content, by=by, if_match=if_match, now=now
        )
        said = f"{mailing_id}: {mailing.week} {mailing.segment} revision {mailing.revision}"
        note(session, by, "mailing revised", said, now=now)
        return as_record(session, mailing, now=now), found
