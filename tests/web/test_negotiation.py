"""Accept-Language: which of ours it likes best."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.negotiation import preferred

OURS = ("en", "be", "ru")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("be", "be"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
        ("be-Latn-BY, ru;q=0.9", "be"),
        ("BE-by", "be"),
        ("pl, be;q=0.7, ru;q=0.8", "ru"),
        ("pl,de;q=0.9", None),
        ("*", None),
        ("ru;q=0", None),
        ("ru;q=0, be;q=0.1", "be"),
        ("ru;q=2, be;q=0.1", "be"),
        ("ru;q=nan, be;q=0.1", "be"),
        ("ru ; Q=0.5 , en ; q=0.6", "en"),
        ("ru,be", "ru"),
        (";;;,,=", None),
    ],
)
def test_the_best_liked_of_ours_is_chosen(header: str, language: str | None) -> None:
    assert preferred(header, OURS) == language


@given(st.text())
def test_whatever_is_sent_has_an_answer(header: str) -> None:
    assert preferred(header, OURS) in (None, *OURS)


@given(st.permutations(OURS), st.lists(st.integers(1, 1000), min_size=3, max_size=3, unique=True))
def test_weights_decide_and_not_the_order(order: list[str], weights: list[int]) -> None:
    header = ",".join(f"{tag};q={w / 1000}" for tag, w in zip(order, weights, strict=True))
    assert preferred(header, OURS) == order[weights.index(max(weights))]
