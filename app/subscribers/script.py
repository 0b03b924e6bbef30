"""The sign-up form as a script for other websites: the element, and the words of this newsletter.

It is the same for everyone and holds nothing of anyone, so any website and cache may keep it.
"""

import json
import re
from functools import cache
from pathlib import Path

from app.languages import phrases
from app.newsletter import Newsletter
from app.subscribers.forms import BUSY, OTHERWISE, SENTENCES
from app.web.pages import autonym

SOURCE = Path(__file__).with_name("signup.js")

# A line that is only a comment, and what indents a line: for those who read the source.
_FOR_READERS = re.compile(r"^\s*(?://.*\n?|\n)|^[ \t]+", re.MULTILINE)


def _(phrase: str) -> str:
    return phrase


WORDS = {
    "email": _("E-mail address"),
    "segments": _("What would you like to get?"),
    "language": _("Your language"),
    "trap": _("Leave this field empty"),
    "subscribe": _("Subscribe"),
    "sending": _("Sending…"),
    "page": _("Subscribe on a page of its own"),
}
TAKEN = (
    _("Look into your mailbox"),
    _(
        "Your request has been taken. If it needs to be confirmed, an email with a link is on its"
        " way to you: open the link and press the button. Until then nothing changes."
    ),
    _(
        "No email after a quarter of an hour? Look into the spam folder. If it is not there"
        " either, the address may have been mistyped: simply fill in the form again."
    ),
)
PROBLEMS = {
    **SENTENCES,
    "otherwise": OTHERWISE,
    "busy": BUSY,
    "often": _("Too many requests have come from your network. Please try again a little later."),
    "unreached": _("The form could not be sent. Please try again."),
}


@cache
def element() -> str:
    """Return the element's source without what only its readers need."""
    return _FOR_READERS.sub("", SOURCE.read_text(encoding="utf-8"))


def script(newsletter: Newsletter, public_url: str, *, asks_for_proof: bool = False) -> str:
    """Return the whole script: it sends to `public_url`, and speaks the newsletter's languages."""
    facts = {
        "service": public_url,
        "proof": asks_for_proof,
        "languages": newsletter.languages,
        "segments": [
            {
                "id": each.id,
                "names": sorted({each.id, each.label.casefold()}),
                "languages": each.languages,
                "name": each.name,
            }
            for each in newsletter.segments
        ],
        "exposed": newsletter.exposed.spellings() if newsletter.exposed else (),
        "words": {each: _words(newsletter, each) for each in newsletter.languages},
    }
    said = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))
    return element().replace("VESTKA", said, 1)


def _words(newsletter: Newsletter, language: str) -> dict[str, object]:
    say = phrases(language).gettext
    return {
        "code": language,
        "autonym": autonym(language),
        **{name: say(phrase) for name, phrase in WORDS.items()},
        "taken": [say(phrase) for phrase in TAKEN],
        "problems": {name: say(phrase) for name, phrase in PROBLEMS.items()},
        "consent": newsletter.current_consent.text[language],
        "exposed": newsletter.exposed.hint[language] if newsletter.exposed else "",
    }
