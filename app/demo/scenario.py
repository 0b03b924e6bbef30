"""What happens in the trial instance: people subscribe and confirm, an issue goes out to them.

All of it by HTTP, as a website, a reader and an operator's program would do it.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from app.demo.calls import call
from app.demo.instance import Instance
from app.demo.issue import sample_issue
from app.demo.messages import confirm_link, faults, read
from app.demo.readers import READERS
from app.demo.smtpd import Inbox, ReceivedMessage
from app.errors import DomainError
from app.issues.week import Week
from app.mailings.states import FINISHED
from app.newsletter import Newsletter

LOOK_EVERY = 0.05  # seconds
WAIT_AT_MOST = 60.0  # seconds, on a machine that has much else to do


class MessageMissing(DomainError):
    """A confirmation message did not come, or came without its link."""


class MailingStuck(DomainError):
    """A mailing did not come to its end."""


@dataclass
class Outcome:
    """What came of it."""

    week: str
    mailings: list[dict[str, Any]]
    messages: int
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every reader got exactly their messages, and the books say the same."""
        return not self.faults


async def subscribe(instance: Instance) -> None:
    """Subscribe every reader, as a website's form would."""
    for reader in READERS:
        wish = {"email": reader.address, "segments": reader.segments, "language": reader.language}
        await call("POST", f"{instance.public}/v1/subscriptions", wish)


async def confirm(instance: Instance, inbox: Inbox) -> None:
    """Follow the link in each reader's message, and press the button there."""
    for reader in READERS:
        message = await _message_for(inbox, reader.address)
        link = confirm_link(read(message), instance.public)
        if link is None:
            raise MessageMissing
        await call("GET", link)
        await call("POST", link, b"")


async def publish(instance: Instance, newsletter: Newsletter, week: Week) -> list[int]:
    """Store and approve the sample issue, and launch it to every segment; return the mailings."""
    issue = f"{instance.operators}/v1/issues/{week}"
    await call("PUT", issue, sample_issue(str(week)), key=instance.key)
    await call("POST", f"{issue}/approval", key=instance.key)
    mailings = []
    for segment in newsletter.segments:
        wish = {"week": str(week), "segment": segment.id}
        launched = await call("POST", f"{instance.operators}/v1/mailings", wish, key=instance.key)
        mailings.append(launched["id"])
    return mailings


async def see(
    instance: Instance, newsletter: Newsletter, week: Week, mailings: list[int], inbox: Inbox
) -> Outcome:
    """Wait until the mailings have ended, and see who got what."""
    records = [await _ended(instance, mailing) for mailing in mailings]
    subjects = {
        (segment.id, language): await _subject(instance, week, segment.id, language)
        for segment in newsletter.segments
        for language in segment.languages
    }
    found = faults(inbox.messages, READERS, newsletter, subjects)
    found += [
        f"mailing {record['id']}: {record['audience']} readers, {record['sent']} sent"
        for record in records
        if record["audience"] != record["sent"]
    ]
    messages = sum(record["sent"] for record in records)
    return Outcome(str(week), records, messages, found)


async def _subject(instance: Instance, week: Week, segment: str, language: str) -> str:
    path = f"/v1/issues/{week}/editions/{segment}?language={language}"
    edition = await call("GET", f"{instance.operators}{path}", key=instance.key)
    return str(edition["subject"])


async def _message_for(inbox: Inbox, address: str) -> ReceivedMessage:
    try:
        async with asyncio.timeout(WAIT_AT_MOST):
            while True:
                if messages := inbox.of(address):
                    return messages[0]
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError:
        raise MessageMissing from None


async def _ended(instance: Instance, mailing: int) -> dict[str, Any]:
    url = f"{instance.operators}/v1/mailings/{mailing}"
    try:
        async with asyncio.timeout(WAIT_AT_MOST):
            while True:
                record: dict[str, Any] = await call("GET", url, key=instance.key)
                if record["state"] == FINISHED:
                    return record
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError:
        raise MailingStuck from None
