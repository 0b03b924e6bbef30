"""The operators' call for test messages. It waits for the relay, and answers with what it said."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from app.addresses.address import AddressRefused, EmailAddress
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.compose.test_message import compile_test, fill_test, send_now, sent
from app.deliveries.dispatch.from_settings import dkim_keys_of, relays_of
from app.editions.preview import preview
from app.issues.api import WeekPath
from app.newsletter import UnknownSegment
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.web.context import Here, Now
from app.web.openapi import EMAIL, names
from app.web.request_body import Body
from app.web.strict_json import StrictRoute

router = APIRouter(prefix="/v1/issues", tags=["issues"], route_class=StrictRoute)

Tests = Annotated[Operator, Depends(needs("messages:test"))]


To = Annotated[str, Field(max_length=1000, json_schema_extra=EMAIL)]


class TestWish(Body):
    """Whom to send a test message, and of which edition; the first of each if left out."""

    __test__ = False

    to: Annotated[list[To], Field(min_length=1, max_length=10)]
    segment: Annotated[str, Field(max_length=300, json_schema_extra=names("segments"))] | None = (
        None
    )
    language: Annotated[str, Field(max_length=8, json_schema_extra=names("languages"))] | None = (
        None
    )


class TestResult(BaseModel):
    """What became of the message to the address at this place of the list."""

    __test__ = False

    index: int
    sent: bool
    reply: str


def _addresses(wish: TestWish) -> list[EmailAddress]:
    found = []
    for index, text in enumerate(wish.to):
        try:
            found.append(EmailAddress.parse(text))
        except AddressRefused as refused:
            refused.field = f"to.{index}"
            raise
    return found


@router.post("/{week}/test-letters")
def post_test_messages(
    operator: Tests, week: WeekPath, wish: TestWish, here: Here, now: Now
) -> list[TestResult]:
    """Send an edition, also of a draft, to given addresses at once, marked as a test."""
    addresses = _addresses(wish)
    segments = here.newsletter.segments
    try:
        segment = here.newsletter.segment(wish.segment) if wish.segment else segments[0]
    except UnknownSegment:
        raise UnknownSegment(field="segment") from None
    language = wish.language or segment.languages[0]
    url = here.settings.public_url
    # No transaction is open while the relay is spoken to: on SQLite nobody else could write.
    with here.database.reading() as session:
        rendered = preview(
            session,
            here.newsletter,
            week,
            segment,
            public_url=url,
            hosted=here.settings.hosts_photos,
            language=language,
        )
    relays = relays_of(here.settings, here.newsletter)
    post = SenderIdentity.of(here.settings, here.newsletter)
    template = compile_test(post, rendered, segment, language, week)
    allowed = [a for a in addresses if here.settings.allowed_recipients.allow(a.canonical)]
    # On a host of its own, the operators' port may have no key that signs; then the relay does.
    keys = dkim_keys_of(here.settings)
    messages = [
        (a.wire, fill_test(template, here.keys.links, post, segment, week, a, now, keys))
        for a in allowed
    ]
    answers = asyncio.run(send_now(relays, post.sender.address, messages, post.list_domain))
    with here.database.transaction() as writing:
        note(writing, operator.name, "test messages sent", f"{week}: {len(messages)}", now=now)
    said = {
        a: (sent(answer), str(answer.reply or answer.trouble))
        for a, answer in zip(allowed, answers, strict=True)
    }
    return [
        TestResult(index=i, sent=said[a][0], reply=said[a][1])
        if a in said
        else TestResult(
            index=i, sent=False, reply="VESTKA_ALLOWED_RECIPIENTS does not allow this address"
        )
        for i, a in enumerate(addresses)
    ]
