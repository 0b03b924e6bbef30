"""The fields of a delivery status are read as RFC 3464 means them, and as servers write them."""

import pytest

from app.mail.reports.dsn_fields import Action, envelope_id, recipient_fields

TWO = """\
Reporting-MTA: dns; mx.example.net
Original-Envelope-Id: tok+2Ben+3D

Original-Recipient: rfc822;Ann@Example.com
Final-Recipient: rfc822; ann@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User
 unknown

Final-Recipient: RFC822; <bob@example.com>
Action: Delayed (will retry)
Status: 4.0.0
"""


def test_groups_are_read_in_their_order() -> None:
    ann, bob = recipient_fields(TWO)
    assert (ann.recipient, ann.action, ann.status) == ("ann@example.com", Action.FAILED, "5.1.1")
    assert " ".join(ann.said.split()) == "550 5.1.1 User unknown"
    assert (bob.recipient, bob.action, bob.status) == ("bob@example.com", Action.DELAYED, "")
    assert bob.said == "will retry"


def test_the_envelope_id_is_decoded() -> None:
    assert envelope_id(TWO) == "tok+en="
    assert envelope_id("Final-Recipient: rfc822; a@example.com") == ""


@pytest.mark.parametrize(
    ("text", "recipients"),
    [
        ("", []),
        ("Reporting-MTA: dns; x", []),
        ("Final-Recipient: rfc822; a@x.example\nFinal-Recipient: rfc822; b@x.example", 2),
        ("Final-Recipient: rfc822; a@x.example\n\nAction: failed\nStatus: 5.1.1", 1),
        ("Reporting-MTA: dns; x\nFinal-Recipient: rfc822; a@x.example\nAction: failed", 1),
        ("Final-Recipient: utf-8; \\x{444}@x.example\nAction: failed", 1),
        ("Final-Recipient: local; ann\nAction: fail", 1),
    ],
)
def test_odd_settings_are_understood(text: str, recipients: list[str] | int) -> None:
    count = recipients if isinstance(recipients, int) else len(recipients)
    assert len(recipient_fields(text)) == count


def test_internationalised_addresses_are_unescaped() -> None:
    (group,) = recipient_fields("Final-Recipient: utf-8; \\x{444}@Example.com\nAction: failed")
    assert group.recipient == "ф@example.com"
