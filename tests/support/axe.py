"""axe-core, the accessibility checker of browsers, on a page as it stands."""

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

GRAVE = ("serious", "critical")

# By rule sets, so that a new rule of a level we hold is asked for, too.
EVERY_RULE = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")

_RUN = """async (rules) => (await axe.run(document, {
  runOnly: rules, resultTypes: ["violations"],
})).violations"""


@cache
def _axe() -> str:
    # The package is here for this file alone: its own interface cannot enter pages with a policy.
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def grave(page: Page, rules: tuple[str, ...] = EVERY_RULE) -> list[str]:
    """Return what axe finds serious or critical by these rules: the rule, and the first place.

    The page must be one that runs scripts, or axe would never end.
    """
    page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(_RUN, list(rules))
    return [
        f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0]['failureSummary']}"
        for each in found
        if each["impact"] in GRAVE
    ]
