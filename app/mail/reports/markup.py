"""HTML to the text a person sees, in one pass: enough to find a sentence, not to show a page."""

import html
import re

_BREAKS = re.compile(
    r"/?(?:br|p|div|tr|td|th|li|ul|ol|table|h\d|hr|pre|blockquote|title)\b", re.IGNORECASE
)
_UNSEEN = ("style", "script", "head")


def without_markup(text: str) -> str:
    """Leave out tags, styles, scripts and comments; begin lines where blocks begin."""
    seen: list[str] = []
    unseen = ""  # the element whose content nobody sees, while in it
    for number, chunk in enumerate(text.split("<")):
        tag, closed, words = chunk.partition(">") if number else ("", "", chunk)
        if number and not closed:
            tag, words = "", f" {chunk}"
        elif "@" in tag and "=" not in tag:  # an address that somebody forgot to escape
            tag, words = "", f"<{tag}>{words}"
        name = tag[:12].lower()
        if unseen:
            unseen = "" if name.startswith(f"/{unseen}") else unseen
            words = "" if unseen else words
        else:
            unseen = next((each for each in _UNSEEN if name.startswith(each)), "")
            unseen = "" if name.startswith("header") else unseen
            words = "" if unseen else words
        seen.append("\n" if _BREAKS.match(tag) else "")
        seen.append(words)
    return html.unescape("".join(seen)).replace("\xa0", " ")
