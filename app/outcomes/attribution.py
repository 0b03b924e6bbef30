"""Whose message came back: by what we signed, and by nothing else. Pure.

First the return path, then the envelope id, then our Message-ID in the returned header. A report
that carries none of them is a stranger's word, and changes no reader; what each of them proves is
said in `evidence`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.deliveries.ledger.message_kinds import ISSUE
from app.issues.week import NoSuchWeek, Week
from app.mail.reports import Report
from app.newsletter import Newsletter
from app.outcomes.evidence import Evidence
from app.subscribers.service_message_kinds import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK
from app.tokens import LinkFacts, LinkTokens, LinkUnknown, segment_code

SERVICE = (CONFIRMATION, MANAGE_LINK, ALREADY_SUBSCRIBED)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of ours: to whom (a link id), its kind, its segment, and its number.

    The number is that of an issue's week, or the first three bytes of a service message's nonce.
    """

    link_id: bytes
    kind: str
    segment: str
    number: int

    @property
    def week(self) -> Week:
        """The issue's week. Raises NoSuchWeek."""
        return Week.parse(f"{self.number // 100}-W{self.number % 100:02}")


class Attribution(NamedTuple):
    """The message of ours that a report is about, and what proves it."""

    message: Message
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class TokenReader:
    """What tells that a message is ours: keys, domains, segments."""

    links: LinkTokens
    return_path_domain: str
    list_domain: str
    newsletter: Newsletter

    @property
    def own_domains(self) -> tuple[str, str]:
        """Domains at which, or above which, mail is for us."""
        return self.return_path_domain, self.list_domain

    def attribute(self, report: Report) -> Attribution | None:
        """Return the message that a report is about, by its best proof; None if it has none."""
        return next(self._attributions(report), None)

    def _attributions(self, report: Report) -> Iterator[Attribution]:
        opened = self.links.open_return_path
        for address in (*report.return_paths, *report.envelope_ids):
            local, _, domain = address.strip("<>").rpartition("@")
            if not local:  # an envelope id may be the token alone
                local, domain = domain, self.return_path_domain
            if domain.lower() == self.return_path_domain:
                for message in self._opened(opened, local.lower()):
                    yield Attribution(message, Evidence.RETURN_PATH)
        for message_id in report.message_ids:
            local, _, domain = message_id.strip("<>").rpartition("@")
            if domain.lower() == self.list_domain:
                for message in self._opened(self.links.open_message_id, local):
                    yield Attribution(message, Evidence.MESSAGE_ID)

    def _opened(self, opened: Callable[[str], LinkFacts], text: str) -> Iterator[Message]:
        try:
            message = self._message(opened(text))
            if message is not None and message.kind == ISSUE:
                _ = message.week
        except (LinkUnknown, NoSuchWeek):
            return
        if message is not None:
            yield message

    def _message(self, facts: LinkFacts) -> Message | None:
        for segment in self.newsletter.segments:
            if segment_code(segment.id) == facts.segment_code:
                return Message(facts.link_id, ISSUE, segment.id, facts.week)
        for kind in SERVICE:
            if segment_code(kind) == facts.segment_code:
                return Message(facts.link_id, kind, kind, facts.week)
        return None
