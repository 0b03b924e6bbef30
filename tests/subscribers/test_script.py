"""The script for other websites: small, complete in each language, the same for everyone."""

import json
import re

import pytest
from fastapi.testclient import TestClient

from app.languages import phrases
from app.subscribers.script import PROBLEMS, SOURCE, TAKEN, WORDS, element, script
from tests.support.builders import NEWSLETTER, PUBLIC_URL

PHRASES = [*WORDS.values(), *TAKEN, *PROBLEMS.values()]


def test_a_few_kilobytes_reach_a_reader(readers: TestClient) -> None:
    answer = readers.get("/form.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert int(answer.headers["content-length"]) < 7_500
    assert answer.text == script(NEWSLETTER, PUBLIC_URL)


def test_any_website_may_load_and_keep_it(readers: TestClient) -> None:
    answers = [readers.get("/form.js", headers=h) for h in ({}, {"Origin": "https://example.com"})]
    assert answers[0].content == answers[1].content
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["cache-control"].startswith("public")
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "set-cookie" not in answer.headers
        again = readers.get("/form.js", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    head = readers.head("/form.js")
    assert (head.status_code, head.content) == (200, b"")


def test_it_holds_the_words_of_every_language() -> None:
    (line,) = (x for x in script(NEWSLETTER, PUBLIC_URL).splitlines() if x.startswith("const ves"))
    facts = json.loads(line.removeprefix("const vestka = ").removesuffix(";"))
    assert facts["service"] == PUBLIC_URL
    assert list(facts["words"]) == list(NEWSLETTER.languages)
    kept = json.dumps(facts, ensure_ascii=False)
    for language in NEWSLETTER.languages:
        for phrase in PHRASES:
            assert phrases(language).gettext(phrase) in kept
    assert [each["id"] for each in facts["segments"]] == ["en", "be-ru"]
    assert facts["segments"][1]["names"] == ["be-ru", "be/ru"]
    assert {"by", "бел", "xn--90ais"} <= set(facts["exposed"])


def test_it_knows_whether_to_prove_its_work() -> None:
    assert '"proof":false' in script(NEWSLETTER, PUBLIC_URL)
    assert '"proof":true' in script(NEWSLETTER, PUBLIC_URL, asks_for_proof=True)


def test_a_newsletter_may_hint_at_nothing() -> None:
    silent = NEWSLETTER.model_copy(update={"exposed": None})
    assert '"exposed":[]' in script(silent, PUBLIC_URL)


@pytest.mark.parametrize("language", ["be", "ru"])
@pytest.mark.parametrize("phrase", PHRASES)
def test_every_word_is_translated(language: str, phrase: str) -> None:
    assert phrases(language).gettext(phrase) != phrase


def test_what_is_for_readers_of_the_source_stays_here() -> None:
    served = element()
    assert not re.search(r"^\s*//", served, re.MULTILINE)
    assert not re.search(r"^\s", served, re.MULTILINE)
    assert len(served.encode()) < 12_000
    assert SOURCE.read_text(encoding="utf-8").count("VESTKA") == 1


def test_it_makes_no_markup_from_strings_and_keeps_nothing() -> None:
    source = element()
    for word in ("innerHTML", "insertAdjacent", "eval(", "new Function", "style=", ".style."):
        assert word not in source
    for word in ("localStorage", "sessionStorage", "indexedDB", "cookie", "sendBeacon", "caches."):
        assert word not in source
    assert source.count("fetch(") == 1
