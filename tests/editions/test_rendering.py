"""An issue as a message: the right text, the right language, and nothing that watches."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from app.editions.rendering import SlotForged, TextMissing, preheader, render
from app.issues.content import IssueContent
from app.mail.message.compiler import marker
from app.mail.message.templates import Rendered
from app.newsletter import Newsletter

INPUT = Path(__file__).parents[3] / "shared" / "input"
URL = "https://letters.example.org"
SLOT = marker("unsubscribe", 40)
EDITIONS = [("en", "en"), ("be-ru", "be"), ("be-ru", "ru")]

FIRST: dict[str, Any] = {
    "rubric": "economy",
    "situation": "worse",
    "author": "A. Author & Co",
    "photo": {"credit": "Photo <Agency>"},
    "texts": {
        "en": {"title": "Prices & wages", "body": "See [here](https://example.org/en?a=1&b=2)."},
        "be": {"title": "Цэны і зарплаты", "body": "Гл. [тут](https://example.org/be)."},
        "ru": {"title": "Цены и зарплаты", "body": "См. [здесь](https://example.org/ru)."},
    },
}
SECOND: dict[str, Any] = {
    "rubric": "security",
    "situation": "better",
    "texts": {
        "en": {"title": "A quiet week", "body": "Quiet."},
        "be": {"title": "Ціхі тыдзень", "body": "Ціха."},
    },
}


def issue(*commentaries: dict[str, Any]) -> IssueContent:
    return IssueContent.model_validate({"week": "2025-W04", "commentaries": commentaries})


@pytest.fixture(scope="module")
def newsletter() -> Newsletter:
    return Newsletter.load()


def rendered(
    newsletter: Newsletter, content: IssueContent, segment: str, language: str
) -> Rendered:
    return render(content, newsletter.segment(segment), language, newsletter, URL)


@pytest.mark.parametrize(
    ("segment", "language", "subject"),
    [
        ("en", "en", "Belarus in Brief: January 20 – 26, 2025"),
        ("be-ru", "be", "Беларусь сцісла: 20–26 студзеня 2025 г."),
        ("be-ru", "ru", "Беларусь кратко: 20–26 января 2025 г."),
    ],
)
def test_subject(newsletter: Newsletter, segment: str, language: str, subject: str) -> None:
    assert rendered(newsletter, issue(FIRST), segment, language).subject == subject


@pytest.mark.parametrize(("segment", "language"), EDITIONS)
def test_everything_of_a_commentary_is_in_both_parts(
    newsletter: Newsletter, segment: str, language: str
) -> None:
    message = rendered(newsletter, issue(FIRST), segment, language)
    text = FIRST["texts"][language]
    assert text["title"] in message.text
    assert text["title"].replace("&", "&amp;") in message.html
    assert newsletter.rubric("economy").name[language] in message.text
    assert newsletter.rubric("economy").name[language] in message.html
    assert "A. Author & Co" in message.text
    assert "A. Author &amp; Co" in message.html
    assert "Photo <Agency>" in message.text
    assert "Photo &lt;Agency&gt;" in message.html
    assert newsletter.postal_address[language] in message.text
    assert newsletter.postal_address[language] in message.html


@pytest.mark.parametrize(
    ("segment", "language", "words"),
    [
        ("en", "en", "The situation has gotten worse"),
        ("be-ru", "be", "Сітуацыя пагоршылася"),
        ("be-ru", "ru", "Ситуация ухудшилась"),
    ],
)
def test_the_situation_is_a_shape_and_words(
    newsletter: Newsletter, segment: str, language: str, words: str
) -> None:
    message = rendered(newsletter, issue(FIRST), segment, language)
    assert f"▼ {words}" in message.text
    assert f'<span aria-hidden="true">▼</span>&nbsp;{words}' in message.html


def test_a_text_in_the_segment_s_other_language_is_marked(newsletter: Newsletter) -> None:
    message = rendered(newsletter, issue(FIRST, SECOND), "be-ru", "ru")
    assert "Цены и зарплаты" in message.html
    assert "Зарплаты" not in message.html
    assert '<h2 lang="be">Ціхі тыдзень</h2>' in message.html
    assert '<div lang="be"><p>Ціха.</p></div>' in message.html
    assert '<span lang="be">Ціхі тыдзень</span>' in message.html, "in the contents too"
    assert message.html.count('lang="ru"') == 2, "only the message as a whole"
    assert "Ціха." in message.text
    assert "Бяспека" not in message.text, "what is ours stays in the message's language"


def test_a_text_the_segment_cannot_read_is_refused(newsletter: Newsletter) -> None:
    only_english = copy.deepcopy(SECOND)
    del only_english["texts"]["be"]
    with pytest.raises(TextMissing):
        rendered(newsletter, issue(FIRST, only_english), "be-ru", "be")


def test_contents_list_only_where_there_is_a_choice(newsletter: Newsletter) -> None:
    assert "In this issue" not in rendered(newsletter, issue(FIRST), "en", "en").text
    message = rendered(newsletter, issue(FIRST, SECOND), "en", "en")
    assert "In this issue" in message.html
    assert "1. Prices & wages\n   Economy ▼ The situation has gotten worse\n" in message.text
    assert "2. A quiet week\n" in message.text


@pytest.mark.parametrize(("segment", "language"), EDITIONS)
def test_one_slot_and_no_other_link_of_the_reader_s_own(
    newsletter: Newsletter, segment: str, language: str
) -> None:
    message = rendered(newsletter, issue(FIRST, SECOND), segment, language)
    assert set(re.findall(r'href="([^"]+)"', message.html)) == {
        f"{URL}/unsubscribe/{SLOT}",
        f"{URL}/manage?language={language}",
        f"{URL}/archive/{segment}/2025-W04?language={language}",
        f"{URL}/archive/{segment}?language={language}",
        newsletter.website,
        f"https://example.org/{language}" + ("?a=1&amp;b=2" if language == "en" else ""),
    }
    assert message.html.count(SLOT) == 1
    assert message.text.count(SLOT) == 1


@pytest.mark.parametrize(("segment", "language"), EDITIONS)
def test_every_link_of_the_html_is_a_line_of_the_text(
    newsletter: Newsletter, segment: str, language: str
) -> None:
    message = rendered(newsletter, issue(FIRST, SECOND), segment, language)
    lines = [line for line in message.text.split("\n") if "://" in line]
    links = {each.replace("&amp;", "&") for each in re.findall(r'href="([^"]+)"', message.html)}
    assert set(lines) == links


@pytest.mark.parametrize(
    "forged",
    [
        f"[a](https://example.org/{SLOT})",
        f"[a](https://example.org/{SLOT.replace('-', chr(92) + '-')})",
        f"[a](https://example.org/&#118;{SLOT[1:]})",
        SLOT,
        marker("to", 30),
    ],
)
def test_a_text_cannot_have_a_slot(newsletter: Newsletter, forged: str) -> None:
    """In a link to elsewhere, the reader's token would tell who reads."""
    forger = copy.deepcopy(FIRST)
    forger["texts"]["en"]["body"] = forged
    with pytest.raises(SlotForged):
        rendered(newsletter, issue(forger), "en", "en")
    forger = {**copy.deepcopy(FIRST), "author": SLOT}
    with pytest.raises(SlotForged):
        rendered(newsletter, issue(forger), "en", "en")


@pytest.mark.parametrize(("segment", "language"), EDITIONS)
def test_nothing_is_fetched_and_nothing_runs(
    newsletter: Newsletter, segment: str, language: str
) -> None:
    html = rendered(newsletter, issue(FIRST, SECOND), segment, language).html
    assert not re.search(r"<(img|link|script|iframe|form|svg|video)\b", html)
    assert not re.search(r"@import|url\(|\bsrc=|\bbackground=|\bon\w+=", html)
    # Names of XML vocabularies are not fetched.
    addresses = re.findall(r"https?://[^\"'<>\s]+", re.sub(r'xmlns(:\w)?="[^"]+"', "", html))
    own = (URL, newsletter.website, "https://example.org/")
    assert [each for each in addresses if not each.startswith(own)] == []


def test_hostile_titles_are_escaped(newsletter: Newsletter) -> None:
    hostile = copy.deepcopy(FIRST)
    hostile["texts"]["en"]["title"] = "</h2><script>x</script>{{ 7*7 }}<mj-raw>"
    html = rendered(newsletter, issue(hostile), "en", "en").html
    assert "<script" not in html
    assert "<mj-raw" not in html
    assert "{{ 7*7 }}" in html


def test_style_blocks_are_small_enough(newsletter: Newsletter) -> None:
    """Gmail drops a block of more than 8,192 characters with all that is in it."""
    html = rendered(newsletter, issue(FIRST, SECOND), "be-ru", "ru").html
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    assert blocks
    assert max(map(len, blocks)) <= 8_192


@pytest.mark.parametrize("language", ["be", "ru"])
def test_twelve_long_commentaries_fit(newsletter: Newsletter, language: str) -> None:
    """Each of 5 kB; longer ones are cut off by some mailboxes."""
    body = ("Паўтарэнне — маці вучэння. " * 10 + "\n\n") * 11
    assert len(body[:2_900].encode()) >= 5_000
    long = {**FIRST, "texts": {"be": {"title": "Доўгі загаловак " * 5, "body": body[:2_900]}}}
    message = rendered(newsletter, issue(*[long] * 12), "be-ru", language)
    assert len(message.html.encode()) < 95_000


def test_the_real_issue(newsletter: Newsletter) -> None:
    """The publisher's sample, where it is at hand."""
    path = INPUT / "2025-W04.json"
    if not path.exists():
        pytest.skip("the publisher's samples are not beside this checkout")
    content = IssueContent.model_validate_json(path.read_bytes())
    for segment, language in EDITIONS:
        message = rendered(newsletter, content, segment, language)
        text = content.commentaries[0].texts[language]
        assert len(message.html.encode()) < 20_000
        for paragraph in text.body.split("\n\n"):
            assert paragraph in message.text
            assert paragraph in message.html
        assert message.html.count(f'lang="{language}"') == 2
        assert not re.search(r'<(h2|div|span) lang="', message.html)


def test_preheader() -> None:
    assert preheader(["One", "Two"]) == "One · Two"
    assert preheader(["word " * 30, "next"]) == " ".join(["word"] * 21) + "…"
    assert len(preheader(["x" * 300])) == 110
