"""The Atom feed of a segment in one language (RFC 4287): the newest issues, whole.

The ids never change (§4.2.6): they are made of the newsletter's website, the segment, the language
and the week, and not of where this service happens to stand.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from app.archive.published import PublishedIssue
from app.archive.view_models import IssueView, Notice, issue_views, notices
from app.issues.content import IssueContent
from app.issues.photos import Hosted
from app.languages import week_range
from app.newsletter import Newsletter, Segment
from app.web.pages import environment

NEWEST = 10  # issues
MEDIA_TYPE = "application/atom+xml"

_BEFORE_THE_FIRST = datetime(1970, 1, 1, tzinfo=UTC)  # an empty feed needs a date, too
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2


@dataclass(frozen=True, slots=True)
class Entry:
    """One issue in the feed."""

    id: str
    title: str
    at: str
    updated: str
    url: str
    authors: tuple[str, ...]
    issue_views: Sequence[IssueView]
    notices: Sequence[Notice]


def write_feed(
    issues: Sequence[tuple[PublishedIssue, IssueContent]],
    segment: Segment,
    language: str,
    newsletter: Newsletter,
    public_url: str,
    photos: Mapping[str, Hosted] | None = None,
) -> str:
    """Write the feed of these issues, the newest first; `photos` are theirs, by id."""
    at = max((launch.updated_at for launch, _ in issues), default=_BEFORE_THE_FIRST)
    archive = f"{public_url}/archive/{segment.id}"
    place = (newsletter.website, segment.id, language)
    entries = []
    for launch, content in issues:
        url = f"{archive}/{launch.week}?language={language}"
        shown = issue_views(content, segment, language, newsletter, photos, launch.corrections)
        told = notices(launch.corrections, segment, language)
        id_ = _id(*place, str(launch.week))
        entries.append(_entry(launch, shown, told, language, url=url, id_=id_))
    xml = (
        environment(language)
        .get_template("feed.xml.j2")
        .render(
            id=_id(*place),
            newsletter=newsletter,
            segment=segment,
            language=language,
            at=_rfc3339(at),
            archive=archive,
            public_url=public_url,
            entries=entries,
        )
    )
    return _NOT_XML.sub("", xml)


def _entry(
    launch: PublishedIssue,
    shown: Sequence[IssueView],
    told: Sequence[Notice],
    language: str,
    *,
    url: str,
    id_: str,
) -> Entry:
    return Entry(
        id=id_,
        title=week_range(launch.week.monday, launch.week.sunday, language),
        at=_rfc3339(launch.launched_at),
        updated=_rfc3339(launch.updated_at),
        url=url,
        authors=tuple(dict.fromkeys(each.author for each in shown if each.author)),
        issue_views=shown,
        notices=told,
    )


def _id(website: str, *names: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, '/'.join((website.rstrip('/'), *names)))}"


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
