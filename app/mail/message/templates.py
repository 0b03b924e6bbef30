"""A message's words and look: Jinja2 and MJML over the top-level `email_templates/`.

A folder holds `subject.txt.j2`, `body.txt.j2` and, unless its messages are plain, `body.mjml.j2`.
Nothing in a message is fetched from anywhere: no web font, no style sheet; pictures travel with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from mjml import mjml2html

from app.languages import phrases
from app.mail.message.inline_images import Picture

FOLDER = Path(__file__).parents[3] / "email_templates"

# Signs that CLDR and good typography put between words, but some lists of messages show as boxes.
SPACES = dict.fromkeys(map(ord, "\u00a0\u2009\u202f\n"), " ")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message before it is compiled; `html` is empty if it is plain, and shows the `pictures`."""

    subject: str
    html: str
    text: str
    pictures: tuple[Picture, ...] = ()


@cache
def environment(language: str) -> Environment:
    """The templates with the phrases of one language; only MJML is escaped."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(enabled_extensions=("mjml.j2",), default=False),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(phrases(language), newstyle=True)  # type: ignore[attr-defined] # the extension adds it
    return made


def render(folder: str, language: str, facts: Mapping[str, object]) -> Rendered:
    """Render the message of a folder with these facts.

    A fact that a template wants and does not get, and MJML that does not parse, are our own
    mistakes: they raise what Jinja2 and MJML raise.
    """
    templates = environment(language)
    subject = one_line(templates.get_template(f"{folder}/subject.txt.j2").render(facts))
    known = {**facts, "subject": subject, "language": language}
    text = templates.get_template(f"{folder}/body.txt.j2").render(known).strip("\n") + "\n"
    if f"{folder}/body.mjml.j2" not in templates.list_templates():
        return Rendered(subject, "", text)
    return Rendered(
        subject, _html(templates.get_template(f"{folder}/body.mjml.j2").render(known)), text
    )


def one_line(text: str) -> str:
    """Make text fit for a header: one line, plain spaces, none twice."""
    return " ".join(text.translate(SPACES).split())


def _html(mjml: str) -> str:
    # Without `fonts`, MJML imports Google's for every family it knows the name of.
    return mjml2html(mjml, fonts={}, disable_comments=False)
