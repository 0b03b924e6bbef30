"""No page to show: people are told in their language, programs as ever."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from app.languages import phrases
from app.public_server import create_public
from app.web.context import AppContext
from app.web.error_pages import OTHERWISE, WORDS
from tests.support.builders import NEWSLETTER, visitor

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SAID = [*WORDS.values(), OTHERWISE]


@pytest.mark.parametrize("language", NEWSLETTER.languages)
def test_a_person_gets_a_page(readers: TestClient, language: str) -> None:
    for path in ("/nothing", "/confirm/a/b", "/v1/nothing"):
        answer = readers.get(f"{path}?language={language}", headers=BROWSER)
        assert (answer.status_code, answer.headers["content-language"]) == (404, language)
        assert phrases(language).gettext(WORDS[404][0]) in answer.text
        assert path not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        head = readers.head(f"{path}?language={language}", headers=BROWSER)
        assert (head.status_code, head.content) == (404, b"")


@pytest.mark.parametrize("path", ["/nothing", "/confirm/a/b", "/confirm/cut", "/manage/cut"])
def test_who_comes_by_a_cut_link_is_told_in_the_browser_s_language(
    readers: TestClient, path: str
) -> None:
    likes = {**BROWSER, "Accept-Language": "be-BY,ru;q=0.7,en;q=0.3"}
    assert readers.get(path, headers=likes).headers["content-language"] == "be"
    chosen = readers.get(f"{path}?language=ru", headers=likes)
    assert chosen.headers["content-language"] == "ru"
    assert readers.get(path, headers=BROWSER).headers["content-language"] == "en"


def test_the_operators_port_has_no_pages(operators: TestClient) -> None:
    answer = operators.get("/", headers=BROWSER)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_program_gets_a_problem(readers: TestClient, accept: str) -> None:
    answer = readers.get("/nothing", headers={"Accept": accept})
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_method_still_says_which_is_right(readers: TestClient) -> None:
    answer = readers.put("/form", headers=BROWSER)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert "<nav" not in answer.text, "there is no page to see in another language"


@pytest.mark.parametrize(
    ("raised", "status"),
    [(OperationalError("SELECT", {}, Exception("gone")), 503), (RuntimeError("secret"), 500)],
)
def test_what_breaks_is_told_gently(
    installation: AppContext, raised: Exception, status: int
) -> None:
    app = create_public(installation)

    @app.get("/breaks")
    def breaks() -> None:
        raise raised

    answer = visitor(app).get("/breaks", headers=BROWSER)
    assert answer.status_code == status
    assert WORDS.get(status, OTHERWISE)[1] in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "secret" not in answer.text
    assert visitor(app).get("/breaks").json()["status"] == status


@pytest.mark.parametrize("language", ["be", "ru"])
@pytest.mark.parametrize("phrase", sorted({each for pair in SAID for each in pair}))
def test_every_word_is_translated(language: str, phrase: str) -> None:
    assert phrases(language).gettext(phrase) != phrase
