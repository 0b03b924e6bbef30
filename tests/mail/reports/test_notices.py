"""A notice ends where the returned message begins, and is cut into what it says of whom."""

from app.mail.reports.notices import any_addresses, coded, notice, passages

WRITTEN = """\
Your message could not be delivered:

<ann@example.com>:
    550 5.1.1 no such user
bob@example.com
    mailbox full
"""
RETURNED = "Received: from x\nReturn-Path: <news@example.org>\nFrom: a\nSubject: user unknown\n"


def test_the_returned_message_is_cut_off() -> None:
    found = notice(WRITTEN + "\n" + RETURNED)
    assert "Subject" not in found.written
    assert found.returned == RETURNED
    quoted = notice(WRITTEN + "\n" + "".join(f"> {line}\n" for line in RETURNED.splitlines()))
    assert quoted.returned == RETURNED


def test_fields_that_a_notice_repeats_are_no_message() -> None:
    text = "Message-id: <x@y>\nFrom: a\nTo: b\nSubject: c\n\nReason: quota\n"
    assert notice(text).returned == ""


def test_each_address_has_its_passage() -> None:
    ann, bob = passages(WRITTEN, frozenset())
    assert ann.address == "ann@example.com"
    assert "no such user" in ann.written
    assert "full" not in ann.written
    assert (bob.address, "full" in bob.written) == ("bob@example.com", True)
    assert [p.address for p in passages(WRITTEN, frozenset({"ann@example.com"}))] == [bob.address]


def test_lines_with_codes_are_what_a_server_said() -> None:
    assert coded(WRITTEN).strip().startswith("550 5.1.1 no such user")
    assert "delivered" not in coded(WRITTEN)


def test_addresses_of_staff_are_no_recipients() -> None:
    text = "Ask postmaster@example.net. The following recipients: ann@example.com"
    assert any_addresses(text, frozenset()) == ["ann@example.com"]


def test_the_subject_of_the_message_is_ours_and_says_nothing() -> None:
    text = "Your message\n  Тема: спам и вирус\n  Subject: Mailbox full\ndid not reach ann\n"
    assert notice(text).written == "Your message\ndid not reach ann\n"
