"""What mail gateways do to the links of messages, replayed on every link of every message we write.

They look before the reader does, from elsewhere, more than once, and with real browsers. Nothing
changes, nobody gets another message, and each link still does its work for the reader afterwards.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.support.browser import Browser
from tests.support.newsletter import Message, Newsletter, Operator, Reader, an_issue
from tests.support.service import Answer

ELSEWHERE = "127.0.0.2"
LOOKS = 10_000  # milliseconds that a browser stays on a page, by its own clock

# (method, headers): each is sent once from the reader's address and twice from elsewhere.
LOOKING: tuple[tuple[str, dict[str, str]], ...] = (
    ("HEAD", {}),
    ("GET", {}),
    ("OPTIONS", {}),
    ("GET", {"Purpose": "prefetch", "X-Moz": "prefetch"}),
    ("GET", {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Mode": "navigate"}),
    ("GET", {"Accept": "*/*", "User-Agent": "curl/8", "Range": "bytes=0-1023"}),
    ("GET", {"Accept": "text/html", "Cookie": "a=b", "Referer": "https://mail.example.com/"}),
    ("GET", {"Origin": "https://scanner.example.com", "X-Forwarded-For": "192.0.2.7"}),
    ("OPTIONS", {"Origin": "https://scanner.example.com", "Access-Control-Request-Method": "POST"}),
)
ADDED = ("?utm_source=mail", "?x-safe=1&List-Unsubscribe=One-Click&action=erase&sure=1")


@dataclass
class Gateway:
    """Everything that looks at a message before its reader."""

    newsletter: Newsletter
    browser: Browser
    seen: set[str] = field(default_factory=set)

    def scan(self, message: Message) -> int:
        """Look at every link of the message that leads to us; return how many there are.

        What messages have in common, such as the archive, is looked at once.
        """
        ours = {url for url in message.links if url.startswith(self.newsletter.place.public_url)}
        for url in sorted(ours - self.seen):
            self.seen.add(url)
            parts = urlsplit(url)
            self._replay(parts.path + (f"?{parts.query}" if parts.query else ""))
            self._browse(url)
        return len(ours)

    def _replay(self, path: str) -> None:
        for method, headers in LOOKING:
            for caller in ("127.0.0.1", ELSEWHERE, ELSEWHERE):
                self._check(self._send(method, path, headers, caller), method, path)
        if "?" not in path:
            for added in ADDED:
                self._check(self._send("GET", path + added, {}, ELSEWHERE), "GET", path)

    def _send(self, method: str, path: str, headers: dict[str, str], caller: str) -> Answer:
        return self.newsletter.reader.sends(method, path, headers=headers, caller=caller)

    def _check(self, answer: Answer, method: str, path: str) -> None:
        good = {200} if method != "OPTIONS" else {200, 204, 400, 405}
        assert answer.status in good, (method, path)
        assert answer.header("Set-Cookie") is None
        assert answer.header("Location") is None
        assert not answer.body if method == "HEAD" else True

    def _browse(self, url: str) -> None:
        """Open it with scripts on, stay ten seconds, move about and look at all of it."""
        asked: list[tuple[str, str]] = []

        def look(page: Page) -> None:
            page.on("request", lambda request: asked.append((request.method, request.url)))
            page.clock.install()
            page.goto(url, wait_until="load")
            page.mouse.move(20, 20)
            page.mouse.wheel(0, 5_000)
            page.clock.run_for(LOOKS)

        self.browser.visit(look)
        assert asked[0] == ("GET", url.partition("#")[0])
        assert {method for method, _ in asked} == {"GET"}
        assert all(to.startswith(self.newsletter.place.public_url) for _, to in asked)


@pytest.fixture
def gateway(newsletter: Newsletter, browser: Browser) -> Gateway:
    return Gateway(newsletter, browser)


def state(operator: Operator) -> list[object]:
    """All that operators can see."""
    paths = ("/v1/segments", "/v1/mailings", "/v1/audit")
    return [operator.sees(path) for path in paths]


def test_no_message_is_spoilt_by_who_looks_first(
    newsletter: Newsletter, reader: Reader, operator: Operator, gateway: Gateway
) -> None:
    address = "olya@example.org"
    reader.subscribes(address, ["en", "be-ru"], "ru")
    asked = reader.gets_message(address, "confirm")
    before = state(operator)
    assert gateway.scan(asked) >= 2, "confirm, and never again"
    assert state(operator) == before
    assert reader.presses(asked.link("confirm")).header("Location") == "/confirmed?language=ru"

    before = state(operator)
    gateway.seen.clear()
    gateway.scan(asked)
    assert state(operator) == before, "a used link is looked at, too"
    assert reader.presses(asked.link("confirm")).header("Location") == "/already-done?language=ru"

    reader.subscribes(address, ["en"], "ru")
    newsletter.settles()
    told = newsletter.inbox_of(address)[-1]
    assert not told.has_link("confirm"), "you are already subscribed"
    assert gateway.scan(told) >= 1

    reader.asks_for_manage_link(address)
    managed = reader.gets_message(address, "manage")
    issue = an_issue("2025-W04", "en", "be", "ru")
    for segment in ("en", "be-ru"):
        operator.waits_for_end(operator.publishes(issue, segment))
    issues = newsletter.issues_to(address)
    assert [message.language for message in issues] == ["en", "ru"]
    before = state(operator)
    assert gateway.scan(managed) >= 1
    for message in issues:
        assert gateway.scan(message) >= 3
    newsletter.settles()
    messages = newsletter.inbox_of(address)
    assert len(messages) == 5, "nobody is written to because somebody looked"
    sentinels = operator.counts()["en"].pop("pending")
    assert state(operator)[1:] == before[1:]

    assert reader.sends("GET", managed.link("manage")).status == 200
    assert reader.unsubscribes_by_one_click(issues[0]).status == 200
    assert reader.presses(issues[1].link("unsubscribe")).status == 303
    after = operator.counts()
    assert [after[each]["left"]["unsubscribed"] for each in ("en", "be-ru")] == [1, 1]
    assert after["en"]["pending"] == sentinels
    assert reader.sends("GET", managed.link("manage")).status == 404, "everything of hers is gone"


def test_who_looked_at_never_again_is_still_written_to(
    newsletter: Newsletter, reader: Reader, gateway: Gateway
) -> None:
    address = "curious@example.org"
    reader.subscribes(address, ["en"], "en")
    gateway.scan(reader.gets_message(address, "confirm"))
    reader.confirms(address)
    reader.asks_for_manage_link(address)
    link = reader.gets_message(address, "manage").link("manage")
    assert 'value="en" checked' in reader.sends("GET", link).text
