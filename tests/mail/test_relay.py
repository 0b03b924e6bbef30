"""A relay's URL is read whole or refused, and its password is never shown."""

import pytest

from app.mail.domain_patterns import PatternWrong
from app.mail.limits import Limits
from app.mail.relay import Relay, RelayLimitWrong, RelayUnreadable, RelayUnsafe, Security


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        (
            "smtps://ann:secret@mail.example.org:465",
            Relay("mail.example.org", 465, Security.TLS, "ann", "secret"),
        ),
        (
            "smtp://news%40example.org:p%40%3A%2F%23@mail.example.org:2525",
            Relay("mail.example.org", 2525, Security.STARTTLS, "news@example.org", "p@:/#"),
        ),
        ("smtps://mail.example.org", Relay("mail.example.org", 465, Security.TLS)),
        ("smtp://mail.example.org/", Relay("mail.example.org", 587, Security.STARTTLS)),
        ("smtp+insecure://127.0.0.1:1025", Relay("127.0.0.1", 1025, Security.NONE)),
        ("smtp+insecure://localhost:1025", Relay("localhost", 1025, Security.NONE)),
        ("smtp+insecure://[::1]:1025", Relay("::1", 1025, Security.NONE)),
    ],
)
def test_a_relay_is_read(url: str, relay: Relay) -> None:
    assert Relay.parse(url) == relay


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.org",
        "http://mail.example.org",
        "smtp://",
        "smtp://ann@mail.example.org",
        "smtp://:secret@mail.example.org",
        "smtp://ann:@mail.example.org",
        "smtp://ann:se%00cret@mail.example.org",
        "smtp://ann:sec%FFret@mail.example.org",
        "smtp://ann:sec#ret@mail.example.org",
        "smtp://ann:sec/ret@mail.example.org",
        "smtp://mail.example.org:0",
        "smtp://mail.example.org:99999",
        "smtp://mail.example.org:smtp",
        "smtp://mail.example.org/inbox",
        "smtp://mail .example.org",
        "smtp://mail.example.org\n",
        "smtp://пошта.бел",
        "smtp://[::1",
    ],
)
def test_what_is_no_relay_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(RelayUnreadable) as refusal:
        Relay.parse(url)
    assert "cret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "smtp+insecure://mail.example.org:25",
        "smtp+insecure://192.0.2.1:25",
        "smtp+insecure://127.0.0.1.example.org:25",
        "smtp+insecure://localhost.example.org:25",
        "smtp+insecure://ann:secret@127.0.0.1:25",
    ],
)
def test_without_tls_nothing_leaves_the_machine_and_no_password_is_said(url: str) -> None:
    with pytest.raises(RelayUnsafe):
        Relay.parse(url)


def test_the_credentials_are_never_shown() -> None:
    relay = Relay.parse("smtps://ann:secret@mail.example.org:465")
    for shown in (repr(relay), str(relay), relay.name):
        assert "ann" not in shown
        assert "secret" not in shown
    assert relay.name == "mail.example.org:465"
    assert Relay.parse("smtp+insecure://[::1]:1025").name == "[::1]:1025"


def test_limits_stand_behind_the_question_mark() -> None:
    url = "smtps://u:p@mail.example.org?connections=4&per_second=20&per_day=5000&per_connection=50"
    limits = Relay.parse(url).limits
    assert limits == Limits(connections=4, per_second=20, per_day=5000, per_connection=50)
    assert limits.pace
    assert not Relay.parse("smtp+insecure://127.0.0.1:25?connections=2").limits.pace
    assert Relay.parse("smtp+insecure://127.0.0.1:25").limits == Limits()


@pytest.mark.parametrize(
    "query",
    [
        *(
            "per_week=3",
            "connections=0",
            "weight=0",
            "weight=1000",
            "segment=",
            "weight=1&weight=2",
            "connections=",
            "connections=-1",
            "connections=1.5",
        ),
        *("connections=1&connections=2", "connections", "per_day=1e3", "per_day=9999999999"),
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(query: str) -> None:
    with pytest.raises(RelayLimitWrong):
        Relay.parse(f"smtp+insecure://127.0.0.1:25?{query}")


def test_a_relay_may_be_there_for_some_messages_only() -> None:
    url = "smtps://u:p@mail.example.org?weight=3&segment=en&segment=be-ru&domain=*.by&domain=gmail"
    relay = Relay.parse(url)
    assert (relay.weight, relay.is_bound) == (3, True)
    assert relay.takes("en", "example.by")
    assert relay.takes("be-ru", "googlemail.com")
    assert not relay.takes("en", "example.org")
    assert not relay.takes("pl", "example.by")
    assert not relay.takes(None, "example.by"), "what has no segment is no segment's"
    other = Relay.parse("smtps://mail.example.org")
    assert (other.weight, other.is_bound) == (1, False)
    assert other.takes(None, "example.org")


@pytest.mark.parametrize("text", ["domain=gmial", "domain=", "domain=a..by", "domain=*.*.by"])
def test_a_domain_pattern_that_matches_nothing_is_refused(text: str) -> None:
    with pytest.raises(PatternWrong):
        Relay.parse(f"smtp+insecure://127.0.0.1:25?{text}")
