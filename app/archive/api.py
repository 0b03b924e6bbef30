"""The archive as JSON, and the situation week by week; any website may read and show it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.archive.pages import find_segment, find_week
from app.archive.published import PublishedIssue, content_at, launch_of, launches
from app.archive.schemas import (
    SentCommentary,
    SentHeading,
    SentIssue,
    SentIssues,
    SentNote,
    SentPhoto,
    SentSummary,
    SentText,
    Situations,
)
from app.archive.situations import situations
from app.archive.summaries import summaries
from app.issues.content import Commentary, Photo
from app.issues.corrections import Withdrawn
from app.issues.markup import to_html
from app.issues.photos import Hosted, hosted, ids_in
from app.issues.week import NoSuchWeek, Week
from app.newsletter import Segment, UnknownRubric
from app.web.context import Here, Reading
from app.web.http_caching import cacheable
from app.web.openapi import WEEK, names
from app.web.problems import MEDIA_TYPE as PROBLEM

router = APIRouter(prefix="/v1", tags=["archive"])

_Week = Annotated[str, Field(json_schema_extra=WEEK)]
From = Annotated[_Week | None, Query(alias="from", description="the first week")]
To = Annotated[_Week | None, Query(description="the last week")]
Rubric = Annotated[str, Field(json_schema_extra=names("rubrics"))]
_KEPT: dict[int | str, dict[str, Any]] = {304: {"description": "the client has it already"}}
_FOUND: dict[int | str, dict[str, Any]] = {
    **_KEPT,
    404: {"description": "the archive has nothing of this name", "content": {PROBLEM: {}}},
}


def _answer(request: Request, body: BaseModel, sent: list[PublishedIssue]) -> Response:
    # Public and without cookies, so any page may read it; and one answer for all keeps `Vary` away.
    headers = {"Access-Control-Allow-Origin": "*"}
    answer = Response(body.model_dump_json(), media_type="application/json", headers=headers)
    changed = max((launch.updated_at for launch in sent), default=None)
    return cacheable(request, answer, changed=changed)


def _week(name: str | None, field: str) -> Week | None:
    try:
        return None if name is None else Week.parse(name)
    except NoSuchWeek:
        raise NoSuchWeek(field=field) from None


@router.get("/archive/{segment}", response_model=SentIssues, responses=_FOUND)
def get_issues(
    segment: str,
    request: Request,
    here: Here,
    session: Reading,
    first: From = None,
    to: To = None,
) -> Response:
    """Return the issues sent to a segment, the newest first, with their titles."""
    found = find_segment(here.newsletter, segment)
    sent = launches(session, found.id, first=_week(first, "from"), last=_week(to, "to"))
    issues = [
        SentSummary(
            **_days(launch),
            commentaries=[
                SentHeading(
                    rubric=each.rubric,
                    situation=each.situation,
                    titles={lang: each.titles[lang] for lang in _read_in(found, each.titles)},
                )
                for each in told
                if each.titles
            ],
        )
        for launch, told in summaries(session, sent)
    ]
    body = SentIssues(segment=found.id, languages=list(found.languages), issues=issues)
    return _answer(request, body, sent)


@router.get("/archive/{segment}/{week}", response_model=SentIssue, responses=_FOUND)
def get_issue(segment: str, week: str, request: Request, here: Here, session: Reading) -> Response:
    """Return one issue in the languages of the segment."""
    found = find_segment(here.newsletter, segment)
    launch = launch_of(session, found.id, find_week(week))
    content = content_at(session, launch)
    photos, url = hosted(session, ids_in(content)), here.settings.public_url
    withdrawn = launch.corrections.withdrawn
    shown = [
        _commentary(each, found, photos, url)
        if number not in withdrawn
        else _withdrawn(each, withdrawn[number], found)
        for number, each in enumerate(content.commentaries, 1)
    ]
    notes = [
        SentNote(day=each.day, text={lang: each.text[lang] for lang in _read_in(found, each.text)})
        for each in launch.corrections.notes
    ]
    body = SentIssue(segment=found.id, **_days(launch), corrections=notes, commentaries=shown)
    return _answer(request, body, [launch])


@router.get("/situation", response_model=Situations, responses=_KEPT)
def get_situation(
    request: Request,
    here: Here,
    session: Reading,
    rubric: Annotated[Rubric | None, Query(description="only this one")] = None,
    first: From = None,
    to: To = None,
) -> Response:
    """Return what was said of every rubric, week by week, the newest first."""
    rubrics = [each for each in here.newsletter.rubrics if rubric in (None, each.id)]
    if not rubrics:
        raise UnknownRubric(field="rubric")
    sent = launches(session, first=_week(first, "from"), last=_week(to, "to"))
    body = situations(summaries(session, sent), here.newsletter, rubrics)
    return _answer(request, body, sent)


def _days(launch: PublishedIssue) -> dict[str, Any]:
    return {
        "week": str(launch.week),
        "first_day": launch.week.monday,
        "last_day": launch.week.sunday,
        "launched_at": launch.launched_at,
        "updated_at": launch.updated_at,
    }


def _read_in(segment: Segment, texts: Any) -> list[str]:
    return [language for language in segment.languages if language in texts]


def _commentary(
    commentary: Commentary, segment: Segment, photos: Mapping[str, Hosted], public_url: str
) -> SentCommentary:
    texts = {
        language: commentary.texts[language] for language in _read_in(segment, commentary.texts)
    }
    return SentCommentary(
        rubric=commentary.rubric,
        situation=commentary.situation,
        author=commentary.author,
        photo=_photo(commentary.photo, segment, photos, public_url),
        texts={
            language: SentText(title=text.title, body=text.body, html=to_html(text.body))
            for language, text in texts.items()
        },
        withdrawn=None,
    )


def _withdrawn(commentary: Commentary, why: Withdrawn, segment: Segment) -> SentCommentary:
    """Leave nothing of what it said but its rubric."""
    reason = {language: why.reason[language] for language in _read_in(segment, why.reason)}
    return SentCommentary(
        rubric=commentary.rubric,
        situation=None,
        author=None,
        photo=None,
        texts={},
        withdrawn=SentNote(day=why.day, text=reason),
    )


def _photo(
    photo: Photo | None, segment: Segment, photos: Mapping[str, Hosted], public_url: str
) -> SentPhoto | None:
    if photo is None:
        return None
    alt = photo.alt or {}
    shown = photos.get(photo.id or "")
    return SentPhoto(
        credit=photo.credit,
        alt={language: alt[language] for language in _read_in(segment, alt)},
        url=f"{public_url}{shown.path}" if shown else None,
        width=shown.width if shown else None,
        height=shown.height if shown else None,
    )
