"""Of HTML remains what a person sees."""

import pytest

from app.mail.reports.markup import without_markup


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        ("<p>User <b>unknown</b></p>", "User unknown"),
        ("a<br>b", "a\nb"),
        ("<style>p { }</style>x<script>y</script>", "x"),
        ("<head><title>t</title></head><body>x", "x"),
        ("&lt;ann@example.com&gt;&nbsp;&amp;", "<ann@example.com> &"),
        ("1 < 2", "1   2"),
        ("<header>x</header>", "x"),
        ("open <b", "open  b"),
        ("to <ann@example.com>: no", "to <ann@example.com>: no"),
    ],
)
def test_words_remain(markup: str, seen: str) -> None:
    assert without_markup(markup).strip() == seen
