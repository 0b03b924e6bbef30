"""The operators' calls for test emails: ask the sender for them, and ask what became of one."""

from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from app.addresses.address import AddressRefused, EmailAddress
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.ledger.test_requests import UNSETTLED, TestOutcome, TestState, outcomes_of
from app.deliveries.testing import ask_for_tests, reply_of, wait_for_outcomes
from app.issues.api import WeekPath
from app.newsletter import UnknownSegment
from app.operators.api_keys import Operator
from app.operators.auth import needs
from app.web.context import Here, Reading
from app.web.openapi import EMAIL, names
from app.web.request_body import Body
from app.web.strict_json import StrictRoute

router = APIRouter(prefix="/v1/issues", tags=["issues"], route_class=StrictRoute)

Tests = Annotated[Operator, Depends(needs("messages:test"))]
To = Annotated[str, Field(max_length=1000, json_schema_extra=EMAIL)]
TestId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="as the call answered")]

# A call that waits holds a thread; so many may at once, further ones answer without waiting.
_WAITING = BoundedSemaphore(4)


class TestWish(Body):
    """Whom to send a test email, and of which edition; the first of each if left out."""

    __test__ = False

    to: Annotated[list[To], Field(min_length=1, max_length=10)]
    segment: Annotated[str, Field(max_length=300, json_schema_extra=names("segments"))] | None = (
        None
    )
    language: Annotated[str, Field(max_length=8, json_schema_extra=names("languages"))] | None = (
        None
    )


class TestView(BaseModel):
    """What became of a test email; `reply` says it in words, with the relay's codes."""

    __test__ = False

    id: str
    state: TestState
    sent: bool
    reply_code: int | None
    reply_status: str | None
    reply: str


class TestResult(TestView):
    """What became of the email to the address at this place of the list."""

    index: int


def _addresses(wish: TestWish) -> list[EmailAddress]:
    found = []
    for index, text in enumerate(wish.to):
        try:
            found.append(EmailAddress.parse(text))
        except AddressRefused as refused:
            refused.field = f"to.{index}"
            raise
    return found


def _view(outcome: TestOutcome) -> dict[str, object]:
    return {
        "id": outcome.id.hex(),
        "state": outcome.state,
        "sent": outcome.state is TestState.ACCEPTED,
        "reply_code": outcome.reply_code,
        "reply_status": outcome.reply_status,
        "reply": reply_of(outcome),
    }


@router.post("/{week}/test-letters", responses={202: {"model": list[TestResult]}})
def post_test_messages(
    operator: Tests, week: WeekPath, wish: TestWish, here: Here, response: Response
) -> list[TestResult]:
    """Send an edition, also of a draft, to given addresses, marked as a test and as real ones go.

    The sender sends them at once. 200 with the outcome of each; 202 if one is not known after 20
    seconds: ask for it by its id.
    """
    addresses = _addresses(wish)
    try:
        named = wish.segment or here.newsletter.segments[0].id
        segment = here.newsletter.segment(named)
    except UnknownSegment:
        raise UnknownSegment(field="segment") from None
    post = SenderIdentity.of(here.settings, here.newsletter)
    edition = (week, segment, wish.language or segment.languages[0])
    ids = ask_for_tests(
        here.database, post, here.keys, edition, addresses, by=operator.name, clock=here.clock
    )
    may_wait = _WAITING.acquire(blocking=False)
    try:
        waited = {} if may_wait else {"within": 0.0}
        outcomes = wait_for_outcomes(here.database, ids, **waited)
    finally:
        if may_wait:
            _WAITING.release()
    if any(each.state in UNSETTLED for each in outcomes):
        response.status_code = 202
    return [
        TestResult.model_validate({"index": index, **_view(each)})
        for index, each in enumerate(outcomes)
    ]


@router.get("/{week}/test-letters/{test_id}")
def get_test_message(
    _operator: Tests, week: WeekPath, test_id: TestId, session: Reading
) -> TestView:
    """Return what became of a test email; it is forgotten after an hour or so."""
    (outcome,) = outcomes_of(session, [bytes.fromhex(test_id)], week=str(week))
    return TestView.model_validate(_view(outcome))
