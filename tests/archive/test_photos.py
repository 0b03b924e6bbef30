"""Photos on the readers' port: shown wherever their issue is, at one address, and only then."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient
from playwright import sync_api

from app.archive.schemas import SentIssue
from app.archive.view_models import issue_views
from app.database import Database
from app.issues.content import IssueContent
from app.issues.decoding import Decoded, decode
from app.issues.photos import hosted, ids_in, keep
from app.mailings.control import cancel
from tests.archive.rows import FIRST, SECOND, approved, sent, stored
from tests.support.browser import Browser
from tests.support.builders import NEWSLETTER, PUBLIC_URL
from tests.support.clock import MONDAY
from tests.support.photos import a_photo, a_scene, encoded

ALT = {"en": 'A "street" <in> winter', "be": "Вуліца", "ru": "Улица"}
ATOM = "{http://www.w3.org/2005/Atom}"
BE_RU = NEWSLETTER.segment("be-ru")


@pytest.fixture(scope="module")
def decoded() -> Decoded:
    return decode(a_photo())


@pytest.fixture
def kept(database: Database, decoded: Decoded) -> str:
    with database.transaction() as session:
        return keep(session, decoded, today=MONDAY.date())[0].id


def shown(photo_id: str, told: dict[str, Any] = FIRST) -> dict[str, Any]:
    """A commentary with this photo."""
    return {**told, "photo": {"credit": "Photo <Agency>", "alt": ALT, "id": photo_id}}


class Images(HTMLParser):
    """What a page shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[dict[str, str | None]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.seen.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_photo_is_there_once_its_issue_was_launched(
    database: Database, readers: TestClient, kept: str
) -> None:
    path = f"/photos/{kept}.jpg"
    with database.transaction() as session:
        approved(session, stored(session, "2025-W04", shown(kept)), "en")
    assert readers.get(path).status_code == 404
    with database.transaction() as session:
        (mailing,) = sent(session, "2025-W05", shown(kept), segments=("en",))
    answer = readers.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8\xff")
    with database.transaction() as session:
        cancel(session, mailing.id, now=MONDAY)
    assert readers.get(path).status_code == 404, "taken back before anybody had it"


def test_it_may_be_kept_and_is_the_same_for_everyone(
    database: Database, readers: TestClient, kept: str
) -> None:
    with database.transaction() as session:
        sent(session, "2025-W04", shown(kept))
    one = readers.get(f"/photos/{kept}.jpg")
    assert one.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "set-cookie" not in one.headers
    assert "vary" not in one.headers
    asked = {"Origin": "https://other.example.com", "Cookie": "a=b", "Accept-Language": "ru"}
    other = readers.get(f"/photos/{kept}.jpg", headers=asked)
    assert (other.content, other.headers) == (one.content, one.headers)
    again = readers.get(f"/photos/{kept}.jpg", headers={"If-None-Match": one.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == one.headers["cache-control"]


def test_no_other_name_is_there(database: Database, readers: TestClient, kept: str) -> None:
    with database.transaction() as session:
        sent(session, "2025-W04", shown(kept))
    for name in (kept, f"{kept}.png", f"{kept}.jpg.x", f"{kept[:-1]}.jpg", f"{kept}.", "%00"):
        assert readers.get(f"/photos/{name}").status_code == 404


def test_a_page_shows_it_with_its_description_and_credit(
    database: Database, readers: TestClient, kept: str
) -> None:
    with database.transaction() as session:
        sent(session, "2025-W04", shown(kept), SECOND)
    for path, alt in (
        ("/archive/en/2025-W04", ALT["en"]),
        ("/archive/be-ru/2025-W04", ALT["be"]),
        ("/archive/be-ru/2025-W04?language=ru", ALT["ru"]),
    ):
        page = Images(readers.get(path).text)
        assert page.seen == [
            {"src": f"/photos/{kept}.jpg", "alt": alt, "width": "900", "height": "600"}
        ]
        assert page.words.count("Photo <Agency>") == 1
        assert readers.get(str(page.seen[0]["src"])).status_code == 200


def test_a_png_has_the_ending_of_a_png(database: Database, readers: TestClient) -> None:
    few_colours = decode(encoded(a_scene(60, 40).quantize(4), "PNG"))
    with database.transaction() as session:
        photo = keep(session, few_colours, today=MONDAY.date())[0]
        assert photo.media_type == "image/png"
        sent(session, "2025-W04", shown(photo.id))
    (image,) = Images(readers.get("/archive/en/2025-W04").text).seen
    assert image["src"] == f"/photos/{photo.id}.png"
    assert readers.get(str(image["src"])).headers["content-type"] == "image/png"


def test_a_photo_that_is_only_credited_shows_no_picture(
    database: Database, readers: TestClient
) -> None:
    with database.transaction() as session:
        sent(session)
    page = Images(readers.get("/archive/en/2025-W04").text)
    assert page.seen == []
    assert page.words.count("Photo <Agency>") == 1


def test_a_description_in_another_language_is_marked(
    database: Database, decoded: Decoded, kept: str
) -> None:
    content = IssueContent.model_validate(
        {"week": "2025-W04", "commentaries": [shown(kept, SECOND)]}
    )
    with database.reading() as session:
        photos = hosted(session, ids_in(content))
    for language, lang in (("be", None), ("ru", "be")):
        (reading,) = issue_views(content, BE_RU, language, NEWSLETTER, photos)
        assert reading.picture is not None
        assert (reading.picture.alt, reading.picture.lang) == (ALT["be"], lang)


def test_the_feed_shows_it_at_a_whole_address(
    database: Database, readers: TestClient, kept: str
) -> None:
    with database.transaction() as session:
        sent(session, "2025-W03", shown(kept), now=MONDAY - timedelta(days=7))
        sent(session, "2025-W04", SECOND)
    feed = ET.fromstring(readers.get("/archive/en/feed.xml").text)
    newest, older = (
        Images(each.findtext(f"{ATOM}content") or "") for each in feed.iter(f"{ATOM}entry")
    )
    assert newest.seen == []
    (image,) = older.seen
    assert image["src"] == f"{PUBLIC_URL}/photos/{kept}.jpg"
    assert (image["alt"], image["width"], image["height"]) == (ALT["en"], "900", "600")
    assert older.words.count("Photo <Agency>") == 1


def test_json_tells_its_address_credit_and_descriptions(
    database: Database, readers: TestClient, kept: str
) -> None:
    with database.transaction() as session:
        sent(session, "2025-W04", shown(kept))
    body = readers.get("/v1/archive/be-ru/2025-W04").json()
    SentIssue.model_validate(body)
    assert body["commentaries"][0]["photo"] == {
        "credit": "Photo <Agency>",
        "alt": {"be": ALT["be"], "ru": ALT["ru"]},
        "url": f"{PUBLIC_URL}/photos/{kept}.jpg",
        "width": 900,
        "height": 600,
    }


@pytest.mark.parametrize("width", [320, 1200])
def test_a_browser_shows_it_within_the_column(
    database: Database, readers: TestClient, kept: str, browser: Browser, width: int
) -> None:
    """The page's own policy lets the picture in."""
    with database.transaction() as session:
        sent(session, "2025-W04", shown(kept))

    def fulfil(route: sync_api.Route) -> None:
        answer = readers.get(route.request.url.removeprefix(PUBLIC_URL))
        headers = dict(answer.headers)
        route.fulfill(status=answer.status_code, headers=headers, body=answer.content)

    def look(page: sync_api.Page) -> list[float]:
        page.route("**/*", fulfil)
        page.goto(f"{PUBLIC_URL}/archive/en/2025-W04")
        image = page.locator("img")
        column = page.locator("section").bounding_box()
        box = image.bounding_box()
        assert column is not None
        assert box is not None
        assert box["width"] <= column["width"]
        return [image.evaluate("each => each.naturalWidth"), box["width"] / box["height"]]

    seen = browser.visit(look, viewport={"width": width, "height": 800})
    assert seen == [900, pytest.approx(1.5, abs=0.02)]


def test_a_photo_goes_with_the_commentary_that_is_withdrawn(
    readers: TestClient, operators: TestClient, database: Database, kept: str
) -> None:
    with database.transaction() as session:
        sent(session, "2025-W04", shown(kept), SECOND)
        (address,) = hosted(session, [kept]).values()
    assert readers.get(address.path).status_code == 200
    url = "/v1/issues/2025-W04/corrections"
    said = {"en": "No.", "be": "Не."}
    assert operators.post(url, json={"withdraw": 1, "reason": said}).status_code == 200
    assert readers.get(address.path).status_code == 404
    assert operators.delete(f"/v1/photos/{kept}").status_code == 409, "a version shows it"
    assert operators.post(url, json={"reinstate": 1, "note": said}).status_code == 200
    assert readers.get(address.path).status_code == 200
