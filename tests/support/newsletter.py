"""The newsletter as a story: readers who ask and leave, operators who write and send.

HTTP goes in and messages come out; nobody looks into the database.
"""

import email
import email.policy
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cached_property
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit

from app.demo.smtpd import ReceivedMessage
from tests.support.service import PATIENCE, Answer, Place, Process, eventually
from tests.support.smtpd import ScriptedServer

FORM = "application/x-www-form-urlencoded"
_URL = re.compile(r"https?://[^\s<>\"'()]+")
_COUNTS = ("sent", "pending", "claimed", "deferred", "failed", "uncertain")


@dataclass(frozen=True)
class Message:
    """One message as the relay got it."""

    received: ReceivedMessage

    @property
    def raw(self) -> bytes:
        return self.received.raw

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def header(self, name: str) -> str:
        """A header as a person reads it, on one line."""
        return " ".join(str(self.message[name]).split())

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def language(self) -> str:
        return self.header("Content-Language")

    @cached_property
    def text(self) -> str:
        return self._part("plain")

    @cached_property
    def html(self) -> str:
        return self._part("html")

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None, f"the message has no {subtype} part"
        content: str = part.get_content()
        return content

    @cached_property
    def links(self) -> frozenset[str]:
        """Every URL of the message, wherever it stands."""
        headers = " ".join(str(value) for value in self.message.values())
        return frozenset(_URL.findall(f"{headers} {self.text} {self.html}"))

    def link(self, kind: str) -> str:
        """The path of the message's one link to /kind/…; all places of the message share it."""
        paths = {urlsplit(url).path for url in self.links}
        (found,) = {path for path in paths if path.startswith(f"/{kind}/")}
        return found

    def has_link(self, kind: str) -> bool:
        return any(urlsplit(url).path.startswith(f"/{kind}/") for url in self.links)


class Reader:
    """Whoever sits before a browser or a mail program."""

    def __init__(self, place: Place, inbox_of: Callable[[str], list[Message]]) -> None:
        self._place = place
        self._inbox_of = inbox_of

    def sends(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        media_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        caller: str = "127.0.0.1",
    ) -> Answer:
        """Send anything to the readers' port."""
        more = {"Content-Type": media_type} if media_type else {}
        sent = {**(headers or {}), **more}
        return self._place.call(self._place.public_port, method, path, body, sent, caller=caller)

    def subscribes(
        self, address: str, segments: Sequence[str], language: str | None = None, **more: object
    ) -> Answer:
        """Sign up as the publisher's website does."""
        wish: dict[str, object] = {"email": address, "segments": list(segments), **more}
        if language:
            wish["language"] = language
        return self.posts_json("/v1/subscriptions", wish)

    def posts_json(self, path: str, content: object) -> Answer:
        return self.sends("POST", path, json.dumps(content).encode(), "application/json")

    def posts_form(self, path: str, fields: Iterable[tuple[str, str]]) -> Answer:
        """Send a form as a browser without JavaScript does."""
        return self.sends("POST", path, urlencode(list(fields)).encode(), FORM)

    def presses(self, link: str) -> Answer:
        """Press the button behind a link: a POST with an empty body."""
        return self.sends("POST", link, b"", FORM)

    def gets_message(self, address: str, kind: str, *, after: int = 0) -> Message:
        """Wait for a message with a link of this kind, passing over the first `after` messages."""

        def look() -> list[Message]:
            return [
                message for message in self._inbox_of(address)[after:] if message.has_link(kind)
            ]

        return eventually(look, f"a message with a link to /{kind}/")[-1]

    def confirms(self, address: str, *, after: int = 0) -> Answer:
        """Wait for the confirmation message, follow its link and press the button."""
        link = self.gets_message(address, "confirm", after=after).link("confirm")
        assert self.sends("GET", link).status == 200
        return self.presses(link)

    def is_confirmed(
        self, address: str, segments: Sequence[str], language: str | None = None
    ) -> None:
        """Subscribe and confirm."""
        self.are_confirmed({address: (segments, language)})

    def are_confirmed(self, wishes: Mapping[str, tuple[Sequence[str], str | None]]) -> None:
        """Subscribe and confirm, many at once."""
        before = {address: len(self._inbox_of(address)) for address in wishes}
        for address, (segments, language) in wishes.items():
            assert self.subscribes(address, segments, language).status == 202
        for address in wishes:
            answer = self.confirms(address, after=before[address])
            assert (answer.header("Location") or "").startswith("/confirmed?")

    def asks_for_manage_link(self, address: str) -> Answer:
        return self.posts_json("/v1/manage-links", {"email": address})

    def unsubscribes_by_one_click(self, message: Message) -> Answer:
        """Do what a mail program does, from the bytes of the message alone (RFC 8058 §3.2)."""
        parsed = email.message_from_bytes(message.raw, policy=email.policy.compat32)
        (uri,) = re.findall(r"<(https?://[^<>]+)>", parsed["List-Unsubscribe"])
        body = parsed["List-Unsubscribe-Post"].encode()
        return self.sends("POST", urlsplit(uri).path, body, FORM)


class Operator:
    """Whoever holds an API key."""

    def __init__(self, place: Place, key: str | None) -> None:
        self._place = place
        self.key = key

    def calls(
        self,
        method: str,
        path: str,
        content: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the operators' API; `content` is sent as JSON, or as it is if it is bytes."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if content is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        return self._place.call(
            self._place.operators_port, method, path, None if content is None else body, sent
        )

    def sees(self, path: str) -> Any:
        """Read something that must be there."""
        answer = self.calls("GET", path)
        assert answer.status == 200, answer.text
        return answer.json()

    def stores(self, issue: Mapping[str, Any]) -> Answer:
        return self.calls("PUT", f"/v1/issues/{issue['week']}", issue)

    def approves(self, week: str, *segments: str) -> Answer:
        """Approve for these segments, or for all if none is named."""
        wish = {"segments": list(segments)} if segments else None
        return self.calls("POST", f"/v1/issues/{week}/approval", wish)

    def launches(self, week: str, segment: str) -> Answer:
        return self.calls("POST", "/v1/mailings", {"week": week, "segment": segment})

    def publishes(self, issue: Mapping[str, Any], segment: str) -> int:
        """Store, approve and launch; return the mailing's id."""
        week = str(issue["week"])
        assert self.stores(issue).status in (200, 201)
        assert self.approves(week, segment).status == 200
        launched = self.launches(week, segment)
        assert launched.status == 201, launched.text
        return int(launched.json()["id"])

    def acts(self, mailing: int, action: str) -> Answer:
        """Pause, resume or cancel."""
        return self.calls("POST", f"/v1/mailings/{mailing}/{action}")

    def looks_at(self, mailing: int) -> dict[str, Any]:
        """Read a mailing; its books must balance at every look."""
        seen: dict[str, Any] = self.sees(f"/v1/mailings/{mailing}")
        check_balance(seen)
        return seen

    def waits(
        self,
        mailing: int,
        until: Callable[[dict[str, Any]], object],
        what: str,
        within: float = PATIENCE,
    ) -> dict[str, Any]:
        """Look at a mailing until something is so."""
        seen: dict[str, Any] = {}

        def look() -> bool:
            seen.clear()
            seen.update(self.looks_at(mailing))
            return bool(until(seen))

        eventually(look, lambda: f"{what}: {seen}", within)
        return seen

    def waits_for_end(self, mailing: int, within: float = PATIENCE) -> dict[str, Any]:
        def ended(seen: dict[str, Any]) -> bool:
            return bool(seen["state"] == "finished")

        return self.waits(mailing, ended, "the mailing's end", within)

    def counts(self) -> dict[str, dict[str, Any]]:
        """How many readers each segment has, exactly: as the sender's host alone can tell."""
        ran = self._place.command("subscribers", "count", "--json")
        assert ran.returncode == 0, ran.stderr
        return {row["segment"]: row for row in json.loads(ran.stdout)}

    def suppressed(self) -> dict[str, int]:
        """How many addresses are suppressed, exactly, by reason."""
        ran = self._place.command("suppression", "count", "--json")
        assert ran.returncode == 0, ran.stderr
        found: dict[str, int] = json.loads(ran.stdout)
        return found


def check_balance(mailing: Mapping[str, Any]) -> None:
    """Promise 2: audience = sent + pending + claimed + deferred + failed + uncertain + excluded."""
    total = sum(mailing[name] for name in _COUNTS) + sum(mailing["excluded"].values())
    assert mailing["audience"] in (total, None), mailing
    assert mailing["audience"] is not None or total == 0, mailing


class Newsletter:
    """A running service, its relay, and the people around it."""

    def __init__(self, place: Place, relay: ScriptedServer) -> None:
        self.place = place
        self.relay = relay
        self.reader = Reader(place, self.inbox_of)
        self.operator = Operator(place, place.key("the editor"))
        self.processes: list[Process] = []
        self._sentinels = count(1)

    def restarts(self, **settings: str) -> None:
        """Stop the service, change these settings, and start it again."""
        (process,) = self.processes
        assert process.stop() == 0
        self.place.environment.update(settings)
        self.processes[0] = Process(self.place)
        self.processes[0].ready()

    def inbox_of(self, address: str) -> list[Message]:
        """The messages that reached this address, in order."""
        return [Message(each) for each in self.relay.messages if address in each.recipients]

    def issues_to(self, address: str) -> list[Message]:
        """The issues among them: only they can be unsubscribed from."""
        return [message for message in self.inbox_of(address) if "List-Id" in message.message]

    def settles(self) -> None:
        """Wait until whatever was asked before now has become messages, or will never.

        Two sign-ups, one after the other's message: the second is admitted and sent later than all
        that came before the first.
        """
        for _ in range(2):
            address = f"sentinel-{next(self._sentinels)}@example.com"
            assert self.reader.subscribes(address, ["en"]).status == 202
            self.reader.gets_message(address, "confirm")


def an_issue(week: str, *languages: str, body: str = "What happened, and why.") -> dict[str, Any]:
    """Write an issue of one commentary in these languages; `EN title` names week and language."""
    return {
        "week": week,
        "commentaries": [
            {
                "rubric": "economy",
                "situation": "unchanged",
                "texts": {
                    language: {"title": f"{language.upper()} title of {week}", "body": body}
                    for language in languages
                },
            }
        ],
    }
