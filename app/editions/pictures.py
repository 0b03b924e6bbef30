"""The photos of an issue in its letters: which version of each, so that all fit; by address.

What is chosen when an edition is frozen stays: a version never changes, and the issue holds it.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.editions.models import Edition
from app.errors import Refusal
from app.issues.content import IssueContent
from app.issues.models import PhotoVersion
from app.issues.photos import check_known, ids_in
from app.mail.pictures import LARGEST_ALL, Picture, travelling
from app.mail.templates import Rendered


class PicturesTooHeavy(Refusal):
    """The photos of this issue are too large for a letter, even at their smallest."""


Chosen = Mapping[str, int]
"""Of each photo, by its id, the step of its version."""


def content_id(photo_id: str) -> str:
    """Name the photo within a letter (RFC 2392): nothing in it is the reader's."""
    return f"{photo_id[:32]}@photo"


def chosen_for(session: Session, content: IssueContent) -> dict[str, int]:
    """Choose the versions for this issue's letters. Raises PhotoUnknown, PicturesTooHeavy."""
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
    """Return an edition as it was frozen, with its pictures."""
    rendered = Rendered(edition.subject, edition.html, edition.text)
    return replace(rendered, pictures=load(session, json.loads(edition.photos)))


def written(chosen: Chosen) -> str:
    """Write a choice down, for an edition."""
    return json.dumps(dict(chosen))


def standalone(rendered: Rendered) -> str:
    """Return the HTML with its pictures inside, for a browser that has no letter around it."""
    html = rendered.html
    for picture in rendered.pictures:
        data = f"data:{picture.media_type};base64,{b64encode(picture.content).decode('ascii')}"
        html = html.replace(f"cid:{picture.content_id}", data)
    return html
