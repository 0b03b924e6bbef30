"""What is said decides; what is said for now is never sure; any text has a verdict."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.classification import Class, Verdict, classify
from app.mail.classification.classify import code_in, status_in


@pytest.mark.parametrize(
    ("said", "class_", "reason"),
    [
        ("550 5.1.1 <ann@example.org> User unknown", "hard", "user-unknown"),
        (
            "550-5.1.1 The email account that you\n550-5.1.1 tried to reach is gone",
            "hard",
            "user-unknown",
        ),
        ("550 5.7.1 <ann@example.org>: Relay access denied", "block", "relaying"),
        ("552 5.2.2 Mailbox full", "soft", "full"),
        ("550 5.1.1 Mailbox is full", "soft", "full"),
        ("451 4.4.1 Connection timed out", "soft", "network"),
        ("550 Sender address rejected: user unknown", "block", "sender"),
        ("550", "unknown", "unexplained"),
        ("", "unknown", "unexplained"),
    ],
)
def test_a_reply_is_judged(said: str, class_: str, reason: str) -> None:
    verdict = classify(said)
    assert (verdict.class_, verdict.reason) == (class_, reason)


def test_codes_beside_the_text_count_where_it_names_none() -> None:
    assert classify("no", status="5.1.1") == Verdict(
        Class.HARD, "user-unknown", None, "5.1.1", sure=True
    )
    assert classify("550 5.2.2 no", status="5.1.1").class_ is Class.SOFT


def test_nothing_temporary_is_sure() -> None:
    assert classify("550 5.1.1 User unknown").sure
    assert not classify("450 4.1.1 User unknown").sure
    assert classify("450 4.1.1 User unknown").class_ is Class.HARD


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("host mx.example.org[192.0.2.5] said: 550 5.1.1 no", "550", "5.1.1"),
        ("(reason: 550 5.1.1 no)", "550", "5.1.1"),
        ("smtp;550-5.1.1 no", "550", "5.1.1"),
        ("#5.2.2 smtp;552 full", "552", "5.2.2"),
        ("delivered by Exim 4.96.2 from 192.0.2.550", "", ""),
        ("connect to 192.0.2.1:550 failed", "", ""),
        ("250 2.0.0 ok, then 550 5.0.0 no", "550", "5.0.0"),
        ("1550 and 5.1.1.1", "", ""),
    ],
)
def test_codes_are_found_and_nothing_that_looks_like_one(text: str, code: str, status: str) -> None:
    assert code_in(text) == code
    assert status_in(text) == status


@given(st.text(max_size=300), st.sampled_from(["", "5.1.1", "4.2.2", "9.9.9"]))
def test_any_text_has_a_verdict(text: str, status: str) -> None:
    verdict = classify(text, status=status)
    assert verdict.class_ in {Class.HARD, Class.SOFT, Class.BLOCK, Class.DELIVERED, Class.UNKNOWN}
    assert not verdict.sure or verdict.class_ is Class.HARD


REPLIES = Path(__file__).with_name("replies.tsv").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", REPLIES)
def test_what_great_servers_say_is_understood(line: str) -> None:
    class_, reason, said = line.split("\t")
    verdict = classify(said)
    assert (verdict.class_, verdict.reason) == (class_, reason)
