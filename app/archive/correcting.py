"""Correcting what the archive shows: a new text with a dated note, or a commentary withdrawn.

No mailing changes: whoever has the message keeps it. Commentaries keep their number and their
places, because messages link to them; what was there before is kept for operators.
"""

from collections.abc import Mapping
from datetime import date, datetime

from app.archive.published import segments_shown
from app.database import Transaction
from app.editions.freezing import EditionContext, check_editions
from app.editions.lint.rules import Finding
from app.errors import DomainError
from app.issues.approval import IssueIncomplete
from app.issues.content import IssueContent, missing_alts, missing_texts
from app.issues.corrections import Corrections, Note, Withdrawn, check_note, check_number
from app.issues.drafting import check_match, content_of, find
from app.issues.models import Issue
from app.issues.versions import (
    CORRECTION,
    REINSTATEMENT,
    WITHDRAWAL,
    add_version,
    corrections_of,
)
from app.issues.week import Week
from app.newsletter import Segment


class NotInArchiveYet(DomainError):
    """The archive does not show this issue, so there is nothing to correct.

    Not approved: store another draft (`vestka issue put`). Approved and not launched: withdraw the
    approval first (`vestka issue withdraw`).
    """

    def __init__(self, week: Week) -> None:
        """Name the week."""
        super().__init__(
            f"The archive does not show {week}: it was not launched, or its mailing was taken back"
            " before anybody had it. Store another draft (`vestka issue put`); if it is approved,"
            f" withdraw that first (`vestka issue withdraw {week}`)."
        )


class CommentariesDiffer(DomainError):
    """A correction keeps the commentaries in their number and places: messages link to them."""

    def __init__(self, before: int) -> None:
        """Say how many there are."""
        super().__init__(
            f"content.commentaries: the issue has {before} and keeps them in their places, because"
            " messages link to them. To take one out, withdraw it.",
            field="content.commentaries",
        )


class CommentaryWithdrawn(DomainError):
    """This commentary is withdrawn already."""


class CommentaryShown(DomainError):
    """This commentary is not withdrawn."""


def correct(
    session: Transaction,
    context: EditionContext,
    content: IssueContent,
    note: Mapping[str, str],
    *,
    by: str,
    if_match: str | None = None,
    now: datetime,
) -> tuple[Issue, int, tuple[Finding, ...]]:
    """Show a new text, and a note on what was corrected.

    Return the issue, the number of the version, and what there is to warn of. Raises IssueUnknown,
    EtagDiffers, NotInArchiveYet, CommentariesDiffer, NoteMissing, IssueIncomplete, EditionFaulty,
    or what `add_version` raises.
    """
    issue, segments = _shown(session, context, content.week, if_match)
    check_note(note, "note", context.newsletter, segments)
    before = len(content_of(issue).commentaries)
    if len(content.commentaries) != before:
        raise CommentariesDiffer(before)
    earlier = corrections_of(issue)
    told = Note(day=now.date(), text=dict(note))
    corrections = earlier.model_copy(update={"notes": [*earlier.notes, told]})
    number = add_version(
        session,
        context.newsletter,
        issue,
        content,
        corrections,
        kind=CORRECTION,
        by=by,
        now=now,
    )
    _check_complete(content, segments)
    found = check_editions(session, context, content, segments)
    return issue, number, found


def withdraw_commentary(
    session: Transaction,
    context: EditionContext,
    week: Week,
    commentary: int,
    reason: Mapping[str, str],
    *,
    by: str,
    if_match: str | None = None,
    now: datetime,
) -> tuple[Issue, int]:
    """Show the reason in a commentary's place; return the issue, and the number of the version.

    Raises IssueUnknown, EtagDiffers, NotInArchiveYet, NoSuchCommentary, NoteMissing or
    CommentaryWithdrawn.
    """
    issue, segments = _shown(session, context, week, if_match)
    content, earlier = content_of(issue), corrections_of(issue)
    check_number(content, commentary, "withdraw")
    check_note(reason, "reason", context.newsletter, segments)
    if commentary in earlier.withdrawn:
        raise CommentaryWithdrawn(field="withdraw")
    why = _withdrawn(now.date(), reason)
    corrections = earlier.model_copy(update={"withdrawn": {**earlier.withdrawn, commentary: why}})
    facts = (session, context.newsletter, issue, content, corrections)
    return issue, add_version(*facts, kind=WITHDRAWAL, by=by, now=now)


def reinstate_commentary(
    session: Transaction,
    context: EditionContext,
    week: Week,
    commentary: int,
    note: Mapping[str, str],
    *,
    by: str,
    if_match: str | None = None,
    now: datetime,
) -> tuple[Issue, int]:
    """Show a withdrawn commentary again, and a note on that; return as `withdraw_commentary`.

    Raises what that raises, or CommentaryShown.
    """
    issue, segments = _shown(session, context, week, if_match)
    content, earlier = content_of(issue), corrections_of(issue)
    check_number(content, commentary, "reinstate")
    check_note(note, "note", context.newsletter, segments)
    if commentary not in earlier.withdrawn:
        raise CommentaryShown(field="reinstate")
    corrections = Corrections(
        notes=[*earlier.notes, Note(day=now.date(), text=dict(note))],
        withdrawn={key: why for key, why in earlier.withdrawn.items() if key != commentary},
    )
    facts = (session, context.newsletter, issue, content, corrections)
    return issue, add_version(*facts, kind=REINSTATEMENT, by=by, now=now)


def _withdrawn(day: date, reason: Mapping[str, str]) -> Withdrawn:
    return Withdrawn(day=day, reason=dict(reason))


def _shown(
    session: Transaction, context: EditionContext, week: Week, if_match: str | None
) -> tuple[Issue, list[Segment]]:
    """Lock the issue; return it, and the segments whose archive shows it."""
    issue = find(session, week, lock=True)
    check_match(issue, if_match)
    segments = [context.newsletter.segment(each) for each in segments_shown(session, week)]
    if not segments:
        raise NotInArchiveYet(week)
    return issue, segments


def _check_complete(content: IssueContent, segments: list[Segment]) -> None:
    gaps = {
        each.id: (*missing_texts(content, each), *missing_alts(content, each)) for each in segments
    }
    if missing := {segment: places for segment, places in gaps.items() if places}:
        raise IssueIncomplete(missing)
