"""Composing: what is ready to go becomes an envelope; each letter is compiled once and kept.

A compiled edition is read back by a parser that is not ours before the first reader gets it; on any
difference its mailing is paused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jinja2 import TemplateError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.keys import Keyring
from app.deliveries.checking import Ready
from app.deliveries.envelopes import Addressed, Filling, Post, compile_issue, compile_service
from app.deliveries.kinds import ALERT, ISSUE
from app.editions.freezing import editions_of
from app.editions.pictures import frozen
from app.errors import Refusal
from app.issues.week import Week
from app.journal import journal
from app.mail.envelope import Envelope
from app.mail.letter import LetterTemplate, marker
from app.mail.signing import Signer
from app.mail.templates import Rendered, render
from app.mail.verify import check_letter
from app.mailings.models import Mailing
from app.operators.models import Alert
from app.subscribers import letters
from app.subscribers.asking import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK
from app.subscribers.models import ServiceLetter

log = journal("deliveries")

# What a letter is filled with when it is only looked at.
SAMPLE = {
    "to": "reader@example.org",
    "date": "Thu, 01 Jan 2026 00:00:00 +0000",
    "message-id": f"{'0' * 32}@example.org",
    "unsubscribe": "A" * 40,
}


class LetterUnfit(Refusal):
    """The letter as it would go does not read back as it was meant."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled letter, and what its tokens are made for."""

    template: LetterTemplate
    week: int
    segment: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter on its way to a connection. `checked_at` is monotonic, in seconds."""

    ready: Ready
    envelope: Envelope
    checked_at: float

    @property
    def sender(self) -> str:
        """The return path."""
        return self.envelope.sender

    @property
    def recipient(self) -> str:
        """Whom the relay is to give it to."""
        return self.envelope.recipient

    def on_the_wire(self, following: bytes = b"") -> bytes:
        """The bytes as DATA wants them, and what follows them."""
        return self.envelope.on_the_wire(following)

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return self.envelope.size


def compiled_edition(
    post: Post, rendered: Rendered, segment_id: str, language: str, week: Week
) -> LetterTemplate:
    """Compile an edition and read it back. Raises LetterUnfit or what the compiler refuses."""
    segment = post.newsletter.segment(segment_id)
    template = compile_issue(post, rendered, segment, language, str(week))
    token = SAMPLE["unsubscribe"]
    text, html = (
        part.replace(marker("unsubscribe", len(token)), token)
        for part in (rendered.text, rendered.html)
    )
    raw = template.fill(SAMPLE)
    wrong = check_letter(raw, subject=rendered.subject, text=text, html=html)
    if wrong:
        raise LetterUnfit(f"the letter for {segment.label} is not fit to go: {'; '.join(wrong)}")
    return template


class Composer:
    """Compiles letters when they are first needed, and fills them."""

    def __init__(self, post: Post, keyring: Keyring, signer: Signer | None = None) -> None:
        """Begin with nothing compiled. Without a signer, the relay signs."""
        self._post = post
        self._signer = signer or Signer([])
        self._filling = Filling(post, keyring)
        self._editions: dict[tuple[int, str], Compiled] = {}

    def compose(
        self, session: Session, ready: Sequence[Ready], *, now: datetime, checked_at: float
    ) -> tuple[list[Outgoing], dict[int, Refusal]]:
        """Return the letters to go, and why others cannot be made, by delivery."""
        filled: list[tuple[Ready, Addressed]] = []
        unfit: dict[int, Refusal] = {}
        for one in ready:
            try:
                compiled = self._compiled(session, one)
                addressed = self._filling.fill(
                    compiled.template, one, week=compiled.week, segment=compiled.segment, now=now
                )
            except Refusal as refused:
                unfit[one.claim.delivery_id] = refused
            except (TemplateError, LookupError, TypeError, ValueError) as error:
                # One letter that cannot be made, whatever the reason, must not stop all others.
                log.exception("a letter cannot be made")
                why = f"the letter cannot be made ({type(error).__name__})"
                unfit[one.claim.delivery_id] = LetterUnfit(why)
            else:
                filled.append((one, addressed))
        return self._signed(filled, now, checked_at), unfit

    def _signed(
        self, filled: Sequence[tuple[Ready, Addressed]], now: datetime, checked_at: float
    ) -> list[Outgoing]:
        signed = self._signer.sign([a.letter for _, a in filled], at=int(now.timestamp()))
        return [
            Outgoing(one, Envelope(addressed.sender, addressed.recipient, letter), checked_at)
            for (one, addressed), letter in zip(filled, signed, strict=True)
        ]

    def _compiled(self, session: Session, ready: Ready) -> Compiled:
        kind, mailing_id = ready.claim.kind, ready.claim.mailing_id
        if kind != ISSUE or mailing_id is None:
            return Compiled(self._service(session, ready), 0, kind)
        key = (mailing_id, ready.language)
        if key not in self._editions:
            self._editions[key] = self._edition(session, mailing_id, ready.language)
            while len(self._editions) > 50:
                del self._editions[next(iter(self._editions))]
        return self._editions[key]

    def _edition(self, session: Session, mailing_id: int, language: str) -> Compiled:
        mailing = session.get_one(Mailing, mailing_id)
        segment = self._post.newsletter.segment(mailing.segment)
        spoken = segment.reading_language(language)
        edition = editions_of(session, mailing.week, segment.id).get(spoken)
        if edition is None:
            raise LetterUnfit(f"there is no edition of {mailing.week} for {segment.label}")
        rendered = frozen(session, edition)
        week = Week.parse(mailing.week)
        template = compiled_edition(self._post, rendered, segment.id, spoken, week)
        return Compiled(template, week.number, segment.id)

    def _service(self, session: Session, ready: Ready) -> LetterTemplate:
        language = ready.language or self._post.newsletter.languages[0]
        return compile_service(self._post, self._rendered(session, ready, language), language)

    def _rendered(self, session: Session, ready: Ready, language: str) -> Rendered:
        newsletter, url = self._post.newsletter, self._post.public_url
        if ready.claim.kind == ALERT:
            told = session.scalar(select(Alert).where(Alert.id == ready.claim.letter_id))
            if told is None:
                raise LetterUnfit("there is no such alert any more")
            return render("alert", language, {"headline": told.text[:100], "lines": [told.text]})
        asked = session.get_one(ServiceLetter, ready.claim.letter_id)
        if asked.kind == CONFIRMATION:
            last_day = (asked.expires_at - timedelta(seconds=1)).date()
            return letters.confirmation(newsletter, asked.segments.split(), language, url, last_day)
        if asked.kind == MANAGE_LINK:
            return letters.manage_link(newsletter, language, url)
        if asked.kind == ALREADY_SUBSCRIBED:
            return letters.already_subscribed(newsletter, language, url)
        raise LetterUnfit(f"there is no letter of the kind {asked.kind}")
