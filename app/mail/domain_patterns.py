"""Which domains are meant: a great provider's name, a domain, `*.by` for all below it, or `*`."""

import re
from dataclasses import dataclass

from app.errors import DomainError
from app.mail.providers import provider_of, providers

ALL = "*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*{_LABEL}")


class PatternWrong(DomainError):
    """A domain pattern is a provider's name such as gmail, a domain, *.domain, or *."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A domain pattern, in lower case and ASCII."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """Read a pattern; names outside ASCII are turned into A-labels. Raises PatternWrong."""
        written = text.strip().lower().removesuffix(".")
        if text.strip() == ALL or written in providers():
            return cls(written)
        try:
            star, rest = ("*.", written[2:]) if written.startswith("*.") else ("", written)
            ascii_only = star + (rest if rest.isascii() else rest.encode("idna").decode("ascii"))
        except UnicodeError:
            raise PatternWrong from None
        whole = _DOMAIN.fullmatch(ascii_only)
        if whole is None or "." not in ascii_only:  # a bare word is a provider's name, misspelt
            raise PatternWrong
        return cls(ascii_only)

    def matches(self, domain: str) -> bool:
        """Tell whether a domain (in lower case, ASCII) is meant."""
        if self.text in (ALL, domain):
            return True
        if self.text.startswith("*."):
            return domain.endswith(self.text[1:])
        return self.text in providers() and provider_of(domain) == self.text

    @property
    def narrowness(self) -> int:
        """Order patterns by how much they say: a domain, a provider, a suffix by length, all."""
        if self.text == ALL:
            return 0
        if self.text.startswith("*."):
            return len(self.text)
        return 1000 if self.text in providers() else 2000


def narrowest(patterns: "list[Pattern]", domain: str) -> Pattern | None:
    """Return the pattern that says most of those that match; None if none does."""
    matching = [each for each in patterns if each.matches(domain)]
    return max(matching, key=lambda each: each.narrowness, default=None)
