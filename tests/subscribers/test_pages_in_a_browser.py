"""All pages for readers in a real browser: every language, light and dark, a narrow screen.

axe finds nothing grave, nothing is wider than the screen, and every act works without scripts.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.subscribers.models import PENDING, ServiceMessage, Subscriber
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from app.subscribers.service_messages import token_of as token_from
from tests.archive.rows import sent
from tests.support.axe import COLOURS, grave
from tests.support.browser import Browser
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber
from tests.support.served import Shown

PHONE = {"width": 360, "height": 740}
NOTICES = (
    *("accepted", "confirmed", "already-done", "unsubscribed", "erased", "manage-requested"),
    "never-again",
)
WITHOUT_SCRIPTS: dict[str, Any] = {"java_script_enabled": False, "viewport": PHONE}

EVERY_LANGUAGE = pytest.mark.parametrize("language", NEWSLETTER.languages)


@dataclass(frozen=True)
class Links:
    """The paths of one reader's messages."""

    confirm: str
    manage: str
    unsubscribe: str
    never: str

    @property
    def all(self) -> tuple[str, ...]:
        return (self.confirm, self.manage, self.unsubscribe, self.never)


def a_reader(shown: Shown, keyring: Keyring, address: str) -> Links:
    """Add a reader who has been asked to confirm, and has asked for a link to the manage page."""
    now = shown.clock.now()
    with shown.database.transaction() as session:
        reader = a_subscriber(
            session, keyring, address, segments=("be-ru",), language="be", state=PENDING
        )
        ask_to_confirm(session, keyring, reader.id, ["be-ru"], "be", now.date())
        send_manage_link(session, keyring, reader.id, "be", now)
        session.flush()
        mine = select(ServiceMessage).where(ServiceMessage.subscriber_id == reader.id)
        nonces = {each.kind: each.nonce for each in session.scalars(mine)}
        unsubscribe = keyring.links.unsubscribe(reader.link_id, WEEK.number, "be-ru", 2)
        never = keyring.links.never(reader.link_id, bytes(16), reader.blind_index)
    return Links(
        f"/confirm/{token_from(keyring, CONFIRMATION, nonces[CONFIRMATION])}",
        f"/manage/{token_from(keyring, MANAGE_LINK, nonces[MANAGE_LINK])}",
        f"/unsubscribe/{unsubscribe}",
        f"/never/{never}",
    )


@pytest.fixture(scope="module")
def links(shown: Shown, keyring: Keyring) -> Links:
    with shown.database.transaction() as session:
        sent(session, "2025-W04")
    return a_reader(shown, keyring, "ann@example.org")


def every_page(links: Links) -> list[str]:
    archive = ["archive", "archive/be-ru", "archive/be-ru/2025-W04"]
    return [
        *(f"/{each}" for each in ("form", "manage", *NOTICES, *archive)),
        *links.all,
        "/confirm/unknown",
        "/nothing/here",
    ]


def is_narrow(page: Page) -> bool:
    seen: bool = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return seen


@EVERY_LANGUAGE
def test_every_page_can_be_seen_and_heard(
    shown: Shown, links: Links, browser: Browser, language: str
) -> None:
    def look(page: Page) -> dict[str, object]:
        wrong: dict[str, object] = {}
        for path in every_page(links):
            page.emulate_media(color_scheme="light")
            page.goto(f"{shown.url}{path}?language={language}")
            if path == "/form":
                page.locator("vestka-signup button:visible").wait_for()
            if language != "en" or not path.startswith("/archive/be-ru"):
                assert page.locator("html").get_attribute("lang") == language, path
            light = page.evaluate("getComputedStyle(document.body).backgroundColor")
            if found := grave(page):
                wrong[path] = found
            page.emulate_media(color_scheme="dark")
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
            if found := grave(page, COLOURS):
                wrong[f"{path} in the dark"] = found
            if not is_narrow(page):
                wrong[path] = "wider than the screen"
        return wrong

    assert browser.visit(look, viewport=PHONE) == {}


def test_forms_that_are_refused_can_be_seen_and_heard(
    shown: Shown, links: Links, browser: Browser
) -> None:
    def look_at(page: Page) -> list[str]:
        page.wait_for_load_state()  # what is there already may not have its style yet
        assert is_narrow(page)
        found = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += grave(page)
        return found

    def look(page: Page) -> list[str]:
        found = []
        page.route("**/form.js", lambda route: route.abort())  # axe itself needs scripts
        for path in ("/form?language=ru", "/manage?language=be"):
            page.goto(shown.url + path)
            page.get_by_role("textbox").fill("nobody@localhost")
            page.get_by_role("button").click()
            page.get_by_role("alert").wait_for()
            found += look_at(page)
        page.goto(f"{shown.url}{links.manage}?language=ru")
        page.get_by_role("checkbox").first.check()
        page.get_by_role("button", name="Сохранить").click()
        page.get_by_role("status").wait_for()
        return found + look_at(page)

    assert browser.visit(look, viewport=PHONE) == []


def test_a_wide_screen_keeps_lines_short(shown: Shown, links: Links, browser: Browser) -> None:
    def look(page: Page) -> list[float]:
        widths = []
        for path in every_page(links):
            page.goto(f"{shown.url}{path}?language=en")
            box = page.locator("main").bounding_box()
            assert box is not None
            widths.append(box["width"])
        return widths

    widths = browser.visit(look, viewport={"width": 1280, "height": 800})
    assert max(widths) < 700


@EVERY_LANGUAGE
def test_every_act_works_by_keyboard_and_without_scripts(
    shown: Shown, links: Links, keyring: Keyring, browser: Browser, language: str
) -> None:
    """From the form to the last trace: confirm, change, download, leave, erase."""
    mine = a_reader(shown, keyring, f"{language}@example.org")
    gone = a_reader(shown, keyring, f"gone-{language}@example.org")

    def press(page: Page, path: str, button: str) -> str:
        page.goto(f"{shown.url}{path}?language={language}")
        page.locator(button).focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        return page.url.removeprefix(shown.url)

    def live(page: Page) -> None:
        said = f"?language={language}"
        assert press(page, mine.confirm, "main button") == f"/confirmed{said}"
        page.goto(f"{shown.url}{mine.confirm}{said}")
        assert page.locator("main button").count() == 0, "already done"
        assert press(page, mine.manage, "[value=save]") == f"{mine.manage}{said}"
        assert page.locator(".saved").is_visible()
        with page.expect_download() as download:
            page.locator("[value=download]").click()
        assert download.value.suggested_filename == "vestka.json"
        page.locator("[value=erase]").click()
        assert page.url.endswith(f"{mine.manage}{said}"), "not before one is sure"
        page.locator("[name=sure]").focus()
        page.keyboard.press("Space")
        page.locator("[value=erase]").click()
        assert page.url.removeprefix(shown.url) == f"/erased{said}"
        assert press(page, gone.unsubscribe, ".second") == f"/unsubscribed{said}"
        assert press(page, gone.never, "main button") == f"/never-again{said}"

    browser.visit(live, **WITHOUT_SCRIPTS)
    with shown.database.reading() as session:
        left = session.scalars(select(Subscriber.language)).all()
    assert len(left) == 1, "only the module's own reader"
