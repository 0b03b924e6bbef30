"""The week's issue, from the editor's file to the readers' inboxes: once, and in their language."""

import json
from typing import Any

import pytest

from tests.support.newsletter import Message, Newsletter, Operator, Reader, an_issue
from tests.support.service import REPOSITORY

REAL = REPOSITORY.parent / "shared" / "input"
READERS: dict[str, tuple[list[str], str | None]] = {
    "ann@example.org": (["EN"], None),
    "ales@example.org": (["BE/RU"], None),
    "olga@example.org": (["be-ru"], "ru"),
    "both@example.org": (["EN", "BE/RU"], "be"),
}
WEEKS = {
    "en": "January 20 – 26, 2025",
    "be": "20–26 студзеня 2025",
    "ru": "20–26 января 2025 г.",
}


def real_issue(week: str) -> dict[str, Any]:
    path = REAL / f"{week}.json"
    if not path.exists():
        pytest.skip("the real issues are not part of this checkout")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def spaced(text: str) -> str:
    """Write every kind of space as a plain one."""
    return " ".join(text.split())


@pytest.fixture(scope="module")
def sent(newsletter: Newsletter) -> Newsletter:
    """The real issue of 2025-W04, sent to both segments."""
    issue = real_issue("2025-W04")
    operator = newsletter.operator
    newsletter.reader.are_confirmed(READERS)
    assert operator.stores(issue).status == 201
    approved = operator.approves("2025-W04")
    assert approved.json() == {"week": "2025-W04", "segments": ["en", "be-ru"], "findings": []}
    for segment in ("EN", "BE/RU"):
        launched = operator.launches("2025-W04", segment)
        assert launched.status == 201, launched.text
        end = operator.waits_for_end(launched.json()["id"])
        assert (end["audience"], end["sent"]) == (2, 2) if segment == "EN" else (3, 3)
    return newsletter


def reads(message: Message, language: str) -> None:
    """Check that the whole message is in the language: subject, markup, text."""
    text = real_issue("2025-W04")["commentaries"][0]["texts"][language]
    assert message.language == language
    assert WEEKS[language] in spaced(message.subject)
    assert f'lang="{language}"' in message.html
    for part in (message.text, message.html):
        assert text["title"] in spaced(part)
    for paragraph in text["body"].split("\n\n"):
        assert spaced(paragraph) in spaced(message.text)
    others = {"en", "be", "ru"} - {language}
    for other in others:
        title = real_issue("2025-W04")["commentaries"][0]["texts"][other]["title"]
        assert title not in spaced(message.text)


@pytest.mark.parametrize(
    ("address", "languages"),
    [
        ("ann@example.org", ["en"]),
        ("ales@example.org", ["be"]),
        ("olga@example.org", ["ru"]),
        ("both@example.org", ["be", "en"]),
    ],
)
def test_each_reader_gets_exactly_one_message_per_segment_in_their_language(
    sent: Newsletter, address: str, languages: list[str]
) -> None:
    messages = sent.issues_to(address)
    assert sorted(message.language for message in messages) == languages
    for message in messages:
        reads(message, message.language)
        assert message.received.recipients == (address,)
        assert message.header("To") == address


def test_launching_twice_gives_the_same_mailing_and_no_second_message(sent: Newsletter) -> None:
    again = sent.operator.launches("2025-W04", "en")
    assert again.status == 200
    assert again.json()["audience"] == 2
    sent.settles()
    assert len(sent.issues_to("ann@example.org")) == 1


def test_two_messages_to_the_same_reader_share_no_token(sent: Newsletter) -> None:
    one, other = (message.link("unsubscribe") for message in sent.issues_to("both@example.org"))
    assert one != other
    assert not set(_pieces(one)) & set(_pieces(other))


def _pieces(link: str, length: int = 6) -> list[str]:
    token = link.rpartition("/")[2]
    return [token[start : start + length] for start in range(len(token) - length + 1)]


@pytest.mark.parametrize("week", ["2016-W34", "2017-W01"])
def test_an_issue_in_english_alone_is_approved_for_its_readers_only(
    operator: Operator, week: str
) -> None:
    assert operator.stores(real_issue(week)).status == 201
    refused = operator.approves(week, "BE/RU")
    assert refused.status == 409
    assert refused.json()["missing"] == {"be-ru": ["commentaries.0.texts"]}
    refused = operator.approves(week)
    assert refused.status == 409
    assert refused.json()["missing"] == {"be-ru": ["commentaries.0.texts"]}
    assert operator.sees(f"/v1/issues/{week}")["approved"] == []
    assert operator.launches(week, "en").status == 409
    assert operator.approves(week, "EN").status == 200
    assert operator.launches(week, "be-ru").status == 409
    assert operator.sees(f"/v1/issues/{week}")["approved"] == ["en"]


def test_an_approved_issue_is_closed_until_the_approval_is_withdrawn(operator: Operator) -> None:
    issue = an_issue("2024-W07", "en")
    assert operator.stores(issue).status == 201
    assert operator.approves("2024-W07", "en").status == 200
    changed = an_issue("2024-W07", "en", body="Something else.")
    assert operator.stores(changed).status == 409
    assert operator.stores(issue).status == 200, "storing the same again changes nothing"
    assert operator.calls("DELETE", "/v1/issues/2024-W07").status == 409
    assert operator.calls("DELETE", "/v1/issues/2024-W07/approval").status == 204
    assert operator.stores(changed).status == 200
    assert operator.calls("DELETE", "/v1/issues/2024-W07").status == 204
    assert operator.calls("GET", "/v1/issues/2024-W07").status == 404


def test_a_reader_of_both_languages_gets_the_other_one_where_theirs_is_missing(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    reader.is_confirmed("ivan@example.com", ["be-ru"], "ru")
    operator.waits_for_end(operator.publishes(an_issue("2024-W10", "be"), "be-ru"))
    (message,) = newsletter.issues_to("ivan@example.com")
    assert message.language == "ru"
    assert "BE title of 2024-W10" in message.text
    assert 'lang="be"' in message.html
