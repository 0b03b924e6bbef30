"""The archive's pages and feed as a browser and a cache meet them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from playwright import sync_api

from app.database import Database
from app.editions.freezing import editions_of
from app.mailings.control import cancel
from app.public_server import create_public
from app.web.context import AppContext
from tests.archive.rows import FIRST, approved, sent, stored
from tests.support.browser import Browser
from tests.support.builders import NEWSLETTER, PUBLIC_URL, visitor
from tests.support.clock import MONDAY

PAGES = [
    "/archive",
    "/archive?language=ru",
    "/archive/en",
    "/archive/be-ru",
    "/archive/be-ru?language=ru",
    "/archive/be-ru?language=ru&year=2024",
    "/archive/en/2025-W04",
    "/archive/be-ru/2025-W04",
    "/archive/be-ru/2025-W04?language=ru",
]
FEEDS = ["/archive/en/feed.xml", "/archive/be-ru/feed.xml?language=ru"]
JSON = ["/v1/archive/en", "/v1/archive/be-ru/2025-W04", "/v1/situation"]
NOT_THERE = [
    "/archive?language=de",
    "/archive?language=",
    "/archive/de",
    "/archive/EN",
    "/archive/en?language=be",
    "/archive/en?year=2019",
    "/archive/en?year=x",
    "/archive/be-ru?language=" + "x" * 5_000,
    "/archive/en/2025-W05",
    "/archive/en/2025-W06",
    "/archive/en/2024-W51",
    "/archive/en/2025-W54",
    "/archive/en/2025-w04",
    "/archive/en/x",
    "/archive/de/2025-W04",
    "/archive/en/2025-W04?language=ru",
    "/archive/de/feed.xml",
    "/archive/en/feed.xml?language=ru",
]
EVERYTHING = [*PAGES, *FEEDS, *JSON]


@pytest.fixture
def archive(readers: TestClient, database: Database) -> TestClient:
    """The readers' port when four issues are stored, of which two were sent."""
    with database.transaction() as session:
        sent(session, "2024-W51", FIRST, segments=("be-ru",), now=MONDAY - timedelta(days=40))
        sent(session)
        approved(session, stored(session, "2025-W05", {**FIRST, "rubric": "belarus-west"}), "en")
        stored(session, "2025-W06", {**FIRST, "rubric": "belarus-russia"})
    return readers


class Seen(HTMLParser):
    """A page taken apart."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        assert answer.status_code == 200, answer.text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, name: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.tags if tag == name)

    def links(self) -> list[str]:
        return [str(each["href"]) for each in self.all("a")]


def test_a_page_runs_nothing_and_loads_only_the_stylesheet(archive: TestClient) -> None:
    for path in PAGES:
        answer = archive.get(path)
        seen = Seen(answer)
        assert not {tag for tag, _ in seen.tags} & {
            "script",
            "style",
            "img",
            "iframe",
            "object",
            "form",
        }
        loaded = [each["href"] for each in seen.all("link") if each["rel"] == "stylesheet"]
        assert loaded == ["/static/vestka.css"]
        for _, attributes in seen.tags:
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; style-src 'self'; img-src 'self';" in policy


def test_a_page_has_one_heading_its_language_and_no_id_twice(archive: TestClient) -> None:
    for path in PAGES:
        answer = archive.get(path)
        seen = Seen(answer)
        (html,) = seen.all("html")
        assert html["lang"] == answer.headers["content-language"]
        assert len(list(seen.all("h1"))) == 1
        ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        assert "noindex" not in answer.text


def test_every_link_of_our_own_leads_somewhere(archive: TestClient) -> None:
    for path in PAGES:
        seen = Seen(archive.get(path))
        for link in (*seen.links(), *(str(each["href"]) for each in seen.all("link"))):
            if link.startswith("?"):
                link = path.partition("?")[0] + link  # noqa: PLW2901 - as a browser does
            if link.startswith(("/", PUBLIC_URL)):
                assert archive.get(link.removeprefix(PUBLIC_URL)).status_code == 200, link
            elif link.startswith("#"):
                assert link[1:] in {attributes.get("id") for _, attributes in seen.tags}


def test_everyone_may_keep_it_and_ask_again(archive: TestClient) -> None:
    for path in EVERYTHING:
        answer = archive.get(path)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert re.fullmatch(r'"[0-9a-f]{32}"', answer.headers["etag"])
        again = archive.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("content-security-policy", "etag", "cache-control"):
            assert again.headers[name] == answer.headers[name]
        head = archive.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert dict(head.headers) == dict(answer.headers)


def test_it_is_the_same_for_everyone(archive: TestClient) -> None:
    for path in EVERYTHING:
        one = archive.get(path)
        different = {
            "Accept-Language": "ru,be;q=0.5",
            "Cookie": "a=b",
            "Origin": "https://other.example.com",
            "Accept": "application/json",
        }
        other = archive.get(path, headers=different)
        assert (other.content, other.headers) == (one.content, one.headers)
        assert "vary" not in one.headers
        assert "set-cookie" not in one.headers


def test_an_entity_tag_changes_exactly_when_the_bytes_do(
    archive: TestClient, database: Database
) -> None:
    """Over all answers there are, before and after another issue."""
    answers = [archive.get(path) for path in EVERYTHING for _ in "12"]
    with database.transaction() as session:
        sent(session, "2025-W10", now=MONDAY + timedelta(days=40))
    answers += [archive.get(path) for path in EVERYTHING]
    pairs = {(answer.headers["etag"], answer.content) for answer in answers}
    assert len(pairs) == len({etag for etag, _ in pairs}) == len({body for _, body in pairs})
    assert len(pairs) > len(EVERYTHING)


def test_the_date_is_the_launch_s(archive: TestClient) -> None:
    for path in ("/archive/be-ru", "/archive/en/2025-W04", *FEEDS, "/v1/situation"):
        said = archive.get(path).headers["last-modified"]
        assert said == "Mon, 27 Jan 2025 10:00:00 GMT"


def test_only_what_was_sent_is_shown(archive: TestClient) -> None:
    """The rubrics of an approved issue and of a draft, and their weeks."""
    for path in EVERYTHING:
        body = archive.get(path).text
        assert "W05" not in body
        assert "W06" not in body
        if not path.startswith("/v1/situation"):
            assert "Belarus and the West" not in body
            assert "Беларусь и Россия" not in body


def test_what_is_not_there_is_a_page_that_says_so(archive: TestClient) -> None:
    for path in NOT_THERE:
        answer = archive.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


def test_nothing_of_a_wrong_address_is_repeated(archive: TestClient) -> None:
    for path in ("/archive?language=sesame", "/archive/sesame", "/archive/en/sesame"):
        assert "sesame" not in archive.get(path).text


def test_a_page_that_is_not_there_speaks_the_language_asked_for(archive: TestClient) -> None:
    assert "Такой страницы здесь нет" in archive.get("/archive/en?language=ru").text
    assert "Такой старонкі тут няма" in archive.get("/archive/xx?language=be").text


def test_the_editions(archive: TestClient) -> None:
    seen = Seen(archive.get("/archive?language=ru"))
    assert "/archive/en?language=en" in seen.links()
    assert "/archive/be-ru?language=ru" in seen.links()


def test_an_index_goes_by_years_the_newest_week_first(
    archive: TestClient, database: Database
) -> None:
    with database.transaction() as session:
        sent(session, "2025-W03", FIRST)
    seen = Seen(archive.get("/archive/be-ru"))
    weeks = re.findall(r"/archive/be-ru/(\d\S+)\?language=be(?= |$)", " ".join(seen.links()))
    assert weeks == ["2025-W04", "2025-W03"]
    assert "Цэны\u00a0— і\u00a0зарплаты" in seen.words
    assert "/archive/be-ru/2025-W04?language=be#commentary-2" in seen.links()
    assert "?language=be&year=2024" in seen.links()
    older = Seen(archive.get("/archive/be-ru?language=be&year=2024"))
    assert "/archive/be-ru/2024-W51?language=be" in older.links()
    assert "/archive/be-ru/2025-W04?language=be" not in older.links()
    assert "?year=2024&language=ru" in older.links()


def test_an_archive_without_issues_says_so(readers: TestClient) -> None:
    answer = readers.get("/archive/en")
    assert "No issue has been sent yet." in answer.text
    assert "last-modified" not in answer.headers
    assert readers.get("/archive/en/feed.xml").status_code == 200


def test_an_issue_is_whole_and_its_parts_have_addresses(archive: TestClient) -> None:
    answer = archive.get("/archive/be-ru/2025-W04?language=ru")
    seen = Seen(answer)
    assert "20–26 января 2025" in seen.words
    assert "Фото: Photo <Agency>" in seen.words
    assert "▼\u00a0Ситуация ухудшилась" in seen.words
    assert "О ценах." in seen.words
    sections = [each.get("id") for each in seen.all("section")]
    assert sections == ["commentary-1", "commentary-2"]
    assert '<h2 id="commentary-2-title" lang="be">Ціхі тыдзень</h2>' in answer.text
    assert '<div class="text" lang="be">' in answer.text
    assert 'href="#commentary-2" lang="be"' in answer.text
    (canonical,) = [each for each in seen.all("link") if each["rel"] == "canonical"]
    assert canonical["href"] == f"{PUBLIC_URL}/archive/be-ru/2025-W04?language=ru"


def test_the_links_of_a_message_lead_here(readers: TestClient, database: Database) -> None:
    """Also the one to the rest of a commentary that is too long for a message."""
    long = {**FIRST, "texts": {"en": {"title": "Long", "body": "A sentence to read.\n\n" * 3_000}}}
    with database.transaction() as session:
        sent(session, "2025-W04", FIRST, long, segments=("en",))
        html = editions_of(session, "2025-W04", "en")["en"].html
    links = set(re.findall(rf'href="{PUBLIC_URL}(/archive/[^"]+)"', html))
    assert links == {
        "/archive/en?language=en",
        "/archive/en/2025-W04?language=en",
        "/archive/en/2025-W04?language=en#commentary-2",
    }
    for link in links:
        page, _, anchor = link.partition("#")
        seen = Seen(readers.get(page))
        assert not anchor or anchor in {attributes.get("id") for _, attributes in seen.tags}


def test_a_cancelled_issue_that_nobody_got_is_gone(archive: TestClient, database: Database) -> None:
    with database.transaction() as session:
        (mailing,) = sent(session, "2025-W07", segments=("en",))
        assert archive.get("/archive/en/2025-W07").status_code == 404, "not yet committed"
    assert archive.get("/archive/en/2025-W07").status_code == 200
    with database.transaction() as session:
        cancel(session, mailing.id, now=MONDAY)
    assert archive.get("/archive/en/2025-W07").status_code == 404


def test_a_rubric_that_was_given_up_breaks_no_page(
    archive: TestClient, installation: AppContext
) -> None:
    left = tuple(each for each in NEWSLETTER.rubrics if each.id != "economy")
    newsletter = NEWSLETTER.model_copy(update={"rubrics": left})
    later = visitor(create_public(replace(installation, newsletter=newsletter)))
    for path in EVERYTHING:
        assert later.get(path).status_code == 200
    assert "Economy" in archive.get("/archive/en/2025-W04").text
    assert "Economy" not in later.get("/archive/en/2025-W04").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_it_all(archive: TestClient, browser: Browser, scheme: str) -> None:
    def fulfil(route: sync_api.Route) -> None:
        answer = archive.get(route.request.url.removeprefix(PUBLIC_URL))
        headers = dict(answer.headers)
        route.fulfill(status=answer.status_code, headers=headers, body=answer.content)

    def widths(page: sync_api.Page) -> list[int]:
        errors: list[str] = []
        page.on("console", lambda said: errors.append(said.text))
        page.route("**/*", fulfil)
        seen = []
        for path in PAGES:
            page.goto(PUBLIC_URL + path)
            seen.append(int(page.evaluate("document.documentElement.scrollWidth")))
            styled = page.evaluate("getComputedStyle(document.body).borderTopWidth")
            assert styled == "4px", "the stylesheet is there"
        assert errors == []
        return seen

    narrow = {"width": 360, "height": 800}
    assert browser.visit(widths, viewport=narrow, color_scheme=scheme) == [360] * len(PAGES)
