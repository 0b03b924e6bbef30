"""The messages about a subscription itself: confirm it, manage it, you have it already.

They say nothing that a visitor has typed, and their links are slots: the token is filled in per
message.
"""

from collections.abc import Sequence
from datetime import date

from app.languages import day
from app.mail.message.compiler import marker
from app.mail.message.templates import Rendered, render
from app.newsletter import Newsletter

LINK_TOKEN = 43
NEVER_TOKEN = 82
MANAGE_LINK_MINUTES = 30


def confirmation(
    newsletter: Newsletter, segments: Sequence[str], language: str, public_url: str, expires: date
) -> Rendered:
    """Ask for the proof of a request for these segments (ids); `expires` is its link's last day."""
    facts = _known(newsletter, language) | {
        "segments": [newsletter.segment(each).name[language] for each in segments],
        "link": f"{public_url}/confirm/{marker('confirm', LINK_TOKEN)}",
        "expires": day(expires, language),
        # The page may be opened when nothing is kept any more that would tell the language.
        "never": f"{public_url}/never/{marker('never', NEVER_TOKEN)}?language={language}",
    }
    return render("confirmation", language, facts)


def manage_link(newsletter: Newsletter, language: str, public_url: str) -> Rendered:
    """Bring the link to the reader's own page; it works for 30 minutes."""
    facts = _known(newsletter, language) | {
        "link": f"{public_url}/manage/{marker('manage', LINK_TOKEN)}",
        "minutes": MANAGE_LINK_MINUTES,
    }
    return render("manage_link", language, facts)


def already_subscribed(newsletter: Newsletter, language: str, public_url: str) -> Rendered:
    """Say that there is nothing to do; no link in it is the reader's own."""
    facts = _known(newsletter, language) | {
        "manage_url": f"{public_url}/manage?language={language}"
    }
    return render("already_subscribed", language, facts)


def _known(newsletter: Newsletter, language: str) -> dict[str, object]:
    return {
        "newsletter_name": newsletter.name[language],
        "website": newsletter.website,
        "postal_address": newsletter.postal_address[language],
    }
