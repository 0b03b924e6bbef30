"""A report carries what tells where it belongs; the signed path first."""

from app.mail.reports import read_report

REPORT = b"""\
Delivered-To: b+one@bounces.example.org
To: news@example.org
From: MAILER-DAEMON@example.net
Subject: Undelivered Mail Returned to Sender
Message-ID: <r@example.net>
References: <message@example.org>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

sorry
--b
Content-Type: message/delivery-status

Original-Envelope-Id: env-1

Final-Recipient: rfc822; ann@example.com
Action: failed
Status: 5.1.1
--b
Content-Type: text/rfc822-headers

Return-Path: <b+two@bounces.example.org>
Message-ID: <message@example.org>
To: ann@example.com
--b--
"""


def test_traces_are_collected() -> None:
    report = read_report(REPORT)
    assert report.return_paths[:2] == ("b+one@bounces.example.org", "news@example.org")
    assert "b+two@bounces.example.org" in report.return_paths
    assert report.envelope_ids == ("env-1",)
    assert report.message_ids == ("<message@example.org>",)
    assert report.report_id == "<r@example.net>"


def test_an_ordinary_message_may_have_none() -> None:
    report = read_report(b"Subject: hello\n\nyou")
    assert (report.return_paths, report.envelope_ids, report.message_ids) == ((), (), ())
    assert report.report_id is None
