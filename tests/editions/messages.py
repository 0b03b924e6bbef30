"""A message with everything in it, for tests of how messages look."""

from app.demo.issue import sample_issue
from app.editions.pictures import Shown, content_id
from app.editions.rendering import render
from app.issues.content import IssueContent
from app.newsletter import Newsletter

EVERY_BLOCK = (
    "# One\n\n## Two\n\n> Said.\n\n- [a](https://example.org/)\n\n`code`\n\n---\n\n1. b\n\n"
)


def a_message() -> str:
    """An issue with all verdicts, a foreign text, a photo, a cut, and all blocks, as HTML."""
    document = sample_issue("2025-W04")
    first = document["commentaries"][0]
    for text in first["texts"].values():
        text["body"] = EVERY_BLOCK + (text["body"] + "\n\n") * 18
    photo = "a" * 64
    first["photo"] = {"credit": "example.org", "alt": {"ru": "Переход"}, "id": photo}
    newsletter = Newsletter.load()
    content = IssueContent.model_validate(document)
    url = "https://news.example.org"
    photos = {photo: Shown(f"cid:{content_id(photo)}", 1072, 600)}
    return render(content, newsletter.segment("be-ru"), "ru", newsletter, url, photos).html
