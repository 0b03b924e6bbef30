"""A reply means the same in the SMTP conversation and in a report that comes later.

Whatever is the sender's own fault is held against a reader by neither of the two.
"""

import re
from pathlib import Path

import pytest

from app.mail.classification import Class
from app.mail.classification import classify as classify_bounce
from app.mail.replies import Answer, BounceClass, Outcome, Reply, Scope, Stage
from app.mail.replies import classify as classify_reply

OURS = [
    (
        "554 Message rejected: Email address is not verified. The following identities failed the"
        " check in region EU-WEST-1: news@example.org"
    ),
    "554 Message rejected: Sending suspended for this account.",
    "554 Message rejected: Sending paused for this account. For more information, see the console.",
    "554 Access denied: User is not authorized to perform `ses:SendRawEmail'",
    "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains.",
    "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.",
    "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold.",
    "550 5.1.8 Access denied, bad outbound sender",
    "550 5.1.90 Your message can't be sent because you've reached your daily limit for recipients",
    "554 5.2.252 SendAsDenied; news@example.org not allowed to send as other@example.org",
    "550 5.4.5 Daily user sending limit exceeded.",
    "550 5.7.1 Invalid credentials for relay",
    "502 5.7.0 Your SMTP account is not yet activated. Please contact us to request activation.",
    "550 5.7.1 Your account has been suspended",
    "550 Domain mg.example.org is not allowed to send: Please activate your account",
    "550 Free accounts are for test purposes only. Please upgrade.",
    "550 The Sender signature for news@example.org is not confirmed.",
    "550 The from address does not match a verified Sender Identity.",
    "550 Unauthenticated senders not allowed",
    "554 5.7.1 Relay access denied",
    "550 5.7.26 Unauthenticated email from example.org is not accepted due to its DMARC policy",
    "554 5.7.1 Client host blocked using a DNSBL",
    "554 5.7.1 This message looks like spam",
    "550 Sender address rejected: user unknown",
    "550 Rejected",
    "554 Policy",
    "550 Quux",
    "554",
]
READERS = [
    ("550 5.1.1 User unknown", Class.HARD),
    ("550 No such user here", Class.HARD),
    ("550 5.2.1 The email account that you tried to reach is disabled", Class.SOFT),
    ("550 5.2.2 Mailbox full", Class.SOFT),
    ("554 5.7.1 Message rejected due to user rules", Class.SOFT),
    ("550 5.4.1 No.", Class.SOFT),
]
# The relay's own system, or our message's size: in a report it is the receiving server's, which
# says it of one message; a reader is not ended for it unless it goes on for months.
OF_ONE_PLACE = {"system", "too-large"}
# At the message's end these words are a filter's (NTT DOCOMO), and the living reader's own.
FILTERS = re.compile(r"550 Unknown user")


def held(stage: Stage, line: str) -> Class | None:
    """What the SMTP conversation holds against the reader."""
    verdict = classify_reply(Answer(stage, Reply.parse(int(line[:3]), line[4:])))
    if verdict.concern is not Scope.READER or verdict.outcome is not Outcome.FAILED:
        return None
    return Class.HARD if verdict.kind is BounceClass.HARD else Class.SOFT


def held_by_report(line: str) -> Class | None:
    class_ = classify_bounce(line).class_
    return class_ if class_ in (Class.HARD, Class.SOFT) else None


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT])
@pytest.mark.parametrize("line", OURS)
def test_our_own_fault_is_held_against_nobody(stage: Stage, line: str) -> None:
    assert held(stage, line) is None
    assert held_by_report(line) is None


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DOT])
@pytest.mark.parametrize(("line", "class_"), READERS)
def test_a_reader_s_own_matter_is_seen_as_such(stage: Stage, line: str, class_: Class) -> None:
    assert held(stage, line) is class_
    assert held_by_report(line) is class_


@pytest.mark.parametrize("line", ["550 5.1.0 No.", "553 No."])
def test_a_code_alone_speaks_of_a_mailbox_where_one_is_named(line: str) -> None:
    assert held(Stage.RCPT, line) is held_by_report(line) is Class.HARD
    assert held(Stage.DOT, line) is None


@pytest.mark.parametrize(
    "line",
    [
        "454 Throttling failure: Daily message quota exceeded.",
        "454 Throttling failure: Maximum sending rate exceeded.",
        "451 Authentication failed: Maximum credits exceeded",
        "421 Domain mg.example.org is not allowed to send: Please activate your account",
    ],
)
@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT])
def test_a_quota_of_ours_is_the_relay_s_matter(stage: Stage, line: str) -> None:
    verdict = classify_reply(Answer(stage, Reply.parse(int(line[:3]), line[4:])))
    assert (verdict.outcome, verdict.concern) == (Outcome.RETRY, Scope.RELAY)
    assert classify_bounce(line).class_ is Class.BLOCK


KNOWN = [
    line.split("\t")[2]
    for line in (Path(__file__).parent / "classification" / "replies.tsv")
    .read_text(encoding="utf-8")
    .splitlines()
    if re.match(r"5\d\d[ -]", line.split("\t")[2]) and line.split("\t")[1] not in OF_ONE_PLACE
]


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DOT])
@pytest.mark.parametrize("line", KNOWN)
def test_what_great_servers_say_means_the_same_to_both(stage: Stage, line: str) -> None:
    seen, reported = held(stage, line), held_by_report(line)
    if stage is Stage.DOT and FILTERS.match(line):
        assert seen is Class.SOFT
    elif line.startswith("552 ") and stage is Stage.RCPT and reported is Class.SOFT:
        assert seen in (None, Class.SOFT), "it may be emptied: RFC 5321 §4.5.3.1.10"
    elif line.startswith("552 ") and reported is Class.SOFT:
        assert seen in (None, Class.SOFT), "the message may be too large, too"
    else:
        assert seen is reported
