"""Complaints: feedback reports (RFC 5965), and the forms that providers used before."""

from app.mail.classification import Class, Verdict
from app.mail.reports.addresses import address_of
from app.mail.reports.headers import Headers, split_headers
from app.mail.reports.parts import Part
from app.mail.reports.report import Recipient

# RFC 6430, RFC 6591: these say that all is well, or speak of the message's signatures.
_NO_COMPLAINT = {"not-spam", "auth-failure", "dmarc", "dkim", "spf"}
_NAMING = (
    "original-rcpt-to",
    "removal-recipient",
    "x-original-rcpt-to",
    "redacted-address",
    "x-hmxmroriginalrecipient",
    "x-rocket-track",
    "x-aol-recipient",
)


def feedback(part: Part) -> tuple[Verdict, Headers]:
    """Read a feedback report: its verdict, and its fields."""
    fields, _ = split_headers(part.text.lstrip("\n"))
    kind = fields.first("feedback-type").strip().lower().split()[:1]
    reason = kind[0][:40] if kind and kind[0].isascii() else "abuse"
    class_ = Class.NOT_A_BOUNCE if reason in _NO_COMPLAINT else Class.COMPLAINT
    return Verdict(class_, reason, sure=class_ is Class.COMPLAINT), fields


def complainants(verdict: Verdict, headers: list[Headers]) -> tuple[Recipient, ...]:
    """Find who complained: in the report's fields, or in the header of the message returned."""
    found = (address_of(value) for each in headers for value in each.all(*_NAMING))
    addresses = dict.fromkeys(address for address in found if "@" in address)
    if not addresses and headers:
        named = address_of(headers[-1].first("to"))
        addresses = {named: None} if "@" in named else {}
    return tuple(Recipient(address, verdict) for address in addresses)
