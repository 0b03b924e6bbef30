"""Which group a receiving domain belongs to, and what the group is to get at most.

A great provider's domains are one group, any other domain is one by itself. The narrowest pattern
of VESTKA_DOMAIN_LIMITS says the limits of a group; where none matches, the table of providers does.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from app.errors import DomainError
from app.mail.domain_patterns import Pattern, PatternWrong, narrowest
from app.mail.limits import NO_LIMITS, Limits, LimitWrong, read_limits
from app.mail.providers import provider_of, providers

OFF = "off"
MOST = 8192  # domains whose group is remembered
_KNOWN = ("connections", "per_minute", "per_hour")


class DomainLimitWrong(DomainError):
    """A domain's limits are PATTERN?connections=5&per_minute=60&per_hour=1000, or off for none.

    A pattern is a provider's name such as gmail, a domain, *.domain, or * for all.
    """


class Member(NamedTuple):
    """The group that a domain belongs to, by its key, and the group's limits."""

    key: str
    limits: Limits


@dataclass(frozen=True)
class DestinationLimits:
    """The limits of all groups. `name` turns a key into what may be stored."""

    patterns: tuple[tuple[Pattern, Limits], ...] = ()
    provided: bool = True
    secret: bytes = b""
    _members: dict[str, Member] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def parse(cls, words: Sequence[str], secret: bytes) -> "DestinationLimits":
        """Read VESTKA_DOMAIN_LIMITS. Raises DomainLimitWrong."""
        read = tuple(_read(word) for word in words if word != OFF)
        if len({pattern for pattern, _ in read}) < len(read):
            raise DomainLimitWrong
        return cls(read, OFF not in words, secret)

    def of(self, domain: str) -> Member:
        """Return a domain's group. `domain` is in lower case and ASCII."""
        member = self._members.get(domain)
        if member is None:
            if len(self._members) >= MOST:
                self._members.clear()
            member = self._members[domain] = self._member(domain)
        return member

    def _member(self, domain: str) -> Member:
        provider = provider_of(domain)
        pattern = narrowest([each for each, _ in self.patterns], domain)
        if pattern is not None:
            alone = pattern.text == domain and domain not in providers()
            key = domain if alone or provider is None else provider
            return Member(key, dict(self.patterns)[pattern])
        if provider is None:
            return Member(domain, NO_LIMITS)
        return Member(provider, _provided(provider) if self.provided else NO_LIMITS)

    def name(self, key: str) -> str:
        """Return the name under which a group is stored: without the secret it tells nothing."""
        return hmac.digest(self.secret, key.encode(), "sha256")[:16].hex()


def _read(word: str) -> tuple[Pattern, Limits]:
    pattern, _, query = word.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    if not given or len(given) < len(pairs) or not set(given) <= set(_KNOWN):
        raise DomainLimitWrong
    try:
        return Pattern.parse(pattern), read_limits(given)
    except (PatternWrong, LimitWrong) as wrong:
        raise DomainLimitWrong(str(wrong)) from None


def _provided(name: str) -> Limits:
    found = providers()[name]
    return Limits(
        connections=found.connections, per_minute=found.per_minute, per_hour=found.per_hour
    )
