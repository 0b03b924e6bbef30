"""Findings: what an editor should know of an edition before its readers do.

Errors block the approval, warnings are listed. Pure: the same issue has the same findings. That a
photo has a credit and that a commentary has a text is seen to elsewhere, and contrast by a test of
the templates, because no issue can change a colour.
"""

from collections import Counter
from collections.abc import Iterator

from app.editions.lint.finding import Finding, Level, error, quoted, warning
from app.editions.lint.links import on_links, on_message
from app.editions.lint.wording import on_preheader, on_subject, on_text
from app.editions.rendering import preheader, shown_text
from app.editions.self_check import objections
from app.editions.truncation import html_size
from app.issues.content import IssueContent
from app.mail.message.self_check import LARGEST_HTML
from app.mail.message.templates import Rendered
from app.newsletter import Segment

LARGE_HTML = 80_000  # bytes: near what mailboxes cut

__all__ = ["Finding", "Level", "errors_of", "examine"]


def examine(
    content: IssueContent, segment: Segment, language: str, rendered: Rendered, public_url: str
) -> tuple[Finding, ...]:
    """Examine an edition of this content; errors first, each thing once.

    Raises `TextMissing` if the segment cannot read all of it.
    """
    where = f"editions.{segment.id}.{language}"
    found = dict.fromkeys(
        (
            *_on_texts(content, segment, language),
            *on_subject(f"{where}.subject", rendered.subject),
            *on_message(f"{where}.html", rendered.html, public_url),
            *_on_size(f"{where}.html", rendered.html),
            *(error(where, said) for said in objections(rendered, language)),
        )
    )
    return tuple(sorted(found, key=lambda each: each.level is not Level.ERROR))


def errors_of(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Pick those that block approval."""
    return tuple(each for each in findings if each.level is Level.ERROR)


def _on_texts(content: IssueContent, segment: Segment, language: str) -> Iterator[Finding]:
    titles = []
    for index, commentary in enumerate(content.commentaries):
        place = f"commentaries.{index}"
        spoken, text = shown_text(commentary, segment, language)
        yield from on_text(f"{place}.texts.{spoken}", text, spoken)
        yield from on_links(f"{place}.texts.{spoken}.body", text.body)
        photo = commentary.photo
        if photo and photo.id and spoken not in (photo.alt or {}):
            yield error(f"{place}.photo.alt.{spoken}", "the photo has no description")
        titles.append(text.title)
    yield from on_preheader(f"editions.{segment.id}.{language}.preheader", preheader(titles))
    for title, times in Counter(titles).items():
        if times > 1:
            where = f"commentaries.{titles.index(title)}"
            yield warning(where, f"{times} commentaries have the title {quoted(title)}")


def _on_size(where: str, html: str) -> Iterator[Finding]:
    size = html_size(html)
    if size >= LARGEST_HTML:
        yield error(where, f"{size} bytes are more than mailboxes show whole ({LARGEST_HTML})")
    elif shortened := html.count('class="rest"'):
        yield warning(where, f"long commentaries are cut in the message: {shortened}")
    elif size > LARGE_HTML:
        yield warning(where, f"{size} bytes are near what mailboxes show whole ({LARGEST_HTML})")
