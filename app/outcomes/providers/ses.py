"""Amazon SES: its notifications as reports. What is not about a failure or a complaint is nothing.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.mail.classification import Class, Verdict, classify
from app.mail.reports import Recipient, Report

_HARD = Verdict(Class.HARD, "user-unknown")
_DEAD = Verdict(Class.HARD, "user-unknown", sure=True)
_SOFT = Verdict(Class.SOFT, "mailbox")
_CONTENT = Verdict(Class.BLOCK, "content")

# Where the server's own words say nothing: bounceType and bounceSubType.
_BOUNCES = {
    ("Permanent", "General"): _HARD,
    ("Permanent", "NoEmail"): _DEAD,
    ("Permanent", "Suppressed"): _HARD,
    ("Permanent", "OnAccountSuppressionList"): _HARD,
    ("Transient", "General"): _SOFT,
    ("Transient", "MailboxFull"): Verdict(Class.SOFT, "full"),
    ("Transient", "MessageTooLarge"): Verdict(Class.SOFT, "too-large"),
    ("Transient", "ContentRejected"): _CONTENT,
    ("Transient", "AttachmentRejected"): _CONTENT,
}
_UNKNOWN = Verdict(Class.UNKNOWN, "unexplained")
_OTHERS = {
    "Delivery": Verdict(Class.DELIVERED, "delivered"),
    "DeliveryDelay": Verdict(Class.DELAYED, "delayed"),
    "Reject": _CONTENT,
}
# RFC 5965 §7.3; a complaint that SES made up because the address is on its own list is none.
_NO_COMPLAINT = ("not-spam", "auth-failure", "OnAccountSuppressionList")


class _Part(BaseModel):
    """A piece of a notification; Amazon adds fields as it likes."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _Header(_Part):
    name: str
    value: str


class _CommonHeaders(_Part):
    message_id: Annotated[str, Field(alias="messageId")] = ""


class _Mail(_Part):
    source: str = ""
    headers: list[_Header] = []
    common: Annotated[_CommonHeaders, Field(alias="commonHeaders")] = _CommonHeaders()


class _Recipient(_Part):
    address: Annotated[str, Field(alias="emailAddress")] = ""
    status: str = ""
    said: Annotated[str, Field(alias="diagnosticCode")] = ""


class _Bounce(_Part):
    kind: Annotated[str, Field(alias="bounceType")] = ""
    sub: Annotated[str, Field(alias="bounceSubType")] = ""
    recipients: Annotated[list[_Recipient], Field(alias="bouncedRecipients")] = []


class _Complaint(_Part):
    sub: Annotated[str | None, Field(alias="complaintSubType")] = None
    feedback: Annotated[str | None, Field(alias="complaintFeedbackType")] = None
    recipients: Annotated[list[_Recipient], Field(alias="complainedRecipients")] = []


class Notification(_Part):
    """What SES publishes, as an event or as a feedback notification."""

    notification: Annotated[str, Field(alias="notificationType")] = ""
    event: Annotated[str, Field(alias="eventType")] = ""
    mail: _Mail = _Mail()
    bounce: _Bounce = _Bounce()
    complaint: _Complaint = _Complaint()


def report_of(told: Notification) -> Report | None:
    """Say a notification as a report; None for what says nothing of a message's fate."""
    kind = told.notification or told.event
    if kind == "Bounce":
        return _bounced(told)
    if kind == "Complaint":
        return _complained(told)
    verdict = _OTHERS.get(kind)
    return None if verdict is None else _report(told.mail, (), verdict, "")


def _bounced(told: Notification) -> Report:
    first = next(iter(told.bounce.recipients), _Recipient())
    verdict = classify(first.said, status=first.status) if first.said or first.status else _UNKNOWN
    if verdict.class_ is Class.UNKNOWN:
        verdict = _BOUNCES.get((told.bounce.kind, told.bounce.sub), _UNKNOWN)
    return _report(told.mail, told.bounce.recipients, verdict, first.said)


def _complained(told: Notification) -> Report:
    kind = told.complaint.sub or told.complaint.feedback or "abuse"
    class_ = Class.NOT_A_BOUNCE if kind in _NO_COMPLAINT else Class.COMPLAINT
    reason = kind[:40] if kind.isascii() and kind.isprintable() else "abuse"
    return _report(told.mail, told.complaint.recipients, Verdict(class_, reason), "")


def _report(
    mail: _Mail, recipients: list[_Recipient] | tuple[()], verdict: Verdict, text: str
) -> Report:
    named = tuple(Recipient(each.address, verdict) for each in recipients)
    ids = [each.value for each in mail.headers if each.name.lower() == "message-id"]
    found = tuple(filter(None, (*ids, mail.common.message_id)))
    return Report(verdict, named, text, _paths(mail), (), found)


def _paths(mail: _Mail) -> tuple[str, ...]:
    written = [each.value for each in mail.headers if each.name.lower() == "return-path"]
    return tuple(filter(None, (mail.source, *(each.strip(" <>") for each in written))))
