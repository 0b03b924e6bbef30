"""Webhooks as reports: the documented shape, and Amazon's notifications."""

import pytest
from pydantic import ValidationError

from app.mail.classification import Class
from app.mail.reports import Report
from app.outcomes.providers import ses, webhooks

PATH = "b-abc@back.example.org"


def of(**event: object) -> Report:
    return webhooks.report_of(webhooks.Event.model_validate({"return_path": PATH, **event}))


def test_what_a_server_said_is_judged() -> None:
    found = of(text="550 5.1.1 <ann@example.org>: User unknown", domain="example.org")
    assert (found.class_, found.verdict.sure) == (Class.HARD, True)
    assert found.return_paths == (PATH,)
    assert found.named == ("@example.org",)


def test_a_class_that_is_told_is_believed() -> None:
    found = of(**{"class": "soft", "reason": "full", "text": "550 5.1.1 User unknown"})
    assert (found.class_, found.verdict.reason, found.verdict.sure) == (Class.SOFT, "full", False)


def test_codes_may_stand_apart() -> None:
    assert of(code=550, status="5.1.1").class_ is Class.HARD
    assert of().class_ is Class.UNKNOWN


@pytest.mark.parametrize(
    "event",
    [
        {"class": "dead"},
        {"recipient": "ann@example.org"},
        {"status": "9.9"},
        {"code": 99},
        {"reason": "<b>"},
        {"text": "x" * 1001},
    ],
)
def test_what_is_not_documented_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        of(**event)


MAIL = {
    "source": PATH,
    "messageId": "0100018",
    "headers": [{"name": "Message-ID", "value": "<ours@lists.example.org>"}],
    "commonHeaders": {"messageId": "<ours@lists.example.org>"},
}


def notified(**told: object) -> Report | None:
    return ses.report_of(ses.Notification.model_validate({"mail": MAIL, **told}))


def bounced(kind: str, sub: str, **recipient: str) -> Report:
    told = {
        "bounceType": kind,
        "bounceSubType": sub,
        "bouncedRecipients": [{"emailAddress": "ann@gmail.com", **recipient}],
    }
    found = notified(notificationType="Bounce", bounce=told)
    assert found is not None
    return found


def test_amazon_s_words_count_where_the_server_has_none() -> None:
    assert bounced("Permanent", "NoEmail").verdict.sure
    assert bounced("Permanent", "General").class_ is Class.HARD
    assert not bounced("Permanent", "General").verdict.sure
    assert bounced("Transient", "MailboxFull").verdict.reason == "full"
    assert bounced("Transient", "ContentRejected").class_ is Class.BLOCK
    assert bounced("Something", "New").class_ is Class.UNKNOWN


def test_the_server_s_words_go_before_amazon_s() -> None:
    said = "smtp; 550 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using Spamhaus"
    found = bounced("Permanent", "General", diagnosticCode=said, status="5.7.1")
    assert found.class_ is Class.BLOCK
    assert found.named == ("ann@gmail.com",)
    assert PATH in found.return_paths
    assert "<ours@lists.example.org>" in found.message_ids


def test_complaints() -> None:
    told = {"complainedRecipients": [{"emailAddress": "ann@gmail.com"}]}
    for kind in ("notificationType", "eventType"):
        found = notified(**{kind: "Complaint"}, complaint=told)
        assert found is not None
        assert found.class_ is Class.COMPLAINT
    for more in (
        {"complaintSubType": "OnAccountSuppressionList"},
        {"complaintFeedbackType": "not-spam"},
    ):
        found = notified(notificationType="Complaint", complaint={**told, **more})
        assert found is not None
        assert found.class_ is Class.NOT_A_BOUNCE


def test_what_tells_nothing_of_a_message_s_fate_is_nothing() -> None:
    for kind in ("Send", "Open", "Click", "", "AmazonSnsSubscriptionSucceeded"):
        assert notified(eventType=kind) is None
    delivered = notified(eventType="Delivery")
    assert delivered is not None
    assert delivered.class_ is Class.DELIVERED
