"""The archive's pages and feed: the same for everyone, so anyone may keep, index and quote them.

The language is the one in the address, else the segment's first; it is never negotiated, or one
address would be different pages. What was not sent is not there.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import HTMLResponse

from app.archive.feed import MEDIA_TYPE, NEWEST, write_feed
from app.archive.published import NotInArchive, PublishedIssue, content_at, launch_of, launches
from app.archive.summaries import summaries
from app.archive.view_models import headings, issue_views, notices
from app.issues.photos import Hosted, hosted, ids_in
from app.issues.week import NoSuchWeek, Week
from app.languages import week_range
from app.newsletter import Newsletter, Segment
from app.web.context import Here, Reading
from app.web.http_caching import cacheable
from app.web.pages import page

router = APIRouter(prefix="/archive", tags=["archive"], default_response_class=HTMLResponse)

Asked = Annotated[str | None, Query(description="without it, the first language of the segment")]
Year = Annotated[str | None, Query(description="as in 2025; without it, the newest one")]
_KEPT: dict[int | str, dict[str, Any]] = {
    304: {"description": "the client has it already"},
    404: {"description": "there is no such page", "content": {"text/html": {}}},
}
_FEED: dict[int | str, dict[str, Any]] = {
    200: {"description": "the feed", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


def find_segment(newsletter: Newsletter, name: str) -> Segment:
    """Return the segment of this id: one address per page. Raises NotInArchive."""
    for segment in newsletter.segments:
        if segment.id == name:
            return segment
    raise NotInArchive(field="segment")


def find_week(name: str) -> Week:
    """Read the week in an address. Raises NotInArchive."""
    try:
        return Week.parse(name)
    except NoSuchWeek:
        raise NotInArchive(field="week") from None


def _spoken(languages: tuple[str, ...], asked: str | None) -> str:
    if asked is None:
        return languages[0]
    if asked not in languages:
        raise NotInArchive(field="language")
    return asked


def _not_found(newsletter: Newsletter, asked: str | None) -> Response:
    spoken = asked if asked in newsletter.languages else newsletter.languages[0]
    return page("archive_not_found", spoken, status=404, switchable=False, newsletter=newsletter)


def _addresses(here: Here, segment: Segment, language: str, path: str = "") -> dict[str, Any]:
    archive = f"{here.settings.public_url}/archive/{segment.id}"
    return {
        "canonical": f"{archive}{path}?language={language}",
        "feed": f"/archive/{segment.id}/feed.xml?language={language}",
    }


@router.get("", responses=_KEPT)
def archive(request: Request, here: Here, language: Asked = None) -> Response:
    """Show which editions there are."""
    newsletter = here.newsletter
    try:
        spoken = _spoken(newsletter.languages, language)
    except NotInArchive:
        return _not_found(newsletter, language)
    segments = [(each, each.reading_language(spoken)) for each in newsletter.segments]
    answer = page("archive", spoken, public=True, newsletter=newsletter, segments=segments)
    return cacheable(request, answer, changed=None)


@router.get("/{segment}", responses=_KEPT)
def archive_segment(
    segment: str,
    request: Request,
    here: Here,
    session: Reading,
    language: Asked = None,
    year: Year = None,
) -> Response:
    """Show a segment's issues of one year, the newest first, with their titles."""
    try:
        found = find_segment(here.newsletter, segment)
        spoken = _spoken(found.languages, language)
        sent = launches(session, found.id)
        answer = _index(here, session, sent, found, spoken, year)
    except NotInArchive:
        return _not_found(here.newsletter, language)
    changed = max((launch.updated_at for launch in sent), default=None)
    return cacheable(request, answer, changed=changed)


def _index(
    here: Here,
    session: Reading,
    sent: list[PublishedIssue],
    segment: Segment,
    language: str,
    year: str | None,
) -> HTMLResponse:
    years = list(dict.fromkeys(str(each.week)[:4] for each in sent))
    if year is not None and year not in years:
        raise NotInArchive(field="year")
    chosen = year or next(iter(years), None)
    shown = [each for each in sent if str(each.week)[:4] == chosen]
    issues = [
        {
            "week": str(launch.week),
            "days": week_range(launch.week.monday, launch.week.sunday, language),
            "headings": headings(told, segment, language, here.newsletter),
        }
        for launch, told in summaries(session, shown)
    ]
    return page(
        "archive_segment",
        language,
        public=True,
        newsletter=here.newsletter,
        offered=segment.languages,
        also=f"year={year}&" if year else "",
        segment=segment,
        issues=issues,
        year=chosen,
        years=years,
        **_addresses(here, segment, language),
    )


@router.get("/{segment}/feed.xml", response_class=Response, responses={**_KEPT, **_FEED})
def archive_feed(
    segment: str, request: Request, here: Here, session: Reading, language: Asked = None
) -> Response:
    """Return the newest issues as an Atom feed (RFC 4287)."""
    try:
        found = find_segment(here.newsletter, segment)
        spoken = _spoken(found.languages, language)
    except NotInArchive:
        return _not_found(here.newsletter, language)
    newest = launches(session, found.id)[:NEWEST]
    issues = [(launch, content_at(session, launch)) for launch in newest]
    photos: dict[str, Hosted] = {}
    for _, content in issues:
        photos |= hosted(session, ids_in(content))
    url = here.settings.public_url
    xml = write_feed(issues, found, spoken, here.newsletter, url, photos)
    answer = Response(xml, media_type=MEDIA_TYPE, headers={"Content-Language": spoken})
    changed = max((launch.updated_at for launch in newest), default=None)
    return cacheable(request, answer, changed=changed)


@router.get("/{segment}/{week}", responses=_KEPT)
def archive_issue(
    segment: str,
    week: str,
    request: Request,
    here: Here,
    session: Reading,
    language: Asked = None,
) -> Response:
    """Show one issue, whole."""
    try:
        found = find_segment(here.newsletter, segment)
        spoken = _spoken(found.languages, language)
        launch = launch_of(session, found.id, find_week(week))
    except NotInArchive:
        return _not_found(here.newsletter, language)
    content = content_at(session, launch)
    answer = page(
        "archive_issue",
        spoken,
        public=True,
        newsletter=here.newsletter,
        offered=found.languages,
        segment=found,
        days=week_range(launch.week.monday, launch.week.sunday, spoken),
        issue_views=issue_views(
            content,
            found,
            spoken,
            here.newsletter,
            hosted(session, ids_in(content)),
            launch.corrections,
        ),
        notices=notices(launch.corrections, found, spoken),
        **_addresses(here, found, spoken, f"/{launch.week}"),
    )
    return cacheable(request, answer, changed=launch.updated_at)
