"""Photos are kept once, and held fast by the issues that show them."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import func, select

from app.database import Database
from app.issues.approval import IssueIncomplete, approve
from app.issues.content import IssueContent, missing_alts
from app.issues.decoding import Decoded, decode
from app.issues.drafting import delete, store
from app.issues.models import Issue, IssuePhoto, Photo, PhotoVersion
from app.issues.photos import (
    Hosted,
    PhotoInUse,
    PhotoNotKept,
    PhotoUnknown,
    delete_photo,
    find_photo,
    hosted,
    keep,
    list_photos,
)
from tests.support.builders import NEWSLETTER, WEEK, a_document
from tests.support.clock import MONDAY
from tests.support.photos import a_photo

TODAY = MONDAY.date()
ALT = {"en": "A street", "be": "Вуліца", "ru": "Улица"}


@pytest.fixture(scope="module")
def decoded() -> Decoded:
    return decode(a_photo())


def kept(database: Database, decoded: Decoded) -> str:
    with database.transaction() as session:
        return keep(session, decoded, today=TODAY)[0].id


def showing(photo_id: str | None, alt: dict[str, str] | None = None, **more: Any) -> IssueContent:
    document = a_document(**more)
    photo: dict[str, Any] = {"credit": "B. Photographer"}
    photo |= {"id": photo_id} if photo_id else {}
    photo |= {"alt": alt} if alt else {}
    document["commentaries"][0]["photo"] = photo
    return IssueContent.model_validate(document)


def stored(database: Database, content: IssueContent) -> None:
    with database.transaction() as session:
        store(session, NEWSLETTER, WEEK, content, now=MONDAY)


def test_a_photo_is_named_by_its_bytes_and_kept_once(database: Database, decoded: Decoded) -> None:
    with database.transaction() as session:
        photo, new = keep(session, decoded, today=TODAY)
        assert new
        assert photo.id == hashlib.sha256(photo.content).hexdigest()
    with database.transaction() as session:
        again, new = keep(session, decoded, today=TODAY)
        assert not new
        assert again.id == photo.id
        assert again.content == decoded.page.content
        assert session.scalar(select(func.count()).select_from(PhotoVersion)) == 5
        assert [row.id for row in list_photos(session)] == [photo.id]
        there = Hosted(f"/photos/{photo.id}.jpg", 900, 600)
        assert hosted(session, [photo.id, "x"]) == {photo.id: there}


def test_a_photo_that_is_not_kept_is_refused_by_its_place(
    database: Database, decoded: Decoded
) -> None:
    kept(database, decoded)
    with pytest.raises(PhotoUnknown) as refused:
        stored(database, showing("0" * 64, ALT))
    assert refused.value.field == "commentaries.0.photo.id"
    with database.reading() as session:
        assert session.scalars(select(Issue)).all() == []
        with pytest.raises(PhotoNotKept):
            find_photo(session, "0" * 64)


def test_a_photo_is_held_as_long_as_an_issue_shows_it(database: Database, decoded: Decoded) -> None:
    photo_id = kept(database, decoded)
    stored(database, showing(photo_id, ALT))
    with pytest.raises(PhotoInUse), database.transaction() as session:
        delete_photo(session, photo_id)
    stored(database, showing(None))
    with database.transaction() as session:
        assert session.scalars(select(IssuePhoto)).all() == []
        delete_photo(session, photo_id)
    with database.reading() as session:
        assert session.scalars(select(Photo)).all() == []
        assert session.scalars(select(PhotoVersion)).all() == []
    with pytest.raises(PhotoNotKept), database.transaction() as session:
        delete_photo(session, photo_id)


def test_a_deleted_draft_lets_go_of_its_photos(database: Database, decoded: Decoded) -> None:
    photo_id = kept(database, decoded)
    stored(database, showing(photo_id, ALT))
    with database.transaction() as session:
        delete(session, WEEK)
        delete_photo(session, photo_id)


def test_a_photo_of_an_approved_issue_cannot_be_deleted(
    database: Database, decoded: Decoded
) -> None:
    photo_id = kept(database, decoded)
    stored(database, showing(photo_id, ALT))
    with database.transaction() as session:
        approve(session, NEWSLETTER, WEEK, None, by="editor", now=MONDAY)
    with pytest.raises(PhotoInUse), database.transaction() as session:
        delete_photo(session, photo_id)


def test_a_photo_without_a_description_is_not_approved(
    database: Database, decoded: Decoded
) -> None:
    stored(database, showing(kept(database, decoded), {"en": "A street", "be": "Вуліца"}))
    with pytest.raises(IssueIncomplete) as refused, database.transaction() as session:
        approve(session, NEWSLETTER, WEEK, None, by="editor", now=MONDAY)
    assert refused.value.facts == {"missing": {"be-ru": ["commentaries.0.photo.alt.ru"]}}
    with database.transaction() as session:
        approve(session, NEWSLETTER, WEEK, ["en"], by="editor", now=MONDAY)


def test_descriptions_are_wanted_in_the_languages_of_the_texts() -> None:
    be_ru = NEWSLETTER.segment("be-ru")
    only_ru = showing("a", {"ru": "Улица"}, languages=("en", "ru"))
    assert missing_alts(only_ru, be_ru) == ()
    assert missing_alts(showing("a"), be_ru) == (
        "commentaries.0.photo.alt.be",
        "commentaries.0.photo.alt.ru",
    )
    assert missing_alts(showing(None), be_ru) == ()
