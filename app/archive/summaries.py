"""What an index needs of an issue: subjects, verdicts and titles, without the texts.

An outline is a pure function of the content, so it is kept by the content's hash: an index of ten
years must not read ten years of texts at every call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.archive.published import PublishedIssue
from app.issues.content import Commentary, IssueContent, Situation
from app.issues.models import Issue

KEPT_AT_MOST = 5_000  # issues, about a kilobyte each

_kept: dict[str, "Outlines"] = {}


@dataclass(frozen=True, slots=True)
class Summary:
    """A commentary without its texts. One that was withdrawn has no titles."""

    rubric: str
    situation: Situation
    titles: Mapping[str, str]


Outlines = tuple[Summary, ...]


def summary_of(commentary: Commentary) -> Summary:
    """Return what an index shows of a commentary."""
    titles = {language: text.title for language, text in commentary.texts.items()}
    return Summary(commentary.rubric, commentary.situation, titles)


def summaries(
    session: Session, launches: Sequence[PublishedIssue]
) -> list[tuple[PublishedIssue, Outlines]]:
    """Return the outline of each of these issues, in their order, as readers see them now."""
    looked_up = ((each.etag, _kept.get(each.etag)) for each in launches)
    known = {etag: found for etag, found in looked_up if found is not None}
    missing = {str(each.week) for each in launches if each.etag not in known}
    if missing:
        known |= _read(session, sorted(missing))
    return [(launch, _without_withdrawn(launch, known[launch.etag])) for launch in launches]


def _without_withdrawn(launch: PublishedIssue, found: Outlines) -> Outlines:
    withdrawn = launch.corrections.withdrawn
    if not withdrawn:
        return found
    return tuple(
        replace(each, titles={}) if number in withdrawn else each
        for number, each in enumerate(found, 1)
    )


def _read(session: Session, weeks: Sequence[str]) -> dict[str, Outlines]:
    rows = session.execute(select(Issue.etag, Issue.content).where(Issue.week.in_(weeks)))
    found = {}
    for etag, content in rows:
        commentaries = IssueContent.model_validate_json(content).commentaries
        found[etag] = tuple(summary_of(each) for each in commentaries)
    if len(_kept) > KEPT_AT_MOST:
        _kept.clear()
    _kept.update(found)
    return found
