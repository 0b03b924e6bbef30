"""Nothing happens without the reader's own act: looking at a link changes nothing, a POST acts."""

from urllib.parse import urlsplit

import pytest

from tests.support.newsletter import FORM, Message, Newsletter, Operator, Reader, an_issue

SCANNERS: tuple[dict[str, str], ...] = (
    {},
    {"User-Agent": "Mozilla/5.0 (compatible; SafeLinks scanner)", "Sec-Purpose": "prefetch"},
    {"Purpose": "prefetch", "X-Moz": "prefetch", "Cookie": "a=b", "Origin": "https://example.com"},
)
KINDS = ("confirm", "unsubscribe", "manage")


def our_paths(newsletter: Newsletter, message: Message) -> list[str]:
    """The message's links to ourselves."""
    ours = [url for url in message.links if url.startswith(newsletter.place.public_url)]
    assert ours
    return sorted({urlsplit(url).path for url in ours})


def scan(newsletter: Newsletter, message: Message) -> None:
    """Follow every link of a message as scanners do, all of them twice."""
    for path in our_paths(newsletter, message) * 2:
        for headers in SCANNERS:
            for method in ("GET", "HEAD"):
                answer = newsletter.reader.sends(method, path, headers=headers)
                assert answer.status == 200, path
                assert answer.header("Set-Cookie") is None
                assert b"<script" not in answer.body.lower()


def test_scanning_a_confirmation_confirms_nothing(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    reader.subscribes("vera@example.org", ["en"])
    message = reader.gets_message("vera@example.org", "confirm")
    before = operator.counts()
    assert before["en"]["pending"] == 1
    scan(newsletter, message)
    assert operator.counts() == before
    assert reader.presses(message.link("confirm")).status == 303
    assert operator.counts()["en"]["confirmed"] == before["en"]["confirmed"] + 1


def test_a_used_confirmation_link_says_already_done(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    reader.is_confirmed("zina@example.org", ["be-ru"], "be")
    (message,) = newsletter.inbox_of("zina@example.org")
    before = operator.counts()
    again = reader.presses(message.link("confirm"))
    assert (again.status, again.header("Location")) == (303, "/already-done?language=be")
    assert "Ужо" in reader.sends("GET", "/already-done?language=be").text
    scan(newsletter, message)
    assert operator.counts() == before


@pytest.mark.parametrize(
    ("name", "body", "media_type"),
    [
        ("urlencoded", b"List-Unsubscribe=One-Click", FORM),
        (
            "multipart",
            (
                b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
                b"One-Click\r\n--x--\r\n"
            ),
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_one_click_works_from_the_bytes_of_the_message(
    newsletter: Newsletter,
    reader: Reader,
    operator: Operator,
    name: str,
    body: bytes,
    media_type: str,
) -> None:
    address = f"{name}@example.org"
    reader.is_confirmed(address, ["en"])
    week = "2023-W05" if name == "urlencoded" else "2023-W06"
    operator.waits_for_end(operator.publishes(an_issue(week, "en"), "en"))
    (message,) = newsletter.issues_to(address)
    before = operator.counts()
    scan(newsletter, message)
    assert operator.counts() == before, "scanners unsubscribe nobody"
    first = (
        reader.unsubscribes_by_one_click(message)
        if name == "urlencoded"
        else reader.sends("POST", message.link("unsubscribe"), body, media_type)
    )
    again = reader.sends("POST", message.link("unsubscribe"), body, media_type)
    for answer in (first, again):
        assert answer.status == 200
        assert answer.header("Location") is None
        assert answer.header("Set-Cookie") is None
    after = operator.counts()["en"]
    assert after["confirmed"] == before["en"]["confirmed"] - 1
    assert after["left"]["unsubscribed"] == before["en"]["left"].get("unsubscribed", 0) + 1


@pytest.mark.parametrize("headers", [{}, {"Content-Type": FORM}, {"Content-Type": "text/plain"}])
def test_an_empty_body_suffices_to_leave(
    newsletter: Newsletter, reader: Reader, operator: Operator, headers: dict[str, str]
) -> None:
    number = len(headers.get("Content-Type", ""))
    address = f"empty{number}@example.org"
    reader.is_confirmed(address, ["be-ru"], "ru")
    issue = an_issue(f"2022-W{number + 10}", "ru")
    operator.waits_for_end(operator.publishes(issue, "be-ru"))
    (message,) = newsletter.issues_to(address)
    before = operator.counts()["be-ru"]["confirmed"]
    left = reader.sends("POST", message.link("unsubscribe"), b"", headers=headers)
    assert (left.status, left.header("Location")) == (303, "/unsubscribed?language=ru")
    assert operator.counts()["be-ru"]["confirmed"] == before - 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_trailing_slash_is_not_redirected(reader: Reader, kind: str, method: str) -> None:
    answer = reader.sends(method, f"/{kind}/abc/", b"" if method == "POST" else None)
    assert answer.status == 404
    assert answer.header("Location") is None


def test_no_link_serves_another_purpose(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    address = "purpose@example.org"
    reader.is_confirmed(address, ["en"])
    operator.waits_for_end(operator.publishes(an_issue("2021-W10", "en"), "en"))
    reader.asks_for_manage_link(address)
    reader.gets_message(address, "manage")
    before = operator.counts()
    links = [
        message.link(own) for message, own in zip(newsletter.inbox_of(address), KINDS, strict=True)
    ]
    for link in links:
        _, own, token = link.split("/")
        for kind in {*KINDS} - {own}:
            for answer in (
                reader.sends("GET", f"/{kind}/{token}"),
                reader.sends("POST", f"/{kind}/{token}", b"action=erase&sure=1", FORM),
            ):
                assert answer.status == 404
    assert operator.counts() == before
