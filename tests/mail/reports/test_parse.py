"""Any bytes have an answer, in bounded time, and an answer says where the report belongs."""

from hypothesis import given
from hypothesis import strategies as st

from app.mail.classification import Class
from app.mail.reports import read_report

QMAIL = b"""\
From: MAILER-DAEMON@example.net
Subject: failure notice
To: b+token@bounces.example.org
Message-ID: <report@example.net>

Hi. This is the qmail-send program at example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann@example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <b+token@bounces.example.org>
Received: from example.org
From: news@example.org
To: ann@example.com
Subject: The week
Message-ID: <message@example.org>
"""


def test_a_notice_in_words_is_read() -> None:
    report = read_report(QMAIL)
    assert (report.class_, report.verdict.reason) == (Class.HARD, "user-unknown")
    assert report.named == ("ann@example.com",)
    assert report.text == "Sorry, no mailbox here by that name. (#5.1.1)"
    assert report.return_paths == ("b+token@bounces.example.org",)
    assert report.message_ids == ("<message@example.org>",)
    assert report.report_id == "<report@example.net>"


def test_line_ends_do_not_matter() -> None:
    for end in (b"\r\n", b"\r", b"\r\r\n"):
        assert read_report(QMAIL.replace(b"\n", end)).named == ("ann@example.com",)


@given(st.binary(max_size=2000))
def test_any_bytes_have_an_answer(message: bytes) -> None:
    assert read_report(message).class_ in Class


def test_the_gravest_recipient_names_the_whole() -> None:
    group = "Final-Recipient: rfc822; %s@example.com\nAction: %s\nStatus: %s\n\n"
    told = [("a", "delivered", "2.0.0"), ("b", "failed", "5.2.2"), ("c", "failed", "5.1.1")]
    fields = "".join(group % each for each in told)
    report = read_report(f"Content-Type: message/delivery-status\n\n{fields}".encode())
    classes = [recipient.verdict.class_ for recipient in report.recipients]
    assert classes == [Class.DELIVERED, Class.SOFT, Class.HARD]
    assert report.class_ is Class.HARD
    assert report.named == ("c@example.com",)
    assert report.verdict.sure
