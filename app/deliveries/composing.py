"""Composing: each letter is compiled once and kept; what is to be opened is put together.

A compiled edition is read back by a parser that is not ours before the first reader gets it; on any
difference its mailing is paused.
"""

from collections.abc import Iterable
from datetime import timedelta
from textwrap import shorten
from typing import NamedTuple

from jinja2 import TemplateError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.addresses.keys import Keyring
from app.deliveries.due import Claim, Due
from app.deliveries.envelopes import Post, compile_issue, compile_service
from app.deliveries.kinds import ALERT, ISSUE
from app.deliveries.opening import Batch, Compiled, Opened, Unopened
from app.editions.freezing import editions_of
from app.editions.pictures import frozen
from app.errors import Refusal
from app.issues.week import Week
from app.journal import journal
from app.mail.filling import Filled
from app.mail.letter import LetterTemplate, marker
from app.mail.signing import Signed
from app.mail.templates import Rendered, render
from app.mail.verify import check_letter
from app.mailings.models import Mailing
from app.operators.models import Alert
from app.settings import Mailbox
from app.subscribers import letters
from app.subscribers.asking import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK, token_of
from app.subscribers.models import ServiceLetter

log = journal("deliveries")

HEADLINE = 70  # characters of an alert's subject at most; its body has all of it

# What a letter is filled with when it is only looked at.
SAMPLE = {
    "to": "reader@example.org",
    "date": "Thu, 01 Jan 2026 00:00:00 +0000",
    "message-id": f"{'0' * 32}@example.org",
    "unsubscribe": "A" * 40,
}


class LetterUnfit(Refusal):
    """The letter as it would go does not read back as it was meant."""


class Outgoing(NamedTuple):
    """A letter on its way to a connection. `checked_at` is monotonic, in seconds.

    `never` are the indexes under which the address might be suppressed; `segment` is None for
    letters of no mailing; `let_go_at` is when its domain's pace gave it its turn (monotonic), None
    where nothing is paced.
    """

    claim: Claim
    sender: str
    recipient: str
    letter: Filled | Signed
    checked_at: float
    never: tuple[bytes, ...] = ()
    segment: str | None = None
    let_go_at: float | None = None

    def on_the_wire(self, following: bytes = b"") -> bytes:
        """The bytes as DATA wants them, and what follows them."""
        return self.letter.on_the_wire(following)

    @property
    def size(self) -> int:
        """How many bytes they are."""
        return len(self.letter)


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
    """Compiles letters when they are first needed."""

    def __init__(self, post: Post, keyring: Keyring, alerts_to: Mailbox | None = None) -> None:
        """Begin with nothing compiled. `alerts_to` is the operators' mailbox."""
        self._post = post
        self._keyring = keyring
        self._alerts_to = alerts_to.address if alerts_to else ""
        self._editions: dict[tuple[int, str], Compiled] = {}

    @property
    def alerts(self) -> bool:
        """Whether there is a mailbox for the operators' alerts."""
        return bool(self._alerts_to)

    def compose(
        self, session: Session, wanted: Iterable[Due], *, never: bool = False
    ) -> tuple[Batch, list[Claim], dict[int, Refusal]]:
        """Return what is to be opened, the claims in its order, and what cannot be made, and why.

        `never`: whether somebody is suppressed.
        """
        batch, claims, unfit = Batch(never=never), list[Claim](), dict[int, Refusal]()
        places: dict[int, int] = {}
        for one in wanted:
            try:
                compiled = self._compiled(session, one)
            except Refusal as refused:
                unfit[one.claim.delivery_id] = refused
                continue
            except (TemplateError, LookupError, TypeError, ValueError) as error:
                # One letter that cannot be made, whatever the reason, must not stop all others.
                log.exception("a letter cannot be made")
                why = f"the letter cannot be made ({type(error).__name__})"
                unfit[one.claim.delivery_id] = LetterUnfit(why)
                continue
            place = places.setdefault(id(compiled), len(batch.compiled))
            if place == len(batch.compiled):
                batch.compiled.append(compiled)
            batch.unopened.append(self._unopened(one, place))
            claims.append(one.claim)
        return batch, claims, unfit

    def _unopened(self, one: Due, place: int) -> Unopened:
        claim, reader = one.claim, one.reader
        if reader is None:
            return Unopened(place, None, False, claim.letter_id, {}, self._alerts_to)  # noqa: FBT003
        tokens = {}
        if claim.mailing_id is None and claim.letter_id is not None:
            slot = "confirm" if claim.kind == CONFIRMATION else "manage"
            tokens[slot] = token_of(self._keyring, claim.kind, claim.letter_id)
        return Unopened(place, reader.row, reader.has_ended, claim.letter_id, tokens)

    def _compiled(self, session: Session, one: Due) -> Compiled:
        kind, mailing_id = one.claim.kind, one.claim.mailing_id
        language = one.reader.language if one.reader else ""
        if kind != ISSUE or mailing_id is None:
            template = self._service(session, one.claim, language)
            return Compiled(template, kind, 0, kind, 0)
        key = (mailing_id, language)
        if key not in self._editions:
            self._editions[key] = self._edition(session, mailing_id, language)
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
        number = self._post.newsletter.number_of(language)
        return Compiled(template, ISSUE, week.number, segment.id, number)

    def _service(self, session: Session, claim: Claim, language: str) -> LetterTemplate:
        spoken = language or self._post.newsletter.languages[0]
        return compile_service(self._post, self._rendered(session, claim, spoken), spoken)

    def _rendered(self, session: Session, claim: Claim, language: str) -> Rendered:
        newsletter, url = self._post.newsletter, self._post.public_url
        if claim.kind == ALERT:
            told = session.scalar(select(Alert).where(Alert.id == claim.letter_id))
            if told is None:
                raise LetterUnfit("there is no such alert any more")
            headline = shorten(told.text, HEADLINE, placeholder=" …")
            return render("alert", language, {"headline": headline, "lines": [told.text]})
        asked = session.get_one(ServiceLetter, claim.letter_id)
        if asked.kind == CONFIRMATION:
            last_day = (asked.expires_at - timedelta(seconds=1)).date()
            return letters.confirmation(newsletter, asked.segments.split(), language, url, last_day)
        if asked.kind == MANAGE_LINK:
            return letters.manage_link(newsletter, language, url)
        if asked.kind == ALREADY_SUBSCRIBED:
            return letters.already_subscribed(newsletter, language, url)
        raise LetterUnfit(f"there is no letter of the kind {asked.kind}")


def outgoing(
    batch: Batch, one: Unopened, opened: Opened, claim: Claim, checked_at: float
) -> Outgoing:
    """Put an opened letter of a batch on its way."""
    compiled = batch.compiled[one.letter]
    filled = Filled(compiled.template, opened.plain)
    letter = Signed(opened.signatures, filled) if opened.signatures else filled
    segment = compiled.segment if compiled.kind == ISSUE else None
    return Outgoing(
        claim, opened.sender, opened.recipient, letter, checked_at, opened.never, segment
    )
