"""The photos of an issue in its messages: inline, so that all fit, or hosted at one address.

What is chosen when an edition is frozen stays: a version never changes, and the issue holds it.
A hosted photo can be fetched from the launch on, so a message that goes before it carries its own.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.editions.models import Edition
from app.errors import DomainError
from app.issues.content import IssueContent
from app.issues.models import PhotoVersion
from app.issues.photos import check_known, hosted, ids_in
from app.mail.message.inline_images import LARGEST_ALL, Picture, travelling
from app.mail.message.templates import Rendered

_HOSTED = re.compile(r'src="[^"]*/photos/([0-9a-f]{64})\.[a-z]+"')


class PicturesTooHeavy(DomainError):
    """The photos of this issue are too large for a message, even at their smallest."""


Chosen = Mapping[str, int]
"""Of each photo, by its id, the step of its version."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo as the HTML shows it: where it is, and its size in pixels."""

    src: str
    width: int
    height: int


def content_id(photo_id: str) -> str:
    """Name the photo within a message (RFC 2392): nothing in it is the reader's."""
    return f"{photo_id[:32]}@photo"


def chosen_for(session: Session, content: IssueContent) -> dict[str, int]:
    """Choose the versions for this issue's messages. Raises PhotoUnknown, PicturesTooHeavy."""
    check_known(session, content)
    sizes: dict[str, list[int]] = {photo_id: [] for photo_id in ids_in(content)}
    query = select(PhotoVersion.photo_id, PhotoVersion.size).where(PhotoVersion.photo_id.in_(sizes))
    for row in session.execute(query.order_by(PhotoVersion.photo_id, PhotoVersion.step)):
        sizes[row.photo_id].append(travelling(row.size))
    return choose(sizes)


def choose(sizes: Mapping[str, Sequence[int]], room: int = LARGEST_ALL) -> dict[str, int]:
    """Choose a step for each photo so that all together have at most `room` bytes.

    `sizes` are those of each photo's versions, the best first. The heaviest gives way first.
    Raises PicturesTooHeavy.
    """
    steps = dict.fromkeys(sizes, 0)

    def weight(photo_id: str) -> int:
        return sizes[photo_id][steps[photo_id]]

    while sum(map(weight, steps)) > room:
        lighter = [each for each in steps if steps[each] + 1 < len(sizes[each])]
        if not lighter:
            raise PicturesTooHeavy
        steps[max(lighter, key=weight)] += 1
    return steps


def shown(session: Session, chosen: Chosen, photos_url: str | None = None) -> dict[str, Shown]:
    """Say how the HTML shows the photos: by `cid:`, or where they are below `photos_url`."""
    return {
        photo_id: Shown(
            f"cid:{content_id(photo_id)}" if photos_url is None else f"{photos_url}{each.path}",
            each.width,
            each.height,
        )
        for photo_id, each in hosted(session, chosen).items()
    }


def load(session: Session, chosen: Chosen) -> tuple[Picture, ...]:
    """Load the chosen versions, in the order of the issue."""
    if not chosen:
        return ()
    key = tuple_(PhotoVersion.photo_id, PhotoVersion.step)
    rows = session.scalars(select(PhotoVersion).where(key.in_(list(chosen.items()))))
    found = {row.photo_id: row for row in rows}
    return tuple(
        Picture(content_id(each), found[each].media_type, found[each].content) for each in chosen
    )


def frozen(session: Session, edition: Edition) -> Rendered:
    """Return an edition as it was frozen, with the pictures that its HTML shows by `cid:`."""
    return with_pictures(session, _as_it_stands(edition), json.loads(edition.photos))


def frozen_inside(session: Session, edition: Edition) -> Rendered:
    """Return a frozen edition that carries its photos, also those that readers will fetch."""
    return carrying(session, _as_it_stands(edition), json.loads(edition.photos))


def _as_it_stands(edition: Edition) -> Rendered:
    return Rendered(edition.subject, edition.html, edition.text)


def with_pictures(session: Session, rendered: Rendered, chosen: Chosen) -> Rendered:
    """Add the pictures that the HTML shows by `cid:`; others stay where they are."""
    inside = {
        each: step for each, step in chosen.items() if f"cid:{content_id(each)}" in rendered.html
    }
    return replace(rendered, pictures=load(session, inside))


def carrying(session: Session, rendered: Rendered, chosen: Chosen) -> Rendered:
    """Put hosted photos inside: before the launch, nobody could fetch them."""

    def by_cid(found: re.Match[str]) -> str:
        return f'src="cid:{content_id(found[1])}"' if found[1] in chosen else found[0]

    html = _HOSTED.sub(by_cid, rendered.html)
    return with_pictures(session, replace(rendered, html=html), chosen)


def written(chosen: Chosen) -> str:
    """Write a choice down, for an edition."""
    return json.dumps(dict(chosen))


def standalone(rendered: Rendered) -> str:
    """Return the HTML with its pictures inside, for a browser that has no message around it."""
    html = rendered.html
    for picture in rendered.pictures:
        data = f"data:{picture.media_type};base64,{b64encode(picture.content).decode('ascii')}"
        html = html.replace(f"cid:{picture.content_id}", data)
    return html
