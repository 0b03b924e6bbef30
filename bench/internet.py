"""A relay on loopback with the domains of a small internet behind it, on the loop's own time.

It answers for each domain as that is scripted, and keeps what it took: when, and for whom.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from app.demo.smtpd import Inbox, Receiver, Session
from bench.domains import Manner, Plain


class Taken(NamedTuple):
    """A message that was taken: when, in seconds, for whom, and by which relay."""

    at: float
    reader: str
    relay: str


class Internet:
    """What stands behind all relays."""

    def __init__(self, domains: Mapping[str, Manner], latency: float = 0.02) -> None:
        """`latency`: seconds that a relay takes for a message."""
        self._domains = domains
        self._plain = Plain()
        self.latency = latency
        self.taken: list[Taken] = []
        self.refused: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.under_way: Counter[str] = Counter()
        self.most_under_way: Counter[str] = Counter()

    def manner(self, domain: str) -> Manner:
        """How a domain behaves; one that is not scripted takes everything."""
        return self._domains.get(domain, self._plain)

    def begin(self, domain: str) -> None:
        """Count a message that is under way to a domain."""
        self.under_way[domain] += 1
        self.most_under_way[domain] = max(self.most_under_way[domain], self.under_way[domain])

    def end(self, domain: str) -> None:
        """Count it no more."""
        self.under_way[domain] -= 1


class Relay(Receiver):
    """One relay of the internet; lives in the loop that starts it."""

    def __init__(self, internet: Internet, name: str = "") -> None:
        super().__init__(Inbox(), lambda i, r, w: _Conversation(internet, name, i, r, w))
        self.name = name


class _Conversation(Session):
    """Refuses a recipient as its domain does, and thinks as long."""

    def __init__(
        self,
        internet: Internet,
        name: str,
        inbox: Inbox,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(inbox, reader, writer)
        self.internet = internet
        self.name = name

    async def answer(self, verb: str, argument: str) -> str:
        """At RCPT the domain is asked."""
        reply = await super().answer(verb, argument)
        if verb != "RCPT" or not reply.startswith("2"):
            return reply
        reader = self.envelope.recipients[-1]
        domain = reader.rpartition("@")[2]
        now = asyncio.get_running_loop().time()
        self.internet.begin(domain)
        said, delay = self.internet.manner(domain).hear(reader, now)
        if delay:
            await asyncio.sleep(delay)
        if said is None:
            return reply
        self.internet.end(domain)
        self.envelope.recipients.pop()
        self.internet.refused[domain][said[:9]] += 1
        return said

    async def take(self, raw: bytes) -> str:
        """Keep no message: only that it came."""
        await asyncio.sleep(self.internet.latency)
        now = asyncio.get_running_loop().time()
        for reader in self.envelope.recipients:
            self.internet.end(reader.rpartition("@")[2])
            self.internet.taken.append(Taken(now, reader, self.name))
        return "250 2.0.0 Ok"
