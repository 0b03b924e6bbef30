"""How an issue looks where it is read: contrast in light and dark, and no line wider than a phone.

The colours are the template's and no issue can change them, so this is no finding but a test.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.editions.messages import a_message
from tests.support.browser import Browser

LEAST = 4.5  # WCAG 2.2, 1.4.3
SMALLEST = 14  # px

# Every text that is shown, with its colour and that of the nearest ground behind it; of a picture,
# which cannot be loaded here, its description.
SEEN = """() => {
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, words = node.textContent.trim();
    const element = node.parentElement, style = getComputedStyle(element);
    const range = document.createRange(); range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!words || box.width < 2 || element.closest('style, [style*="display:none"]')) continue;
    let behind = element, ground = 'rgba(0, 0, 0, 0)';
    while (behind && ground === 'rgba(0, 0, 0, 0)') {
      ground = getComputedStyle(behind).backgroundColor; behind = behind.parentElement;
    }
    seen.push({words, ink: style.color, ground, size: parseFloat(style.fontSize)});
  }
  for (const image of document.images) {
    const {color, backgroundColor, fontSize} = getComputedStyle(image);
    seen.push({words: image.alt, ink: color, ground: backgroundColor, size: parseFloat(fontSize)});
  }
  return seen;
}"""


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.2)."""
    channels = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(ink: str, ground: str) -> float:
    dark, light = sorted((luminance(ink), luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


def test_nothing_in_it_is_dropped_or_fetched() -> None:
    """Gmail drops a style sheet over 8,192 characters; others drop what moves, asks or loads."""
    html = a_message()
    sheets = re.findall(r"<style[^>]*>(.*?)</style>", html, flags=re.DOTALL)
    assert sheets
    assert max(map(len, sheets)) <= 8192
    assert not re.search(r"<(?:script|form|input|iframe|svg|video|audio|object|link)\b", html)
    assert not re.search(r"@import|url\(|position\s*:|\son\w+=", html)
    assert set(re.findall(r'src="([a-z]+):', html)) == {"cid"}


def test_ratio() -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 600])
def test_everything_can_be_read(browser: Browser, tmp_path: Path, scheme: str, width: int) -> None:
    path = tmp_path / "message.html"
    path.write_text(a_message(), encoding="utf-8")

    def look(page: Page) -> tuple[list[dict[str, Any]], int]:
        page.goto(path.as_uri())
        return page.evaluate(SEEN), page.evaluate("document.documentElement.scrollWidth")

    seen, wide = browser.visit(look, color_scheme=scheme, viewport={"width": width, "height": 800})
    words = {each["words"] for each in seen}
    assert {"Читать продолжение на сайте", "code", "Said.", "Отписаться", "Переход"} <= words
    faint = [each for each in seen if contrast(each["ink"], each["ground"]) < LEAST]
    assert faint == []
    assert [each for each in seen if each["size"] < SMALLEST - 0.01] == []
    assert wide <= width
    grounds = {each["ground"] for each in seen}
    assert len(grounds) >= 5, "page, foot and each verdict have grounds of their own"
    assert all((luminance(each) < 0.2) == (scheme == "dark") for each in grounds)
