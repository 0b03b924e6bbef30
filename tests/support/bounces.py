"""What other people's servers send back, written by hand from the RFCs."""

from email.message import EmailMessage

UNKNOWN = "550 5.1.1 User unknown"


def a_bounce(return_path: str, recipient: str, said: str = UNKNOWN, returned: bytes = b"") -> bytes:
    """A delivery status notification (RFC 3464) to `return_path`, with the header it is about."""
    status = said.split()[1]
    parts = (
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nYour message could not be delivered.\r\n",
        (
            "Content-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.example.com\r\n\r\n"
            f"Final-Recipient: rfc822; {recipient}\r\n"
            f"Action: failed\r\nStatus: {status}\r\n"
            f"Diagnostic-Code: smtp; {said}\r\n"
        ).encode(),
        b"Content-Type: text/rfc822-headers\r\n\r\n" + returned.partition(b"\r\n\r\n")[0] + b"\r\n",
    )
    return _report("delivery-status", return_path, "Undelivered Mail", parts)


def a_complaint(to: str, returned: bytes, mail_from: str | None = None) -> bytes:
    """An abuse report (RFC 5965) of a feedback loop, with the whole message.

    Without `mail_from`, the message's return path, it is what whoever has a forward can write.
    """
    path = f"Original-Mail-From: <{mail_from}>\r\n".encode() if mail_from else b""
    parts = (
        b"Content-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n",
        (
            b"Content-Type: message/feedback-report\r\n\r\n"
            b"Feedback-Type: abuse\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\n" + path
        ),
        b"Content-Type: message/rfc822\r\n\r\n" + returned,
    )
    return _report("feedback-report", to, "FW: complaint", parts)


def an_absence(to: str) -> bytes:
    """An automatic reply (RFC 3834)."""
    message = EmailMessage()
    message["From"], message["To"] = "ann@example.org", to
    message["Subject"] = "Out of office"
    message["Auto-Submitted"] = "auto-replied"
    message.set_content("I am away until Monday.")
    return message.as_bytes()


def _report(kind: str, to: str, subject: str, parts: tuple[bytes, ...]) -> bytes:
    head = (
        "From: MAILER-DAEMON@mx.example.com\r\n"
        f"To: {to}\r\n"
        f"Subject: {subject}\r\n"
        "Message-ID: <report@mx.example.com>\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\r\n\r\n'
    ).encode()
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"
