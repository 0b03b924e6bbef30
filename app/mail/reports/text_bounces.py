"""Bounces in words only: whom they name, and what they say of each."""

from collections.abc import Sequence

from app.mail.reports.notices import any_addresses, coded, passages
from app.mail.reports.ranking import weighed
from app.mail.reports.report import Recipient


def recipients_in(written: str, not_of: frozenset[str], sent_to: Sequence[str]) -> list[Recipient]:
    """Judge everyone a notice names, or else those whom the message was sent to.

    If nobody is named anywhere, there is one recipient without an address.
    """
    whole = [coded(written), written]
    found = passages(written, not_of)
    if found:
        return [weighed(p.address, [coded(p.written), p.written, *whole]) for p in found]
    named = any_addresses(written, not_of)
    if len(named) != 1:
        named = list(sent_to) or named[:1] or [""]
    return [weighed(each, whole) for each in named]
