"""What a reader's browser is given: pages from templates, in the reader's language.

A page is treated as if its URL held a token: never cached, never indexed, never named in a Referer;
only what is said to be public may be kept. No page loads anything from elsewhere or can be framed,
and none runs a script but the one with the sign-up form, which has no token and works without.
"""

from functools import cache
from pathlib import Path

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from app.languages import phrases

APP = Path(__file__).resolve().parent.parent
STATIC = APP / "web" / "static"
"""The folder to be mounted at /static: one stylesheet, the same for everyone."""

# The layout comes first, so that no capability can replace it by a file of the same name.
TEMPLATES = (APP / "web" / "templates", *sorted(APP.glob("*/templates")))

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SCRIPTS = f"{POLICY}; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
PUBLIC_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": POLICY,
}
HEADERS = {**PUBLIC_HEADERS, "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def page(
    template: str,
    language: str,
    *,
    status: int = 200,
    switchable: bool = True,
    public: bool = False,
    policy: str = POLICY,
    **facts: object,
) -> HTMLResponse:
    """Answer with the page `template` (a name without its ending, as "confirm") in `language`.

    Every page needs the fact `newsletter`; each template's first lines say what else it needs, and
    a missing fact is an error, never a gap. `switchable=False` leaves out the links to the other
    languages: for a page that answers a POST to an address which has no GET. `public=True` is for
    what everyone may see, keep and index. Two facts may be given to any page: `offered`, the
    languages it comes in if not all of the newsletter's, and `also`, what stays in the query.
    `policy=SCRIPTS` lets the page run our own scripts.
    """
    html = environment(language).get_template(f"{template}.html.j2")
    body = html.render(language=language, switchable=switchable, public=public, **facts)
    headers = PUBLIC_HEADERS if public else HEADERS
    more = {"Content-Language": language, "Content-Security-Policy": policy}
    return HTMLResponse(body, status, headers={**headers, **more})


@cache
def environment(language: str) -> Environment:
    """Return the templates of all capabilities, with the phrases of `language`.

    An environment per language, because phrases live in its globals: a page that is rendered in
    one thread must not change the language of a page in another.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = phrases(language)
    install = made.install_gettext_callables  # type: ignore[attr-defined]  # by the extension
    install(words.gettext, words.ngettext, newstyle=True)
    made.filters["autonym"] = autonym
    return made


def autonym(language: str) -> str:
    """Return the language's own name for itself, as a heading writes it: "Беларуская"."""
    locale = Locale.parse(language, sep="-")
    name = locale.get_display_name(locale) or language
    return name[:1].upper() + name[1:]
