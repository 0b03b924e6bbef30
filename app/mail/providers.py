"""The great mailbox providers, as data: which domains are one provider's, and what it takes gladly.

Mail to all domains of a provider goes to the same servers, so they share one limit. The name of a
provider says little of a reader; a domain may say everything, and is never kept.
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).with_name("providers.toml")
_ANY_COUNTRY = ".*"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider with what it takes from all our senders together."""

    name: str
    domains: tuple[str, ...]
    connections: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None

    def has(self, domain: str) -> bool:
        """Tell whether this domain (in lower case, ASCII) is the provider's."""
        return any(_matches(pattern, domain) for pattern in self.domains)


def _matches(pattern: str, domain: str) -> bool:
    if not pattern.endswith(_ANY_COUNTRY):
        return domain == pattern
    name, _, country = domain.partition(".")
    # co.uk and com.br, and no host below one: a country has at most two short parts.
    parts = country.split(".")
    short = len(parts) <= 2 and all(2 <= len(part) <= 3 for part in parts)
    return short and name == pattern.removesuffix(_ANY_COUNTRY)


@lru_cache(maxsize=1)
def providers() -> dict[str, Provider]:
    """Read the table; by name."""
    with TABLE.open("rb") as file:
        table = tomllib.load(file)
    return {name: Provider(name, tuple(row.pop("domains")), **row) for name, row in table.items()}


@lru_cache(maxsize=4096)
def provider_of(domain: str) -> str | None:
    """Return the name of the great provider that a domain belongs to; None for all others."""
    found = (each.name for each in providers().values() if each.has(domain.lower().rstrip(".")))
    return next(found, None)
