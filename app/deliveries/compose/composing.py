"""Composing: each message is compiled once and kept; what is to be opened is put together.

A compiled edition is read back by a parser that is not ours before the first reader gets it; on any
difference its mailing is paused.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from textwrap import shorten
from typing import NamedTuple

from jinja2 import TemplateError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.deliveries.compose.message_headers import SenderIdentity, compile_issue, compile_service
from app.deliveries.compose.personalisation import (
    Batch,
    Compiled,
    PersonalisedMessage,
    SealedMessage,
)
from app.deliveries.ledger.due import Claim, Due
from app.deliveries.ledger.message_kinds import ALERT, ISSUE, TEST
from app.editions.freezing import editions_of
from app.editions.pictures import frozen
from app.editions.preview import preview
from app.errors import DomainError
from app.issues.week import Week
from app.log import get_logger
from app.mail.message.compiler import MessageTemplate, marker
from app.mail.message.message_template import Filled
from app.mail.message.self_check import check_message
from app.mail.message.signing import Signed
from app.mail.message.templates import Rendered, render
from app.mailings.models import Mailing
from app.operators.models import Alert, TestMessage
from app.settings import Mailbox
from app.subscribers import service_message_texts
from app.subscribers.models import ServiceMessage
from app.subscribers.service_message_kinds import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import token_of

log = get_logger("deliveries")

HEADLINE = 70  # characters of an alert's subject at most; its body has all of it

# What a message is filled with when it is only looked at.
SAMPLE = {
    "to": "reader@example.org",
    "date": "Thu, 01 Jan 2026 00:00:00 +0000",
    "message-id": f"{'0' * 32}@example.org",
    "unsubscribe": "A" * 40,
}


class MessageUnfit(DomainError):
    """The message as it would go does not read back as it was meant."""


class Outgoing(NamedTuple):
    """A message on its way to a connection. `checked_at` is monotonic, in seconds.

    `never` are the indexes under which the address might be suppressed; `segment` is None for
    messages of no mailing; `let_go_at` is when its domain's pace gave it its turn (monotonic), None
    where nothing is paced.
    """

    claim: Claim
    sender: str
    recipient: str
    message: Filled | Signed
    checked_at: float
    never: tuple[bytes, ...] = ()
    segment: str | None = None
    let_go_at: float | None = None

    def on_the_wire(self, following: bytes = b"") -> bytes:
        """The bytes as DATA wants them, and what follows them."""
        return self.message.on_the_wire(following)

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return len(self.message)


def compiled_edition(
    post: SenderIdentity, rendered: Rendered, segment_id: str, language: str, week: Week
) -> MessageTemplate:
    """Compile an edition and read it back. Raises MessageUnfit or what the compiler refuses."""
    segment = post.newsletter.segment(segment_id)
    template = compile_issue(post, rendered, segment, language, str(week))
    token = SAMPLE["unsubscribe"]
    text, html = (
        part.replace(marker("unsubscribe", len(token)), token)
        for part in (rendered.text, rendered.html)
    )
    raw = template.fill(SAMPLE)
    wrong = check_message(raw, subject=rendered.subject, text=text, html=html)
    if wrong:
        raise MessageUnfit(f"the message for {segment.label} is not fit to go: {'; '.join(wrong)}")
    return template


def compiled_test(
    post: SenderIdentity, rendered: Rendered, segment_id: str, language: str, week: Week
) -> MessageTemplate:
    """Compile an edition with a subject that says it is a test. Raises as `compiled_edition`."""
    marked = replace(rendered, subject=f"[Test] {rendered.subject}")
    return compiled_edition(post, marked, segment_id, language, week)


def _test_of(session: Session, claim: Claim) -> TestMessage:
    asked = session.get(TestMessage, claim.service_message_id)
    if asked is None or asked.sealed is None:
        raise MessageUnfit("there is no such test message any more")
    return asked


class Composer:
    """Compiles messages when they are first needed."""

    def __init__(
        self, post: SenderIdentity, keyring: Keyring, alerts_to: Mailbox | None = None
    ) -> None:
        """Begin with nothing compiled. `alerts_to` is the operators' mailbox."""
        self._post = post
        self.keyring = keyring
        self._alerts_to = alerts_to.address if alerts_to else ""
        self._editions: dict[tuple[int, int, str], Compiled] = {}

    @property
    def alerts(self) -> bool:
        """Whether there is a mailbox for the operators' alerts."""
        return bool(self._alerts_to)

    def compose(
        self, session: Session, wanted: Iterable[Due], *, never: bool = False
    ) -> tuple[Batch, list[Claim], dict[int, DomainError]]:
        """Return what is to be opened, the claims in its order, and what cannot be made, and why.

        `never`: whether somebody is suppressed.
        """
        batch, claims, unfit = Batch(never=never), list[Claim](), dict[int, DomainError]()
        places: dict[int, int] = {}
        for one in wanted:
            try:
                compiled = self._compiled(session, one)
            except DomainError as refused:
                unfit[one.claim.delivery_id] = refused
                continue
            except (TemplateError, LookupError, TypeError, ValueError) as error:
                # One message that cannot be made, whatever the reason, must not stop all others.
                log.exception("a message cannot be made")
                why = f"the message cannot be made ({type(error).__name__})"
                unfit[one.claim.delivery_id] = MessageUnfit(why)
                continue
            place = places.setdefault(id(compiled), len(batch.compiled))
            if place == len(batch.compiled):
                batch.compiled.append(compiled)
            batch.unopened.append(self._unopened(session, one, place))
            claims.append(one.claim)
        return batch, claims, unfit

    def _unopened(self, session: Session, one: Due, place: int) -> SealedMessage:
        claim, reader = one.claim, one.reader
        if reader is None:
            is_test = claim.kind == TEST
            test = _test_of(session, claim).sealed if is_test else None
            to = "" if is_test else self._alerts_to
            return SealedMessage(place, None, False, claim.service_message_id, {}, to, test)  # noqa: FBT003
        tokens = {}
        if claim.mailing_id is None and claim.service_message_id is not None:
            slot = "confirm" if claim.kind == CONFIRMATION else "manage"
            tokens[slot] = token_of(self.keyring, claim.kind, claim.service_message_id)
        return SealedMessage(place, reader.row, reader.has_ended, claim.service_message_id, tokens)

    def _compiled(self, session: Session, one: Due) -> Compiled:
        kind, mailing_id = one.claim.kind, one.claim.mailing_id
        if kind == TEST:
            return self._test(session, one.claim)
        language = one.reader.language if one.reader else ""
        if kind != ISSUE or mailing_id is None:
            template = self._service(session, one.claim, language)
            return Compiled(template, kind, 0, kind, 0)
        key = (mailing_id, one.revision, language)
        if key not in self._editions:
            self._editions[key] = self._edition(session, *key)
            while len(self._editions) > 50:
                del self._editions[next(iter(self._editions))]
        return self._editions[key]

    def _test(self, session: Session, claim: Claim) -> Compiled:
        """Compile the edition as it stands now, also of a draft that is not approved."""
        asked = _test_of(session, claim)
        newsletter, url = self._post.newsletter, self._post.public_url
        segment, week = newsletter.segment(asked.segment), Week.parse(asked.week)
        rendered = preview(
            session,
            newsletter,
            week,
            segment,
            public_url=url,
            hosted=self._post.hosts_photos,
            language=asked.language,
        )
        template = compiled_test(self._post, rendered, segment.id, asked.language, week)
        number = newsletter.number_of(asked.language)
        return Compiled(template, TEST, week.number, segment.id, number)

    def _edition(self, session: Session, mailing_id: int, revision: int, language: str) -> Compiled:
        mailing = session.get_one(Mailing, mailing_id)
        segment = self._post.newsletter.segment(mailing.segment)
        spoken = segment.reading_language(language)
        edition = editions_of(session, mailing.week, segment.id, revision).get(spoken)
        if edition is None:
            raise MessageUnfit(f"there is no edition of {mailing.week} for {segment.label}")
        rendered = frozen(session, edition)
        week = Week.parse(mailing.week)
        template = compiled_edition(self._post, rendered, segment.id, spoken, week)
        number = self._post.newsletter.number_of(language)
        return Compiled(template, ISSUE, week.number, segment.id, number)

    def _service(self, session: Session, claim: Claim, language: str) -> MessageTemplate:
        spoken = language or self._post.newsletter.languages[0]
        return compile_service(self._post, self._rendered(session, claim, spoken), spoken)

    def _rendered(self, session: Session, claim: Claim, language: str) -> Rendered:
        newsletter, url = self._post.newsletter, self._post.public_url
        if claim.kind == ALERT:
            told = session.scalar(select(Alert).where(Alert.id == claim.service_message_id))
            if told is None:
                raise MessageUnfit("there is no such alert any more")
            headline = shorten(told.text, HEADLINE, placeholder=" …")
            return render("alert", language, {"headline": headline, "lines": [told.text]})
        asked = session.get_one(ServiceMessage, claim.service_message_id)
        if asked.kind == CONFIRMATION:
            last_day = (asked.expires_at - timedelta(seconds=1)).date()
            return service_message_texts.confirmation(
                newsletter, asked.segments.split(), language, url, last_day
            )
        if asked.kind == MANAGE_LINK:
            return service_message_texts.manage_link(newsletter, language, url)
        if asked.kind == ALREADY_SUBSCRIBED:
            return service_message_texts.already_subscribed(newsletter, language, url)
        raise MessageUnfit(f"there is no message of the kind {asked.kind}")


def outgoing(
    batch: Batch, one: SealedMessage, opened: PersonalisedMessage, claim: Claim, checked_at: float
) -> Outgoing:
    """Put an opened message of a batch on its way."""
    compiled = batch.compiled[one.message]
    filled = Filled(compiled.template, opened.plain)
    message = Signed(opened.signatures, filled) if opened.signatures else filled
    segment = compiled.segment if compiled.kind in (ISSUE, TEST) else None
    return Outgoing(
        claim, opened.sender, opened.recipient, message, checked_at, opened.never, segment
    )
