"""No part of an address is kept, however a server writes it."""

import pytest

from app.mail import redaction
from app.mail.redaction import without_addresses


@pytest.mark.parametrize(
    "text",
    [
        "<ann.smith@example.org>: Recipient address rejected",
        "ANN.SMITH@EXAMPLE.ORG unknown",
        "unknown user ann.smith%40example.org",
        "bounce+ann.smith=40example.org",
        "ann.smith&#64;example.org",
        '"ann smith"@example.org unknown',
        "mailto:ann.smith@example.org,",
        "no mailbox (ann.smith@example.org)",
        "user ann.smith does not exist",
        "User 'Ann.Smith' does not exist",
        "Name service error for name=example.org type=MX",
        "said: ann.smith at example.org",
    ],
)
def test_no_part_of_the_address_is_kept(text: str) -> None:
    kept = without_addresses(text, "ann.smith@example.org").lower()
    assert "smith" not in kept
    assert "example" not in kept
    assert redaction._HIDDEN in kept


def test_what_is_no_address_stays() -> None:
    text = "2.0.0 Ok: queued as 4F1A2B3C, see https://relay.example.net/help"
    assert without_addresses(text, "ann@example.org") == text
