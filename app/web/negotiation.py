"""In which language to answer whom we do not know: a page that is not there has no reader.

A page of a reader's own, and whatever anybody may keep, names its language and never asks here.
"""

from collections.abc import Sequence

from fastapi import Request

from app.newsletter import Newsletter


def language_for(request: Request, newsletter: Newsletter) -> str:
    """Return the language that the address asks for, else one the browser prefers, else the first.

    What is not offered is passed over.
    """
    asked = request.query_params.get("language", "")
    if asked in newsletter.languages:
        return asked
    header = request.headers.get("accept-language", "")
    return preferred(header, newsletter.languages) or newsletter.languages[0]


def preferred(header: str, offered: Sequence[str]) -> str | None:
    """Return which of the offered languages an Accept-Language header likes best, if any.

    RFC 9110 §12.5.4 and §12.4.2; of a tag only the language counts: `be-Latn-BY` is `be`.
    """
    liked: dict[str, float] = {}
    for part in header[:1000].split(","):
        tag, *parameters = (each.strip().lower() for each in part.split(";"))
        language = tag.partition("-")[0]
        if language in offered:
            liked[language] = max(liked.get(language, 0.0), _quality(parameters))
    best = max(liked, key=lambda each: liked[each], default=None)  # of equals the first
    return best if best is not None and liked[best] > 0 else None


def _quality(parameters: Sequence[str]) -> float:
    """Read the weight; what is no weight from 0 to 1 is 0."""
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
    return 1.0
