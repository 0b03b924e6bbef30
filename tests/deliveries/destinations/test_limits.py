"""Which group a domain belongs to, and what it is to get at most."""

import pytest

from app.deliveries.destinations.limits import DestinationLimits, DomainLimitWrong, Member
from app.mail.limits import NO_LIMITS, Limits
from app.mail.providers import providers


def limits(*words: str) -> DestinationLimits:
    return DestinationLimits.parse(words, b"secret")


def test_a_great_provider_is_one_group_with_its_own_limits() -> None:
    gmail = limits().of("gmail.com")
    assert gmail == limits().of("googlemail.com")
    assert gmail.key == "gmail"
    assert gmail.limits.per_minute == providers()["gmail"].per_minute
    assert limits("off").of("gmail.com") == Member("gmail", NO_LIMITS)


def test_any_other_domain_is_a_group_by_itself() -> None:
    assert limits().of("example.org") == Member("example.org", NO_LIMITS)


def test_the_narrowest_pattern_says_the_limits() -> None:
    given = limits("*?per_minute=60", "*.by?per_hour=9", "gmail?connections=2", "a.by?per_minute=1")
    assert given.of("example.org") == Member("example.org", Limits(per_minute=60))
    assert given.of("b.by") == Member("b.by", Limits(per_hour=9))
    assert given.of("a.by") == Member("a.by", Limits(per_minute=1))
    assert given.of("googlemail.com") == Member("gmail", Limits(connections=2))
    assert given.of("yahoo.fr") == Member("yahoo", Limits(per_minute=60))


def test_a_domain_of_a_provider_may_be_named_by_itself() -> None:
    given = limits("googlemail.com?per_minute=1")
    assert given.of("googlemail.com") == Member("googlemail.com", Limits(per_minute=1))
    assert given.of("gmail.com").key == "gmail"


@pytest.mark.parametrize(
    "word",
    [
        *("gmail", "gmial?per_minute=1", "gmail?per_day=1", "gmail?per_minute=0", "?per_minute=1"),
        *("gmail?per_minute=1&per_minute=2", "gmail?", "on"),
    ],
)
def test_what_cannot_be_kept_is_refused(word: str) -> None:
    with pytest.raises(DomainLimitWrong):
        limits(word)


def test_a_pattern_is_given_once() -> None:
    with pytest.raises(DomainLimitWrong):
        limits("gmail?per_minute=1", "gmail?per_minute=2")


def test_what_is_stored_tells_nothing_without_the_secret() -> None:
    name = limits().name("gmail")
    assert "gmail" not in name
    assert name == limits("off").name("gmail")
    assert name != DestinationLimits.parse([], b"other").name("gmail")
