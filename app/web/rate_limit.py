"""How often one client, and all of them together, may ask us to write to somebody.

Counted in the database, so that it holds over processes, under a keyed hash that changes with every
slot of time; no client's address is stored. A process remembers whom it refused until then, so that
a flood of refusals costs no database.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from math import ceil
from typing import NamedTuple

from fastapi import Request

from app.database import Database
from app.errors import DomainError
from app.log import get_logger
from app.rate_limits.counter import take
from app.rate_limits.refusals import CLIENT, EVERYONE, count_refused
from app.settings import Settings
from app.web.client_ip import Address, Callers, prefix
from app.web.group_commit import GroupCommit

log = get_logger("web")

ROOM = 5000  # requests waiting to be counted
REMEMBERED = 10_000  # clients: some two megabytes
TELL_EVERY = timedelta(seconds=10)


class TooManyRequests(DomainError):
    """Too many requests have come in a short time; please try again later."""

    def __init__(self, wait: timedelta, *, everyone: bool = False) -> None:
        """`wait` is how long it will be refused; `everyone`: not this client has sent too many."""
        super().__init__()
        self.everyone = everyone
        self.retry_after = max(1, ceil(wait.total_seconds()))  # seconds

    @property
    def minutes(self) -> int:
        """The same in minutes, as a person is told."""
        return ceil(self.retry_after / 60)


class _Turn(NamedTuple):
    """One request that is to be counted."""

    whom: str
    now: datetime


class RateLimit:
    """One for a process, used from its event loop."""

    def __init__(self, settings: Settings, database: Database, key: bytes) -> None:
        """`key` is a secret (32 bytes) that all processes of this role share."""
        self._callers = Callers.of(settings)
        self._limits = {CLIENT: settings.rate_limit_client, EVERYONE: settings.rate_limit_total}
        self._database = database
        self._key = key
        self._gathering: GroupCommit[_Turn, dict[str, timedelta]] = GroupCommit(
            self._count, room=ROOM
        )
        self._refused: dict[tuple[str, str], datetime] = {}
        self._untold: Counter[str] = Counter()
        self._told = 0
        self._told_at: datetime | None = None
        self._warned = False

    async def take(self, request: Request, *, now: datetime) -> None:
        """Take one of what the request's client may ask for. Raises TooManyRequests, TooBusy."""
        client = self._callers.client(request.scope)
        self._warn_of_proxy(request, client)
        if not any(self._limits.values()) or self._callers.is_trusted(request.scope, client):
            return
        whom = prefix(client)
        waits = self._remembered(whom, now)
        if not waits:
            waits = await self._gathering.add(_Turn(whom, now))
            self._remember(whom, waits, now)
        for reason, wait in waits.items():
            self._untold[reason] += 1
            await self._tell(now)
            raise TooManyRequests(wait, everyone=reason == EVERYONE)

    def _count(self, turns: Sequence[_Turn]) -> Sequence[dict[str, timedelta]]:
        """Count requests in one commit; return why and for how long each must wait, if it must.

        The clients first: what is refused to one is not taken from all. In the order of their
        names: two processes that count the same ones never wait for each other in a circle.
        """
        waits: list[dict[str, timedelta]] = [{} for _ in turns]
        order = sorted(range(len(turns)), key=lambda place: turns[place].whom)
        with self._database.transaction() as session:
            for reason in (CLIENT, EVERYONE):
                for place in order:
                    whom, now = turns[place]
                    about = f"{reason}|{whom if reason == CLIENT else ''}".encode()
                    if waits[place]:
                        continue
                    wait = take(session, self._key, about, self._limits[reason], now=now)
                    if wait:
                        waits[place] = {reason: wait}
        return waits

    def _remembered(self, whom: str, now: datetime) -> dict[str, timedelta]:
        """Why and for how long this client must wait, as far as this process knows."""
        for reason, name in ((CLIENT, whom), (EVERYONE, "")):
            until = self._refused.get((reason, name))
            if until is not None and until > now:
                return {reason: until - now}
        return {}

    def _remember(self, whom: str, waits: Mapping[str, timedelta], now: datetime) -> None:
        for reason, wait in waits.items():
            if len(self._refused) >= REMEMBERED:
                self._refused = {who: end for who, end in self._refused.items() if end > now}
            if len(self._refused) < REMEMBERED:  # else the database tells it each time
                self._refused[reason, whom if reason == CLIENT else ""] = now + wait

    async def _tell(self, now: datetime) -> None:
        """Write down what was refused; in a flood only when it doubled, or after ten seconds."""
        if self._told_at is None or not timedelta(0) <= now - self._told_at < TELL_EVERY:
            self._told = 0
        elif self._untold.total() < self._told:
            return
        untold, self._untold, self._told_at = self._untold, Counter(), now
        self._told += untold.total()
        await asyncio.to_thread(self._write, untold, now.date())

    def _write(self, untold: Mapping[str, int], today: date) -> None:
        with self._database.transaction() as session:
            for reason, times in sorted(untold.items()):
                count_refused(session, reason, today=today, times=times)

    def _warn_of_proxy(self, request: Request, peer: Address | None) -> None:
        """Tell once of what looks like a proxy of our own: others may claim what they like."""
        if self._warned or peer is None or not peer.is_private:
            return
        if self._callers.is_passed_on(request.scope):
            self._warned = True
            log.warning("a proxy that VESTKA_TRUSTED_PROXIES does not name passes requests on")
