"""The documented shape in which any provider's webhook may tell us what came back.

An event names its message by what we signed, never by an address; what the server said is judged by
the same table as everywhere, unless the event says the class itself.
"""

from typing import Annotated

from pydantic import Field

from app.mail.classification import Class, Verdict, classify
from app.mail.reports import Recipient, Report
from app.web.request_body import Body

Words = Annotated[str, Field(max_length=1000)]


class Event(Body):
    """One message that came back. At least one of the three names should be ours."""

    return_path: Annotated[Words, Field(examples=["b-…@back.example.org"])] = ""
    envelope_id: Words = ""
    message_id: Words = ""
    class_: Annotated[Class | None, Field(alias="class")] = None
    reason: Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9 -]*$")] = ""
    sure: Annotated[bool, Field(description="nothing else was meant: once is enough")] = False
    text: Annotated[Words, Field(description="what the server said, with or without codes")] = ""
    code: Annotated[int | None, Field(ge=200, le=599)] = None
    status: Annotated[str, Field(max_length=12, pattern=r"^([245]\.\d{1,3}\.\d{1,3})?$")] = ""
    domain: Annotated[Words, Field(description="the recipient's domain, to count by provider")] = ""


class Events(Body):
    """What a webhook sends."""

    events: Annotated[list[Event], Field(min_length=1, max_length=1000)]


def report_of(event: Event) -> Report:
    """Say an event as a report."""
    verdict = _verdict(event)
    return Report(
        verdict,
        (Recipient(f"@{event.domain}", verdict, event.text),) if event.domain else (),
        event.text,
        _named(event.return_path),
        _named(event.envelope_id),
        _named(event.message_id),
    )


def _named(name: str) -> tuple[str, ...]:
    return (name,) if name else ()


def _verdict(event: Event) -> Verdict:
    code = str(event.code or "")
    if event.class_ is None:
        return classify(event.text, status=event.status, code=code)
    reason, status = event.reason or "told", event.status or None
    return Verdict(event.class_, reason, event.code, status, event.sure)
