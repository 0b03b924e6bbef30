"""The operators' calls for what came back: take it in, see what it says of a mailing.

A message is taken as it is (`message/rfc822`), or as a provider's webhook (JSON). Amazon can send
no `Authorization: Bearer`; it sends the key as the password of the endpoint's address.
"""

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from app.deliveries.api import MailingId
from app.mail.classification import Class
from app.mail.reports.parts import LARGEST
from app.mailings.launch import find_mailing
from app.operators.api_keys import Operator
from app.operators.auth import needs, needs_in_any_way
from app.outcomes.ingest import Ingest, taker_of
from app.outcomes.processing import Processed
from app.outcomes.providers import ses, sns, sns_client, webhooks
from app.outcomes.statistics import outcomes_of
from app.web.context import AppContext, Here, Reading
from app.web.request_body import JSON, media_type
from app.web.strict_json import refuse_flawed

M = TypeVar("M", bound=BaseModel)

router = APIRouter(tags=["outcomes"])

MESSAGE = "message/rfc822"
_SNS = "x-amz-sns-message-type"

Sees = Annotated[Operator, Depends(needs("mailings:read"))]
Sends = Annotated[Operator, Depends(needs_in_any_way("bounces:write"))]


class OutcomeView(BaseModel):
    """What became of one report: taken, known before, or foreign (it proved nothing)."""

    became: str
    class_: Annotated[Class, Field(alias="class")]
    reason: str


class Came(BaseModel):
    """What was read, in the order in which it came."""

    outcomes: list[OutcomeView]


class Sent(BaseModel):
    """A request's body with what says how to read it."""

    kind: str
    body: bytes


async def _sent(request: Request) -> Sent:
    body = await request.body()
    kind = media_type(request)
    if request.headers.get(_SNS):
        kind = _SNS
    if kind not in (MESSAGE, JSON, _SNS):
        raise HTTPException(415, headers={"Accept": f"{MESSAGE}, {JSON}"})  # RFC 9110 §15.5.16
    if kind != MESSAGE and len(body) > LARGEST:
        raise HTTPException(413)
    return Sent(kind=kind, body=body)


_BODIES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            MESSAGE: {"schema": {"type": "string", "format": "binary"}},
            JSON: {
                "schema": webhooks.Events.model_json_schema(
                    ref_template="#/components/schemas/{model}"
                )
            },
        },
    }
}


@router.post("/v1/bounces", openapi_extra=_BODIES)
def post_bounce(_operator: Sends, sent: Annotated[Sent, Depends(_sent)], here: Here) -> Came:
    """Take in a message that came back, a webhook's events, or a notification of Amazon SNS."""
    taker = taker_of(here.settings, here.newsletter, here.keys.links)
    intake = Ingest(here.database, here.clock, taker, here.settings.feedback_loops)
    if sent.kind == MESSAGE:
        return _came([intake.message(sent.body)])
    if sent.kind == JSON:
        events = _read(webhooks.Events, sent.body).events
        return _came(
            [intake.report(webhooks.report_of(each), authenticated=True) for each in events]
        )
    return _came(_from_amazon(sent.body, here, intake))


def _from_amazon(body: bytes, here: AppContext, intake: Ingest) -> list[Processed]:
    envelope = _read(sns.Envelope, body)
    topics = here.settings.sns_topics
    sns.verify(envelope, topics, sns_client.certificate, now=here.clock.now())
    if envelope.Type == sns.CONFIRMATION:
        sns_client.get(*sns.confirmation(envelope))
        return []
    report = ses.report_of(_read(ses.Notification, envelope.Message.encode()))
    return [] if report is None else [intake.report(report, authenticated=True)]


def _read(model: type[M], body: bytes) -> M:
    """Read JSON, also that inside a notification: a repeated key is refused (RFC 8259 §4)."""
    refuse_flawed(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as wrong:
        errors = [{**e, "loc": ("body", *e["loc"])} for e in wrong.errors(include_input=False)]
        raise RequestValidationError(errors) from None


def _came(taken: list[Processed]) -> Came:
    return Came(
        outcomes=[
            OutcomeView.model_validate(
                {"became": each.became, "class": each.class_, "reason": each.reason}
            )
            for each in taken
        ]
    )


@router.get("/v1/mailings/{mailing_id}/outcomes")
def get_outcomes(mailing_id: MailingId, session: Reading, _operator: Sees) -> dict[str, Any]:
    """Return what came back of a mailing: by class, reason and great provider; what servers said.

    A provider of fewer than five messages is counted under "other".
    """
    return outcomes_of(session, find_mailing(session, mailing_id))
