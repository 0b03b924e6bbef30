"""The form on somebody's website: strict policy, keyboard, ears, light and dark, a narrow screen.

What is typed goes to the newsletter when it is sent, and to nobody before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, Route
from sqlalchemy import delete, select

from app.languages import phrases
from app.subscribers import proof_of_work
from app.subscribers.models import SignUp
from tests.support.axe import grave
from tests.support.browser import Browser
from tests.support.builders import NEWSLETTER
from tests.support.served import Shown

T = TypeVar("T")
PHONE = {"width": 360, "height": 740}
STRICT = (
    "default-src 'none'; script-src {0}; connect-src {0}; form-action {0}; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
FRAME = (
    '<!doctype html><html lang="{0}"><head><title>A website</title>'
    '<meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"></head><body><main><h1>A website</h1>'
    '<script src="{1}/form.js" async></script>{2}</main></body></html>'
)
PLAIN = (
    '<form method="post" action="{0}/v1/subscriptions"><label>E-mail'
    ' <input name="email" type="email"></label><input type="hidden" name="segments" value="en">'
    "<button>Subscribe</button></form>"
)
ELEMENT = '<vestka-signup lang="{0}" segments="en be-ru">{1}</vestka-signup>'

EVERY_LANGUAGE = pytest.mark.parametrize("language", NEWSLETTER.languages)


class Site:
    """A website with the form, as a reader visits it."""

    def __init__(self, shown: Shown, browser: Browser) -> None:
        self.shown = shown
        self.browser = browser
        self.complaints: list[str] = []
        self.requests: list[str] = []
        shown.website.policy = STRICT.format(shown.url)

    def visit(self, steps: Callable[[Page], T], markup: str, around: str = "en", **more: Any) -> T:
        """Show a page with this markup and do `steps` on it."""
        self.shown.website.pages["/"] = FRAME.format(around, self.shown.url, markup)

        def look(page: Page) -> T:
            page.on("console", self._hear)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on("request", self._note)
            page.goto(f"{self.shown.website.url}/", wait_until="load")
            return steps(page)

        return self.browser.visit(look, **{"viewport": PHONE, **more})

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _note(self, request: Request) -> None:
        self.requests.append(f"{request.method} {request.url}")

    def element(self, language: str) -> str:
        return ELEMENT.format(language, PLAIN.format(self.shown.url))

    def sign_ups(self) -> list[SignUp]:
        with self.shown.database.reading() as session:
            return list(session.scalars(select(SignUp)))


@pytest.fixture
def site(shown: Shown, browser: Browser) -> Iterator[Site]:
    site = Site(shown, browser)
    yield site
    with shown.database.transaction() as session:
        session.execute(delete(SignUp))


def said(phrase: str, language: str) -> str:
    return phrases(language).gettext(phrase)


def width(page: Page) -> int:
    seen: int = page.evaluate("document.documentElement.scrollWidth")
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@EVERY_LANGUAGE
def test_a_reader_signs_up_in_their_language(site: Site, language: str, scheme: str) -> None:
    def steps(page: Page) -> None:
        box = page.get_by_role("textbox", name=said("E-mail address", language))
        press = page.get_by_role("button", name=said("Subscribe", language), exact=True)
        assert grave(page) == []
        assert width(page) <= 360
        press.click()
        page.get_by_role("alert").get_by_text(
            said("This e-mail address cannot be used. Please check it.", language)
        ).wait_for()
        box.fill("ales@example.by")
        box.blur()
        assert NEWSLETTER.exposed is not None
        page.get_by_text(NEWSLETTER.exposed.hint[language]).wait_for()
        assert grave(page) == []
        assert width(page) <= 360
        box.fill("ales@example.org")
        press.click()
        page.get_by_text(said("Look into your mailbox", language)).wait_for()
        assert grave(page) == []

    site.visit(steps, site.element(language), color_scheme=scheme)
    assert site.complaints == []
    (row,) = site.sign_ups()
    wanted = "en" if language == "en" else "be-ru"
    assert (row.language, row.segments, row.source) == (language, wanted, None)


def test_ears_hear_what_eyes_see(site: Site) -> None:
    def steps(page: Page) -> tuple[str, str]:
        page.get_by_role("textbox").fill("ann@mail.ru")
        page.get_by_role("textbox").blur()
        form = page.locator("vestka-signup").aria_snapshot()
        page.get_by_role("textbox").fill("nobody")
        page.get_by_role("button").click()
        page.get_by_role("alert").get_by_text("cannot be used").wait_for()
        box = page.get_by_role("textbox")
        described = box.evaluate(
            "box => box.getRootNode()"
            ".getElementById(box.getAttribute('aria-describedby')).textContent"
        )
        assert box.get_attribute("aria-invalid") == "true"
        assert box.evaluate("box => box === box.getRootNode().activeElement")
        return form, described

    form, described = site.visit(steps, site.element("en"))
    lines = [line.strip().removeprefix("- ") for line in form.splitlines()]
    assert lines[:2] == ["text: E-mail address", 'textbox "E-mail address": ann@mail.ru']
    assert lines[2].startswith("status: This mailbox is under Belarusian or Russian law")
    assert 'group "What would you like to get?":' in lines
    assert 'checkbox "English edition" [checked]' in lines
    assert 'checkbox "Belarusian and Russian edition"' in lines
    assert 'radio "English" [checked]' in lines
    assert lines[-1] == 'button "Subscribe"'
    assert "Leave this field empty" not in form
    assert described == "This e-mail address cannot be used. Please check it."


def test_a_refusal_goes_when_its_field_is_changed(site: Site) -> None:
    def steps(page: Page) -> list[object]:
        box, refusal = page.get_by_role("textbox"), page.locator("#said")
        edition = page.get_by_role("checkbox", name="English edition")
        box.fill("nobody")
        page.get_by_role("button").click()
        refusal.get_by_text("cannot be used").wait_for()
        seen: list[object] = []
        box.fill("ann@mail.ru")
        seen += [refusal.text_content(), box.get_attribute("aria-invalid")]
        box.blur()
        page.get_by_text("under Belarusian or Russian law").wait_for()
        seen += [refusal.text_content(), box.get_attribute("aria-describedby")]
        edition.uncheck()
        page.get_by_role("button").click()
        refusal.get_by_text("choose what you would like").wait_for()
        edition.check()
        return [*seen, refusal.text_content()]

    assert site.visit(steps, site.element("en")) == ["", None, "", "hint", ""]
    assert site.complaints == []


def test_the_keyboard_suffices(site: Site) -> None:
    def steps(page: Page) -> list[str]:
        passed = []
        for _ in range(5):
            page.keyboard.press("Tab")
            passed.append(
                page.evaluate(
                    "(at => at.name || at.type)"
                    "(document.querySelector('vestka-signup').shadowRoot.activeElement)"
                )
            )
            if passed[-1] == "email":
                page.keyboard.type("ann@example.org")
            if passed[-1] == "language":
                page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.get_by_text("Look into your mailbox").wait_for()
        return passed

    passed = site.visit(steps, site.element("en"))
    assert passed == ["email", "segments", "segments", "language", "submit"]
    (row,) = site.sign_ups()
    assert row.language == "be", "the arrow chose the next language"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_without_scripts_the_plain_form_works(site: Site, scheme: str) -> None:
    def steps(page: Page) -> str:
        page.get_by_role("textbox").fill("ann@example.org")
        page.get_by_role("button").click()
        page.get_by_role("heading", name="Look into your mailbox").wait_for()
        return page.url

    no_scripts: dict[str, Any] = {"java_script_enabled": False, "color_scheme": scheme}
    assert site.visit(steps, site.element("en"), **no_scripts) == (
        f"{site.shown.url}/accepted?language=en"
    )
    assert len(site.sign_ups()) == 1


def test_the_hint_is_the_browsers_own(site: Site) -> None:
    exposed = ["a@mail.ru", "a@x.BY", "a@пошта.бел", "a@xn--80a1acn3a.xn--90ais", "a@yandex.com"]
    others = ["a@example.org", "a@ruby.example", "a@by.example.org", "a@notyandex.com", "a@", "by"]

    def steps(page: Page) -> dict[str, bool]:
        before, box = len(site.requests), page.get_by_role("textbox")
        seen = {}
        for address in exposed + others:
            box.fill(address)
            box.blur()
            seen[address] = page.get_by_role("status").is_visible()
        box.fill("a@mail.ru")
        box.blur()
        box.fill("a@mail.org")
        assert not page.get_by_role("status").is_visible(), "what is no longer so goes at once"
        assert site.requests[before:] == []
        return seen

    seen = site.visit(steps, site.element("en"))
    assert seen == {**dict.fromkeys(exposed, True), **dict.fromkeys(others, False)}


@dataclass(frozen=True)
class Trouble:
    answer: Callable[[Route], None]
    words: str
    links: int = 0


TROUBLES = {
    "too many": Trouble(lambda route: route.fulfill(status=429), "Too many requests"),
    "broken": Trouble(lambda route: route.fulfill(status=500, body="<p>"), "not sent as", 1),
    "unreached": Trouble(lambda route: route.abort(), "could not be sent", 1),
    "too busy": Trouble(lambda route: route.fulfill(status=503), "Too many people"),
    "another field": Trouble(
        lambda route: route.fulfill(status=422, json={"errors": [{"field": "source"}]}),
        "not sent as it should be",
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_trouble_is_told_and_nothing_typed_is_lost(site: Site, trouble: Trouble) -> None:
    def steps(page: Page) -> None:
        page.route("**/v1/subscriptions", trouble.answer)
        page.get_by_role("textbox").fill("ann@example.org")
        page.get_by_role("button").click()
        told = page.get_by_role("alert")
        told.get_by_text(trouble.words).wait_for()
        assert grave(page) == []
        assert told.get_by_role("link").count() == trouble.links
        if trouble.links:
            assert told.get_by_role("link").get_attribute("href") == (
                f"{site.shown.url}/form?language=en"
            )
        assert page.get_by_role("textbox").input_value() == "ann@example.org"
        page.unroute("**/v1/subscriptions")
        page.get_by_role("button").click()
        page.get_by_text("Look into your mailbox").wait_for()

    site.visit(steps, site.element("en"))


def test_two_clicks_send_once(site: Site) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    def steps(page: Page) -> None:
        page.route("**/v1/subscriptions", hold)
        page.get_by_role("textbox").fill("ann@example.org")
        for _ in range(3):
            page.get_by_role("button").click(force=True)
        page.get_by_role("button", name="Sending…", disabled=True).wait_for()
        held[0].continue_()
        page.get_by_text("Look into your mailbox").wait_for()

    site.visit(steps, site.element("en"))
    assert len(held) == 1
    assert len(site.sign_ups()) == 1


@pytest.mark.parametrize(
    ("markup", "around", "language", "boxes", "radios"),
    [
        ('<vestka-signup lang="be-BY">', "en", "be", 2, 3),
        ("<vestka-signup>", "ru", "ru", 2, 3),
        ('<section lang="be"><vestka-signup>', "en", "be", 2, 3),
        ('<vestka-signup lang="de">', "en", "en", 2, 3),
        ('<vestka-signup lang="ru" segments="BE/RU">', "en", "ru", 0, 2),
        ('<vestka-signup lang="en" segments="en">', "en", "en", 0, 0),
        ('<vestka-signup lang="be" segments="en">', "en", "be", 0, 2),
        ('<vestka-signup lang="be" segments="nothing of ours">', "en", "be", 2, 3),
    ],
)
def test_its_attributes_decide(
    site: Site, markup: str, around: str, language: str, boxes: int, radios: int
) -> None:
    def steps(page: Page) -> None:
        page.get_by_role("textbox", name=said("E-mail address", language)).fill("a@example.org")
        assert page.get_by_role("checkbox").count() == boxes
        assert page.get_by_role("radio").count() == radios
        page.get_by_role("button").click()
        page.get_by_text(said("Look into your mailbox", language)).wait_for()

    site.visit(steps, f"{markup}</vestka-signup>", around)
    (row,) = site.sign_ups()
    offered = "en" if 'segments="en"' in markup or language == "en" else "be-ru"
    assert (row.language, row.segments) == (language, offered)


def test_a_changed_attribute_draws_it_anew(site: Site) -> None:
    def steps(page: Page) -> str:
        element = page.locator("vestka-signup")
        element.evaluate("each => { each.lang = 'ru'; each.setAttribute('source', 'footer'); }")
        page.get_by_role("textbox", name="Адрес электронной почты").fill("ann@example.org")
        page.get_by_role("button", name="Подписаться").click()
        page.get_by_text("Загляните").first.wait_for()
        element.evaluate("each => { each.lang = 'be'; }")
        return page.get_by_role("status").inner_text()

    assert "Загляните" in site.visit(steps, site.element("en")), "what was said stays"
    (row,) = site.sign_ups()
    assert (row.language, row.source) == ("ru", "footer")


def test_a_website_that_may_not_call_leads_to_our_page(site: Site) -> None:
    """Another origin than the allowed one: the same website by its other name."""
    here = site.shown.website.url.replace("127.0.0.1", "localhost")

    def steps(page: Page) -> str:
        page.goto(f"{here}/")
        page.get_by_role("textbox").fill("ann@example.org")
        page.get_by_role("button").click()
        page.get_by_role("link", name="Subscribe on a page of its own").click()
        page.get_by_role("heading", name="Subscribe").wait_for()
        return page.url

    assert site.visit(steps, site.element("en")) == f"{site.shown.url}/form?language=en"
    assert site.sign_ups() == []


def test_colours_are_the_websites(site: Site) -> None:
    """A dark website that says nothing of schemes, on a light system: text and edges follow it."""

    def steps(page: Page) -> list[str]:
        page.evaluate("document.body.setAttribute('bgcolor', 'black')")
        page.evaluate("document.body.setAttribute('text', 'white')")
        assert grave(page) == []
        seen: list[str] = page.get_by_role("textbox").evaluate(
            "box => [getComputedStyle(box).color, getComputedStyle(box).backgroundColor]"
        )
        return seen

    assert site.visit(steps, site.element("en")) == ["rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"]


@pytest.fixture
def asking(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The service asks for a proof of work, a small one."""
    monkeypatch.setattr(proof_of_work, "COST", 10)
    site.shown.settings.read_values["proof_of_work"] = "on"
    yield site
    site.shown.settings.read_values["proof_of_work"] = "off"


def test_a_proof_is_found_while_the_reader_types(asking: Site) -> None:
    def steps(page: Page) -> list[str]:
        with page.expect_response("**/v1/challenge"):
            page.get_by_role("textbox").fill("ann@example.org")
        page.get_by_role("button").click()
        page.get_by_text("Look into your mailbox").wait_for()
        return [each for each in asking.requests if "/v1/" in each]

    asked = asking.visit(steps, asking.element("en"))
    url = asking.shown.url
    assert asked == [f"GET {url}/v1/challenge", f"POST {url}/v1/subscriptions"]
    assert asking.complaints == []
    assert len(asking.sign_ups()) == 1


def test_a_proof_that_does_not_serve_is_made_anew(asking: Site) -> None:
    """A page that stood open for days, or a second form of the same page."""

    def steps(page: Page) -> None:
        with page.expect_response("**/v1/challenge"):
            page.get_by_role("textbox").fill("ann@example.org")
        asking.shown.clock.go_on(days=3)
        page.get_by_role("button").click()
        page.get_by_text("Look into your mailbox").wait_for()

    asking.visit(steps, asking.element("en"))
    assert len(asking.sign_ups()) == 1


@pytest.mark.parametrize(("seconds", "taken"), [(1, 0), (3, 1)])
def test_our_own_page_says_when_it_was_shown(site: Site, seconds: int, taken: int) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{site.shown.url}/form?language=en")
        page.get_by_role("textbox").fill("ann@example.org")
        site.shown.clock.go_on(seconds=seconds)
        page.get_by_role("button").click()
        page.get_by_text("Look into your mailbox").wait_for()

    site.visit(steps, site.element("en"))
    assert len(site.sign_ups()) == taken
    assert site.complaints == []


def test_a_stamp_of_other_keys_is_left_out(site: Site) -> None:
    stale = '<form><input type="hidden" name="since" value="AAAAAAAAAAAAAAAAAAAA"></form>'

    def steps(page: Page) -> None:
        page.get_by_role("textbox").fill("ann@example.org")
        page.get_by_role("button").click()
        page.get_by_text("Look into your mailbox").wait_for()

    site.visit(steps, ELEMENT.format("en", stale))
    assert len(site.sign_ups()) == 1
