"""The table of great providers: no domain is two providers', and look-alikes are nobody's."""

import pytest

from app.mail.providers import provider_of, providers


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("gmail.com", "gmail"),
        ("GoogleMail.com", "gmail"),
        ("hotmail.co.uk", "microsoft"),
        ("outlook.com", "microsoft"),
        ("yahoo.com.br", "yahoo"),
        ("bk.ru", "mail.ru"),
        ("yandex.by", "yandex"),
        ("example.org", None),
        ("gmail.com.example.org", None),
        ("notgmail.com", None),
        ("yahoo.example.org", None),
        ("mail.yahoo.com", None),
        ("yahoo", None),
        ("", None),
    ],
)
def test_a_domain_is_its_provider_s(domain: str, name: str | None) -> None:
    assert provider_of(domain) == name


def test_no_domain_is_named_twice() -> None:
    named = [domain for each in providers().values() for domain in each.domains]
    assert sorted(set(named)) == sorted(named)
    for each in providers().values():
        others = [o for o in providers().values() if o is not each]
        assert not any(other.has(domain) for other in others for domain in each.domains)


def test_every_provider_has_limits_that_can_be_kept() -> None:
    for each in providers().values():
        assert each.domains
        assert (each.connections or 0) >= 1
        assert (each.per_minute or 0) >= 60
