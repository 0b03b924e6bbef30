"""What the operators' API says about mailings and takes for them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.database import MAX_ROW_NUMBER
from app.editions.api import FindingView
from app.web.openapi import WEEK, names
from app.web.request_body import Body

RowId = Annotated[int, Field(ge=1, le=MAX_ROW_NUMBER)]


class MailingWish(Body):
    """Which issue to send to which segment now."""

    week: Annotated[str, Field(max_length=8, json_schema_extra=WEEK)]
    segment: Annotated[str, Field(max_length=300, json_schema_extra=names("segments"))]
    over: Annotated[
        str | None,
        Field(
            pattern=r"^(0|[1-9][0-9]{0,5}[smhd])$",
            description="spread its messages over such a time; 0: as fast as it goes; left out: as"
            " VESTKA_SEND_WINDOW says",
            examples=["3h"],
        ),
    ] = None
    again: Annotated[
        bool,
        Field(description="send it although it went out before the database was restored"),
    ] = False


class MailingView(BaseModel):
    """A mailing and its balance: audience = the sum of all the other counts."""

    id: int
    week: str
    segment: str
    state: Annotated[
        str,
        Field(description="enrolling, running, paused, finished, cancelled or recalled"),
    ]
    audience: Annotated[int | None, Field(description="null until it is frozen")]
    sent: int
    pending: int
    claimed: int
    deferred: int
    failed: int
    uncertain: int
    excluded: dict[str, int]
    launched_at: datetime
    launched_by: str
    over: Annotated[int | None, Field(description="seconds over which its messages are spread")]
    finished_at: datetime | None
    rate: Annotated[float | None, Field(description="messages a second since the launch")]
    seconds_left: Annotated[int | None, Field(description="at that rate")]
    revision: Annotated[
        int, Field(description="the edition of whoever has nothing yet; 1 until it is revised")
    ]
    sent_by_revision: Annotated[
        dict[str, int],
        Field(description="how many got which revision", examples=[{"1": 2, "2": 2}]),
    ]


class RevisedMailing(MailingView):
    """A mailing whose issue was revised, and what an editor should know of the new edition."""

    findings: list[FindingView]


class DoubtView(BaseModel):
    """A message of which nobody knows whether the relay has it."""

    delivery: int
    relay: str | None
    attempted_at: datetime | None


class DoubtDecision(Body):
    """What to do with uncertain messages: all of the mailing's, or those named."""

    action: Literal["resend", "settle"]
    deliveries: Annotated[list[RowId], Field(min_length=1, max_length=10_000)] | None = None


class FailedView(BaseModel):
    """Messages of a mailing that failed alike."""

    reason: Annotated[
        str,
        Field(description="whom it concerns, and its class", examples=["message", "reader hard"]),
    ]
    ours: Annotated[bool, Field(description="whether the fault is the sender's, not a reader's")]
    code: Annotated[int | None, Field(description="the SMTP reply code")]
    status: Annotated[str | None, Field(description="the enhanced status code (RFC 3463)")]
    messages: int
    resendable: Annotated[int, Field(description="how many can still be sent again")]


class Resend(Body):
    """Which failed messages to send again: all that failed by our own fault, or one reason's."""

    action: Literal["resend"] = "resend"
    reason: Annotated[
        str | None, Field(max_length=40, description="left out: whatever failed by our own fault")
    ] = None


class Decided(BaseModel):
    """How many messages a decision concerned."""

    messages: int
