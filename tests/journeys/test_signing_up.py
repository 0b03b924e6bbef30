"""Signing up: one answer for everybody, one message however often, and forms without JavaScript."""

import json

import pytest

from tests.support.newsletter import Newsletter, Operator, Reader

HEADINGS = {"en": "Subscribe", "be": "Падпісацца", "ru": "Подписаться"}
WRONG = {
    "en": "This e-mail address cannot be used",
    "be": "Гэты адрас",
    "ru": "Этот адрес",
}


def shape(answer: object) -> tuple[object, ...]:
    """What a stranger can tell of an answer, without its date."""
    status, headers, body = answer.status, answer.headers, answer.body  # type: ignore[attr-defined]
    return status, sorted(h for h in headers if h[0].lower() != "date"), body


def test_new_pending_and_confirmed_addresses_get_the_same_answer(
    newsletter: Newsletter, reader: Reader
) -> None:
    new = reader.subscribes("nadia@example.org", ["en"])
    assert (new.status, new.json()) == (202, {"status": "accepted"})
    reader.gets_message("nadia@example.org", "confirm")
    pending = reader.subscribes("nadia@example.org", ["en"])
    assert reader.confirms("nadia@example.org").status == 303
    confirmed = reader.subscribes("nadia@example.org", ["en"])
    assert shape(new) == shape(pending) == shape(confirmed)


def test_whoever_is_subscribed_already_is_told_so_once(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    reader.is_confirmed("already@example.org", ["be-ru"], "be")
    for _ in range(5):
        assert reader.subscribes("already@example.org", ["BE/RU"], "ru").status == 202
        newsletter.settles()
    messages = newsletter.inbox_of("already@example.org")
    assert len(messages) == 2
    assert not messages[1].has_link("confirm")
    assert messages[1].language == "be", (
        "in the language of the reader, not of whoever filled it in"
    )


def test_a3_fifty_sign_ups_are_one_message(newsletter: Newsletter, reader: Reader) -> None:
    for spelling in ["fifty@example.org", "Fifty@Example.ORG"] * 25:
        assert reader.subscribes(spelling, ["en"]).status == 202
    newsletter.settles()
    messages = [
        *newsletter.inbox_of("fifty@example.org"),
        *newsletter.inbox_of("Fifty@example.org"),
    ]
    assert len(messages) == 1


def test_a_new_segment_is_asked_about_and_the_old_one_stays(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    reader.is_confirmed("more@example.org", ["en"], "en")
    before = operator.counts()
    reader.subscribes("more@example.org", ["EN", "BE/RU"], "ru")
    newsletter.settles()
    after = operator.counts()
    assert len(newsletter.inbox_of("more@example.org")) == 2
    assert after["en"]["confirmed"] == before["en"]["confirmed"]
    assert after["be-ru"]["pending"] == before["be-ru"]["pending"] + 1
    assert reader.confirms("more@example.org").status == 303
    assert operator.counts()["be-ru"]["confirmed"] == before["be-ru"]["confirmed"] + 1


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_a_plain_form_leads_to_a_page_in_its_language(
    newsletter: Newsletter, reader: Reader, language: str
) -> None:
    shown = reader.sends("GET", f"/form?language={language}")
    assert shown.header("Content-Language") == language
    assert HEADINGS[language] in shown.text
    address = f"form-{language}@example.org"
    fields = [("email", address), ("segments", "en"), ("segments", "be-ru")]
    sent = reader.posts_form(
        "/v1/subscriptions", [*fields, ("language", language), ("website", "")]
    )
    assert (sent.status, sent.header("Location")) == (303, f"/accepted?language={language}")
    page = reader.sends("GET", f"/accepted?language={language}")
    assert (page.status, page.header("Content-Language")) == (200, language)
    assert reader.gets_message(address, "confirm").language == language


@pytest.mark.parametrize("language", ["en", "be", "ru"])
@pytest.mark.parametrize(
    "fields",
    [
        [("email", "ann at example.org"), ("segments", "en")],
        [("segments", "en")],
        [("email", "a" * 2000), ("segments", "en")],
    ],
    ids=["no address", "left out", "too long"],
)
def test_a_refused_form_comes_back_in_its_language(
    reader: Reader, language: str, fields: list[tuple[str, str]]
) -> None:
    answer = reader.posts_form("/v1/subscriptions", [*fields, ("language", language)])
    assert answer.status == 422
    assert answer.header("Content-Language") == language
    assert WRONG[language] in answer.text
    assert "ann at" not in answer.text
    assert "aaaa" not in answer.text


@pytest.mark.parametrize(
    ("path", "more"), [("/v1/subscriptions", [("segments", "en")]), ("/v1/manage-links", [])]
)
def test_a_form_with_an_unknown_field_comes_back_in_its_language(
    reader: Reader, path: str, more: list[tuple[str, str]]
) -> None:
    fields = [("email", "ann@example.org"), *more, ("language", "be"), ("name", "Ann")]
    answer = reader.posts_form(path, fields)
    assert (answer.status, answer.header("Content-Language")) == (422, "be")
    assert "ann@" not in answer.text


def test_a_form_in_a_language_that_is_not_offered_comes_back_all_the_same(reader: Reader) -> None:
    answer = reader.posts_form("/v1/subscriptions", [("email", "x"), ("language", "xx")])
    assert (answer.status, answer.header("Content-Language")) == (422, "en")


def test_a_robot_that_fills_every_field_is_answered_and_forgotten(
    newsletter: Newsletter, reader: Reader
) -> None:
    trap = {"website": "https://spam.example.com"}
    assert reader.subscribes("robot@example.org", ["en"], **trap).status == 202
    newsletter.settles()
    assert newsletter.inbox_of("robot@example.org") == []


def test_nothing_a_visitor_typed_is_in_a_message(newsletter: Newsletter, reader: Reader) -> None:
    """Or a stranger could have us write a stranger's words to anybody (but their address)."""
    word, address = "qzxvkwjhpy", "typed@example.org"
    headers = {
        "User-Agent": word,
        "Referer": f"https://{word}.example.com/",
        "Accept-Language": word,
        "X-Forwarded-Host": f"{word}.example.com",
        "Cookie": f"{word}={word}",
    }
    wish = {"email": address, "segments": ["en"], "source": word}
    body = json.dumps(wish).encode()
    path = f"/v1/subscriptions?{word}={word}"
    assert reader.sends("POST", path, body, "application/json", headers).status == 202
    confirmation = reader.gets_message(address, "confirm")
    assert reader.presses(confirmation.link("confirm")).status == 303
    assert reader.sends("POST", path, body, "application/json", headers).status == 202
    wish = {"email": address, "language": "en"}
    body = json.dumps(wish).encode()
    assert reader.sends("POST", "/v1/manage-links", body, "application/json", headers).status == 202
    reader.gets_message(address, "manage")
    newsletter.settles()
    messages = newsletter.inbox_of(address)
    assert len(messages) == 3
    for message in messages:
        said = f"{message.raw!r} {message.text} {message.html} {message.message.items()}"
        assert word not in said
        assert message.header("To") == address
        assert address not in message.text + message.html + message.subject
