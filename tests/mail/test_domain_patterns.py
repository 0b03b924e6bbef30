"""Domain patterns: what they match, and which of several decides."""

import pytest

from app.mail.domain_patterns import Pattern, PatternWrong, narrowest


@pytest.mark.parametrize(
    ("text", "domain", "matches"),
    [
        ("gmail", "gmail.com", True),
        ("gmail", "example.org", False),
        ("gmail.com", "googlemail.com", False),
        ("Example.ORG.", "example.org", True),
        ("example.org", "mail.example.org", False),
        ("*.by", "example.by", True),
        ("*.by", "by", False),
        ("*.by", "example.baby", False),
        ("пошта.бел", "xn--80a1acn3a.xn--90ais", True),
        ("*.бел", "xn--80a1acn3a.xn--90ais", True),
        ("*", "example.org", True),
    ],
)
def test_a_pattern_matches(text: str, domain: str, *, matches: bool) -> None:
    assert Pattern.parse(text).matches(domain) is matches


@pytest.mark.parametrize("text", ["", "gmial", "a b.org", "*.", "**.by", "a@b.org", "-a.org", "."])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(PatternWrong):
        Pattern.parse(text)


def test_the_narrowest_decides() -> None:
    patterns = [Pattern.parse(text) for text in ("*", "*.ru", "mail.ru", "*.mail.ru", "gmail")]
    found = {
        domain: narrowest(patterns, domain)
        for domain in ("bk.ru", "example.ru", "x.mail.ru", "gmail.com", "example.org")
    }
    texts = {domain: pattern.text if pattern else None for domain, pattern in found.items()}
    assert texts == {
        "bk.ru": "mail.ru",
        "example.ru": "*.ru",
        "x.mail.ru": "*.mail.ru",
        "gmail.com": "gmail",
        "example.org": "*",
    }
    assert narrowest([], "example.org") is None
