"""Photos in editions: all fit, all are described, and none changes once it is frozen."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.database import Database, Transaction
from app.deliveries.compose.composing import SAMPLE, compiled_edition
from app.deliveries.compose.message_headers import SenderIdentity
from app.editions.freezing import freeze
from app.editions.models import Edition
from app.editions.pictures import (
    PicturesTooHeavy,
    carrying,
    choose,
    content_id,
    frozen,
    standalone,
)
from app.editions.preview import preview
from app.issues.approval import approve
from app.issues.content import IssueContent
from app.issues.decoding import Decoded, decode
from app.issues.drafting import store
from app.issues.models import PhotoVersion
from app.issues.photos import keep
from app.mail.message.inline_images import LARGEST_ALL, travelling
from app.mail.message.templates import Rendered
from app.mailings.withdrawal import withdraw
from app.web.context import AppContext
from tests.support.builders import NEWSLETTER, PUBLIC_URL, WEEK, a_document
from tests.support.clock import MONDAY
from tests.support.photos import a_noisy_photo, a_photo

ALT = {"en": 'A "street" <in> winter', "be": "Вуліца", "ru": "Улица"}
EN = NEWSLETTER.segment("en")
BE_RU = NEWSLETTER.segment("be-ru")


@pytest.fixture(scope="module")
def decoded() -> Decoded:
    return decode(a_photo())


@pytest.fixture(scope="module")
def noisy() -> Decoded:
    return decode(a_noisy_photo())


def a_shown_photo(session: Transaction, *photos: Decoded) -> list[str]:
    """Store an issue whose commentaries show these photos."""
    ids = [keep(session, each, today=MONDAY.date())[0].id for each in photos]
    document = a_document()
    (only,) = document["commentaries"]
    document["commentaries"] = [
        only | {"photo": {"credit": "B. Photographer", "alt": ALT, "id": each}} for each in ids
    ]
    store(session, NEWSLETTER, WEEK, IssueContent.model_validate(document), now=MONDAY)
    return ids


def approved(session: Transaction, *, hosted: bool = False) -> dict[str, Edition]:
    segments = approve(session, NEWSLETTER, WEEK, None, by="editor", now=MONDAY)
    freeze(session, NEWSLETTER, WEEK, segments, public_url=PUBLIC_URL, hosted=hosted, now=MONDAY)
    return {each.language: each for each in session.scalars(select(Edition))}


def look(session: Transaction, language: str = "be", *, hosted: bool = False) -> Rendered:
    segment = EN if language == "en" else BE_RU
    return preview(
        session,
        NEWSLETTER,
        WEEK,
        segment,
        public_url=PUBLIC_URL,
        hosted=hosted,
        language=language,
    )


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=3),
        st.lists(st.integers(1, 200), min_size=1, max_size=5).map(
            lambda sizes: sorted(sizes, reverse=True)
        ),
        max_size=6,
    ),
    st.integers(1, 500),
)
def test_what_is_chosen_fits_or_nothing_would(sizes: dict[str, list[int]], room: int) -> None:
    try:
        chosen = choose(sizes, room)
    except PicturesTooHeavy:
        assert sum(each[-1] for each in sizes.values()) > room
    else:
        assert chosen.keys() == sizes.keys()
        assert sum(sizes[each][step] for each, step in chosen.items()) <= room
        if sum(each[0] for each in sizes.values()) <= room:
            assert set(chosen.values()) <= {0}


def test_an_issue_without_photos_chooses_nothing() -> None:
    assert choose({}) == {}


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_a_draft_and_its_edition_show_the_same(
    database: Database, decoded: Decoded, language: str
) -> None:
    with database.transaction() as session:
        (photo_id,) = a_shown_photo(session, decoded)
        draft = look(session, language)
        edition = approved(session)[language]
        assert frozen(session, edition) == draft == look(session, language)
    assert [each.content_id for each in draft.pictures] == [content_id(photo_id)]
    assert draft.pictures[0].content == decoded.message[0].content
    assert f'src="cid:{content_id(photo_id)}"' in draft.html
    assert 'width="536" height="357"' in draft.html
    assert ALT[language] in draft.text


def test_a_description_is_escaped_and_says_its_language(
    database: Database, decoded: Decoded
) -> None:
    with database.transaction() as session:
        a_shown_photo(session, decoded)
        html = look(session, "en").html
    assert "<in>" not in html
    assert "&lt;in&gt;" in html


def test_the_message_carries_the_photo(
    database: Database, decoded: Decoded, installation: AppContext
) -> None:
    with database.transaction() as session:
        a_shown_photo(session, decoded)
        rendered = frozen(session, approved(session)["be"])
    post = SenderIdentity.of(installation.settings, NEWSLETTER)
    raw = compiled_edition(post, rendered, "be-ru", "be", WEEK).fill(SAMPLE)
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    (picture,) = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert picture.get_payload(decode=True) == decoded.message[0].content


def test_one_photo_shown_twice_travels_once(database: Database, decoded: Decoded) -> None:
    with database.transaction() as session:
        a_shown_photo(session, decoded, decoded)
        rendered = look(session)
        approved(session)
    assert rendered.html.count("cid:") == 2
    assert len(rendered.pictures) == 1


def test_heavy_photos_give_way(
    database: Database, decoded: Decoded, noisy: Decoded, installation: AppContext
) -> None:
    heavy = travelling(len(noisy.message[0].content))
    assert heavy > LARGEST_ALL  # or this test shows nothing
    with database.transaction() as session:
        light_id, heavy_id = a_shown_photo(session, decoded, noisy)
        edition = approved(session)["be"]
        rendered = frozen(session, edition)
        chosen = json.loads(edition.photos)
    assert chosen[heavy_id] > chosen[light_id] == 0
    assert sum(travelling(len(each.content)) for each in rendered.pictures) <= LARGEST_ALL
    compiled_edition(
        SenderIdentity.of(installation.settings, NEWSLETTER), rendered, "be-ru", "be", WEEK
    )


def test_photos_that_cannot_fit_block_the_approval(database: Database, noisy: Decoded) -> None:
    with database.transaction() as session:
        a_shown_photo(session, noisy)
        session.execute(delete(PhotoVersion).where(PhotoVersion.step > 0))
        with pytest.raises(PicturesTooHeavy):
            approved(session)


def test_a_withdrawn_issue_may_show_another_photo(
    database: Database, decoded: Decoded, noisy: Decoded
) -> None:
    with database.transaction() as session:
        a_shown_photo(session, decoded)
        approved(session)
    with database.transaction() as session:
        withdraw(session, WEEK)
        (other,) = a_shown_photo(session, noisy)
        assert list(json.loads(approved(session)["en"].photos)) == [other]


def test_for_a_browser_the_pictures_are_in_the_page(database: Database, decoded: Decoded) -> None:
    with database.transaction() as session:
        a_shown_photo(session, decoded)
        page = standalone(look(session))
    assert "cid:" not in page
    assert 'src="data:image/jpeg;base64,/9j/' in page


def test_a_hosted_photo_has_one_address_for_all_and_does_not_travel(
    database: Database, decoded: Decoded, installation: AppContext
) -> None:
    with database.transaction() as session:
        (photo_id,) = a_shown_photo(session, decoded)
        edition = approved(session, hosted=True)["be"]
        rendered = frozen(session, edition)
    assert f'src="{PUBLIC_URL}/photos/{photo_id}.jpg"' in rendered.html
    assert rendered.pictures == ()
    assert "cid:" not in rendered.html
    raw = compiled_edition(
        SenderIdentity.of(installation.settings, NEWSLETTER), rendered, "be-ru", "be", WEEK
    ).fill(SAMPLE)
    message = message_from_bytes(raw, policy=policy.default)
    assert [each.get_content_type() for each in message.walk()] == [
        *("multipart/alternative", "text/plain", "text/html")
    ]


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_a_message_says_whether_its_photos_are_fetched(
    database: Database, decoded: Decoded, language: str
) -> None:
    with database.transaction() as session:
        a_shown_photo(session, decoded)
        (inside, fetched) = (look(session, language, hosted=each) for each in (False, True))
    said = set(fetched.text.splitlines()) - set(inside.text.splitlines())
    assert len(said) == 1
    translated = {
        "en": "from our site",
        "be": "з\N{NO-BREAK SPACE}нашага сайта",
        "ru": "с\N{NO-BREAK SPACE}нашего сайта",
    }
    assert translated[language] in said.pop()
    assert translated[language] in fetched.html
    assert translated[language] not in inside.html


def test_what_goes_before_the_launch_carries_its_hosted_photos(
    database: Database, decoded: Decoded
) -> None:
    """Nobody can fetch them yet, and a message never shows a broken picture."""
    with database.transaction() as session:
        (photo_id,) = a_shown_photo(session, decoded)
        draft = look(session, hosted=True)
        approved(session, hosted=True)
        assert look(session, hosted=True) == draft
    assert f'src="cid:{content_id(photo_id)}"' in draft.html
    assert f"/photos/{photo_id}" not in draft.html
    assert len(draft.pictures) == 1


def test_a_photo_of_another_issue_is_left_alone(database: Database, decoded: Decoded) -> None:
    other = f'<img src="{PUBLIC_URL}/photos/{"0" * 64}.jpg" alt="" />'
    with database.transaction() as session:
        (photo_id,) = a_shown_photo(session, decoded)
        assert carrying(session, Rendered("s", other, "t"), {photo_id: 0}).html == other


def test_what_was_frozen_stays_when_the_setting_changes(
    database: Database, decoded: Decoded
) -> None:
    with database.transaction() as session:
        a_shown_photo(session, decoded)
        edition = approved(session)["be"]
        assert look(session, hosted=True) == look(session) == frozen(session, edition)
