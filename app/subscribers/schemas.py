"""What the sign-up form and the manage page send."""

from typing import Annotated

from pydantic import Field

from app.web.openapi import EMAIL, names
from app.web.request_body import Body

Typed = Annotated[str, Field(max_length=1000)]
Email = Annotated[str, Field(max_length=1000, json_schema_extra=EMAIL)]
Language = Annotated[str, Field(max_length=1000, json_schema_extra=names("languages"))]
Segment = Annotated[str, Field(max_length=1000, json_schema_extra=names("segments"))]
Source = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]


class SignUpRequest(Body):
    """A sign-up: an address, the segments wanted, and the language to speak to the reader."""

    email: Email
    segments: Annotated[list[Segment], Field(min_length=1, max_length=20)]
    language: Language | None = None
    source: Annotated[
        Source | None, Field(description="which form it came from: letters, digits, - and _")
    ] = None
    website: Annotated[
        Typed | None, Field(description="a trap for robots: people leave it empty")
    ] = None
    since: Annotated[
        Typed | None, Field(description="when the form was shown, as the form itself says it")
    ] = None
    altcha: Annotated[
        str | None,
        Field(max_length=2000, description="a solved challenge (ALTCHA), where one is asked for"),
    ] = None


class Accepted(Body):
    """The answer to every sign-up, whatever is known about the address."""

    status: str = "accepted"


class PreferencesLinkRequest(Body):
    """A request for a link to change or end one's subscription."""

    email: Email
    language: Language | None = None


class Choice(Body):
    """What the manage page sends."""

    action: str
    segments: list[Typed] = Field(default_factory=list, max_length=20)
    language: Typed | None = None
    sure: str | None = None
