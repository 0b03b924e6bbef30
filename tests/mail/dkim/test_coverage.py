"""Whether a message that arrived is signed for one click, whoever signed it."""

import pytest

from app.mail.dkim.coverage import MessageUnreadable, aligned, read_arrived

HEAD = (
    "Return-Path: <b-1@back.example.org>\r\n"
    "Received: from relay.example.net by mx.example.com\r\n"
    "From: =?utf-8?b?0JLQtdGB0YLQutGW?= <News@Example.org>\r\n"
    "List-Unsubscribe: <https://news.example.org/unsubscribe/x>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
)
BOTH = "from:to:List-Unsubscribe:\r\n list-unsubscribe-post : subject"


def signature(domain: str = "example.org", names: str = BOTH, algorithm: str = "rsa-sha256") -> str:
    return (
        f"DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n"
        f" s=s1; h={names};\r\n bh=AAAA; b=BB\r\n BB==\r\n"
    )


def covered(*signatures: str, head: str = HEAD) -> bool:
    return read_arrived(("".join(signatures) + head + "\r\nText\r\n").encode()).covered


@pytest.mark.parametrize("domain", ["example.org", "EXAMPLE.ORG", "mail.example.org"])
def test_a_signature_of_the_sender_s_domain_covers(domain: str) -> None:
    assert covered(signature(domain))


@pytest.mark.parametrize(
    "told",
    [
        "",
        signature("example.net"),
        signature("anexample.org"),
        signature("org"),
        signature(""),
        signature(names="from:to:subject"),
        signature(names="from:list-unsubscribe"),
        signature(names="from:list-unsubscribe-post"),
        signature(names="from:x-list-unsubscribe:list-unsubscribe-posted"),
        signature(algorithm="rsa-sha1"),
        "DKIM-Signature: nonsense\r\n",
        "DKIM-Signature: \r\n",
        "X-DKIM-Signature: " + signature().partition(" ")[2],
    ],
)
def test_anything_less_does_not(told: str) -> None:
    assert not covered(told)


def test_one_good_signature_among_others_is_enough() -> None:
    assert covered(signature("relay.example.net"), signature(names="from"), signature())


def test_two_signatures_do_not_add_up() -> None:
    assert not covered(
        signature(names="list-unsubscribe"), signature(names="list-unsubscribe-post")
    )


@pytest.mark.parametrize("name", ["List-Unsubscribe:", "List-Unsubscribe-Post:"])
def test_a_header_that_the_relay_took_or_doubled_counts_for_nothing(name: str) -> None:
    lines = HEAD.splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith(name))
    twice = HEAD + next(line for line in lines if line.startswith(name))
    assert not covered(signature(), head=without)
    assert not covered(signature(), head=twice)


def test_what_is_said_of_a_signature() -> None:
    (said,) = read_arrived((signature("example.net", "from") + HEAD).encode()).signatures
    assert (said.domain, said.selector, said.algorithm) == ("example.net", "s1", "rsa-sha256")
    assert (said.aligned, said.covers) == (False, False)
    assert said.missing == ("List-Unsubscribe", "List-Unsubscribe-Post")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"%PDF-1.7\n\xe2\xe3",
        b"Subject: no sender\r\n\r\n",
        b"From: nobody\r\n\r\n",
        b"From: a@example.org, b@example.org\r\n\r\n",
        b"From: a@example.org\r\nFrom: b@example.com\r\n\r\n",
    ],
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageUnreadable):
        read_arrived(raw)


def test_raw_bytes_in_headers_do_not_stop_it() -> None:
    raw = (signature() + HEAD).encode() + b"X-Odd: \xd0\xff\r\n\r\n\xff"
    assert read_arrived(raw).covered


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("example.org", "example.org.", True),
        ("a.example.org", "Example.ORG", True),
        ("a.example.org", "b.example.org", False),
        ("example.org", "example.com", False),
        ("badexample.org", "example.org", False),
    ],
)
def test_alignment(one: str, other: str, *, same: bool) -> None:
    assert aligned(one, other) is aligned(other, one) is same
