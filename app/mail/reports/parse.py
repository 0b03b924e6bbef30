"""Reading a message that came back. Pure and total: any bytes have an answer, in bounded time."""

from collections import Counter
from collections.abc import Sequence

from app.mail.classification import Class, Verdict
from app.mail.reports import complaints, identifiers
from app.mail.reports.dsn import recipient_of
from app.mail.reports.dsn_fields import envelope_id, recipient_fields
from app.mail.reports.headers import Headers
from app.mail.reports.heuristics import ENOUGH, weigh
from app.mail.reports.report import Recipient, Report, gravest
from app.mail.reports.sections import Sections, split_sections
from app.mail.reports.text_bounces import recipients_in

_RECEIPTS = ("message/disposition-notification", "message/global-disposition-notification")
_STATISTICS = ("tlsrpt", "dmarc")


def read_report(message: bytes) -> Report:
    """Say what a message is: a bounce, a complaint, an automatic reply, or no report at all."""
    seen = split_sections(message)
    return _feedback(seen) or _told_in_fields(seen) or _told_in_words(seen)


def _feedback(seen: Sections) -> Report | None:
    """RFC 5965, and the statistics that come under the same type (RFC 7489 §7, RFC 8460 §5)."""
    part = seen.part("message/feedback-report")
    if part is not None:
        verdict, fields = complaints.feedback(part)
        found = complaints.complainants(verdict, [fields, seen.headers, *seen.enclosed])
        return _report(seen, verdict, found, more=(fields,))
    if seen.is_report in _STATISTICS or seen.headers.first("subject").startswith("Report domain:"):
        return _report(seen, Verdict(Class.NOT_A_BOUNCE, "statistics"))
    return None


def _told_in_fields(seen: Sections) -> Report | None:
    """RFC 3464, also where its fields stand in a text; RFC 8098 receipts."""
    found = recipient_fields(seen.status) or recipient_fields(_fields_in(seen.written))
    if found:
        weights = _weights(seen)
        delayed = weights["delayed"] >= ENOUGH
        told = [recipient_of(group, seen.written, delayed=delayed) for group in found]
        return _of_recipients(seen, _named(seen, told))
    receipt = seen.part(*_RECEIPTS) or seen.is_report == "disposition-notification"
    if receipt and not _refused(seen):
        return _report(seen, Verdict(Class.AUTO, "receipt"))
    return None


def _refused(seen: Sections) -> bool:
    """Dovecot says in a receipt, too, that a mailbox is full or that a filter refuses."""
    weights = _weights(seen)
    return weights["machine"] >= 3 and weights["bounce"] >= 3


def _told_in_words(seen: Sections) -> Report:
    weights = _weights(seen)
    bounce = weights["bounce"] + weights["machine"] + weights["returned"]
    complained = weights["complaint"] + 2 * weights["returned"]
    if weights["complaint"] and complained >= ENOUGH > bounce:
        verdict = Verdict(Class.COMPLAINT, "abuse")
        found = complaints.complainants(verdict, [seen.headers, *seen.enclosed])
        return _report(seen, verdict, found)
    if weights["challenge"] >= 3 and weights["machine"] < 3:
        return _report(seen, Verdict(Class.AUTO, "challenge"))
    if weights["auto"] >= ENOUGH and weights["auto"] + 2 >= bounce:  # in doubt, a person's
        return _report(seen, Verdict(Class.AUTO, "reply"))
    bounce += 2 * (weights["delivered"] >= ENOUGH or weights["delayed"] >= ENOUGH)
    if bounce >= ENOUGH and (weights["machine"] or weights["returned"] or weights["coded"]):
        return _bounce(seen, weights)
    if weights["auto"] >= 3:
        return _report(seen, Verdict(Class.AUTO, "reply"))
    return _report(seen, Verdict(Class.NOT_A_BOUNCE, "ordinary"))


def _bounce(seen: Sections, weights: Counter[str]) -> Report:
    if weights["delivered"] >= ENOUGH:
        found = recipients_in(seen.written, _ours(seen), _sent_to(seen))
        done = Verdict(Class.DELIVERED, "delivered")
        return _report(seen, done, [Recipient(each.address, done) for each in found])
    found = recipients_in(seen.written, _ours(seen), _sent_to(seen))
    if weights["delayed"] >= ENOUGH:
        found = [each.as_delayed() for each in found]
    return _of_recipients(seen, found)


def _weights(seen: Sections) -> Counter[str]:
    weights = weigh(seen.headers, seen.written)
    weights["returned"] = int(bool(seen.enclosed))
    return weights


def _fields_in(written: str) -> str:
    """Give the fields of a delivery status that stands in a notice."""
    start = written.find("Final-Recipient:")
    return written[max(0, written.rfind("\n", 0, start)) :] if start >= 0 else ""


def _ours(seen: Sections) -> frozenset[str]:
    """List addresses that are never the recipient: those that the report is from and to."""
    named = identifiers.addresses(
        seen.headers, "from", "sender", "to", "cc", "return-path", "delivered-to"
    )
    inner = [identifiers.addresses(each, "from", "return-path", "sender") for each in seen.enclosed]
    return frozenset(each.lower() for found in (named, *inner) for each in found)


def _sent_to(seen: Sections) -> list[str]:
    """List whom the message was sent to, by the message's header or the returned message's."""
    failed = identifiers.addresses(seen.headers, "x-failed-recipients")
    inner = [each for found in seen.enclosed for each in identifiers.addresses(found, "to")]
    return failed or list(dict.fromkeys(inner))


def _named(seen: Sections, found: Sequence[Recipient]) -> list[Recipient]:
    """Put in the address that a single group lacks."""
    spare = _sent_to(seen)
    if len(found) == 1 and "@" not in found[0].address and spare:
        return [Recipient(each, found[0].verdict, found[0].text) for each in spare]
    return list(found)


def _of_recipients(seen: Sections, found: Sequence[Recipient]) -> Report:
    decided = gravest(found)
    named = [each for each in found if each.address]
    return _report(seen, decided.verdict, named, decided.text)


def _report(
    seen: Sections,
    verdict: Verdict,
    recipients: Sequence[Recipient] = (),
    text: str = "",
    more: Sequence[Headers] = (),
) -> Report:
    inner = (*more, *seen.enclosed)
    envelope = envelope_id(seen.status)
    return Report(
        verdict,
        tuple(recipients),
        text,
        identifiers.return_paths(seen.headers, inner),
        (envelope,) if envelope else (),
        identifiers.message_ids(inner, seen.headers),
        identifiers.report_id(seen.headers),
    )
