"""What no text holds, by the Unicode database: everything that is not there passes."""

import sys
from unicodedata import category

import pytest

from app.text_safety import OVERRIDES, is_plain


def test_every_sign_is_judged_alone() -> None:
    for number in range(sys.maxunicode + 1):
        sign = chr(number)
        bad = category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in OVERRIDES
        assert is_plain(sign) is not bad


@pytest.mark.parametrize(
    "text", ["", "Беларусь сцісла — «навіны»", "👩\u200d👩\u200d👧", "a\u00a0b"]
)
def test_what_people_write_is_plain(text: str) -> None:
    assert is_plain(text)


def test_some_may_be_allowed_where_they_belong() -> None:
    assert is_plain("a\n\tb", allowed="\n\t")
    assert not is_plain("a\n\tb", allowed="\n")
