"""Every answer has a verdict; only a bad address is held against its reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail import replies
from app.mail.replies import (
    RULES,
    Answer,
    BounceClass,
    Disposition,
    Outcome,
    Reply,
    RetryClass,
    Scope,
    Stage,
    classify,
)

OPENING = (Stage.CONNECT, Stage.TLS, Stage.LOGIN)
SENDING = (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT)
BEFORE_DOT = (Stage.MAIL, Stage.RCPT, Stage.DATA)


def verdict(stage: Stage, line: str) -> Disposition:
    return classify(Answer(stage, Reply.parse(int(line[:3]), line[4:])))


@pytest.mark.parametrize(
    ("stage", "line", "expected"),
    [
        (Stage.DOT, "250 2.0.0 Ok: queued as 4F1", replies.ACCEPTED),
        (Stage.DOT, "250", replies.ACCEPTED),
        # the reader, not now
        (Stage.RCPT, "450 4.2.0 Greylisted, come back", replies.GREYLISTED),
        (Stage.RCPT, "450 4.7.1 Try again later", replies.GREYLISTED),
        (Stage.RCPT, "451 4.7.1 Greylisting in action", replies.GREYLISTED),
        (Stage.RCPT, "452 4.2.2 Mailbox full", replies.READER_FULL),
        (Stage.RCPT, "450 over quota", replies.READER_FULL),
        (Stage.RCPT, "450 4.1.1 no answer", replies.READER_LATER),
        (Stage.RCPT, "451 Local error", replies.READER_LATER),
        (Stage.RCPT, "552 Requested action aborted", replies.READER_FULL),
        # the reader, never
        (Stage.RCPT, "550 5.1.1 User unknown", replies.READER_GONE),
        (Stage.RCPT, "550 5.1.2 Bad host", replies.READER_GONE),
        (Stage.RCPT, "553 5.1.3 Bad syntax", replies.READER_GONE),
        (Stage.RCPT, "551 5.1.6 Moved", replies.READER_GONE),
        (Stage.RCPT, "556 5.1.10 Null MX", replies.READER_GONE),
        (Stage.RCPT, "550 5.7.1 No such user!", replies.READER_GONE),  # the words decide
        (Stage.RCPT, "550 No such user here", replies.READER_GONE),
        (Stage.RCPT, "550 Requested action not taken: mailbox unavailable", replies.READER_GONE),
        (Stage.RCPT, "550 5.2.1 Disabled", replies.READER_REFUSED),  # suspended: it may come back
        (Stage.RCPT, "550 5.7.1 Rejected by the recipient", replies.READER_REFUSED),
        (Stage.RCPT, "550", replies.MESSAGE_REFUSED),  # nobody knows whose fault it is
        (Stage.RCPT, "552 5.2.2 Over quota", replies.READER_REFUSED),
        (Stage.RCPT, "550 5.4.4 Unable to route", replies.READER_REFUSED),
        # not the reader's fault
        (Stage.RCPT, "554 5.7.1 Relay access denied", replies.RELAY_WRONG),
        (Stage.RCPT, "554 Relaying denied", replies.RELAY_WRONG),
        (Stage.RCPT, "550 5.7.515 Access denied", replies.RELAY_WRONG),
        (Stage.RCPT, "550 5.3.2 System not accepting", replies.RELAY_WRONG),
        (Stage.RCPT, "503 5.5.1 Bad sequence", replies.RELAY_WRONG),
        (Stage.RCPT, "501 Syntax", replies.RELAY_WRONG),
        (Stage.RCPT, "550 5.1.8 Bad sender", replies.MAILING_REFUSED),
        (Stage.RCPT, "550 5.6.7 No SMTPUTF8", replies.MESSAGE_REFUSED),
        (Stage.RCPT, "452 4.5.3 Too many recipients", replies.RECONNECT),
        (Stage.RCPT, "552 too many recipients", replies.RECONNECT),
        (Stage.RCPT, "452 Insufficient storage", replies.RELAY_BUSY),
        (Stage.RCPT, "451 4.7.28 Rate limited", replies.RELAY_BUSY),
        # the mailing and the message
        (Stage.MAIL, "550 5.7.1 Sender refused", replies.MAILING_REFUSED),
        (Stage.MAIL, "552 5.3.4 Too big", replies.MAILING_REFUSED),
        (Stage.MAIL, "553 Sender", replies.MAILING_REFUSED),
        (Stage.MAIL, "530 5.7.0 Authentication required", replies.RELAY_WRONG),
        (Stage.MAIL, "451 4.3.0 Try later", replies.MESSAGE_LATER),
        (Stage.MAIL, "452 4.3.1 Storage", replies.RELAY_BUSY),
        (Stage.DATA, "451 later", replies.MESSAGE_LATER),
        (Stage.DATA, "554 no", replies.MAILING_REFUSED),
        (Stage.DOT, "451 4.3.0 later", replies.MESSAGE_LATER),
        (Stage.DOT, "450 4.7.0 slow down", replies.RELAY_BUSY),
        (Stage.DOT, "554 5.7.1 Spam", replies.MAILING_REFUSED),
        (Stage.DOT, "552 5.3.4 Too big", replies.CONTENT_REFUSED),
        (Stage.DOT, "554 5.6.0 Malformed", replies.MESSAGE_REFUSED),
        (Stage.DOT, "554 Transaction failed", replies.MESSAGE_REFUSED),
        # the relay
        (Stage.CONNECT, "421 busy", replies.RELAY_BUSY),
        (Stage.CONNECT, "554 No SMTP service here", replies.RELAY_WRONG),
        (Stage.CONNECT, "521 Host does not accept mail", replies.RELAY_WRONG),
        (Stage.TLS, "454 4.7.0 TLS not available", replies.RELAY_BUSY),
        (Stage.LOGIN, "454 4.7.0 Temporary failure", replies.RELAY_BUSY),
        (Stage.LOGIN, "535 5.7.8 Bad credentials", replies.RELAY_WRONG),
        (Stage.LOGIN, "534 5.7.9 Too weak", replies.RELAY_WRONG),
        (Stage.LOGIN, "538 5.7.11 Encryption required", replies.RELAY_WRONG),
        (Stage.LOGIN, "530 5.7.0 Authentication required", replies.RELAY_WRONG),
    ],
)
def test_a_reply_means(stage: Stage, line: str, expected: Disposition) -> None:
    assert verdict(stage, line) == expected


@pytest.mark.parametrize("stage", SENDING)
def test_421_ends_the_connection_and_the_message_may_go_again(stage: Stage) -> None:
    assert verdict(stage, "421 4.7.0 Bye") == Disposition(
        Outcome.RETRY, Scope.CONNECTION, RetryClass.CONNECTION
    )


def test_only_after_the_dot_a_lost_connection_is_uncertain() -> None:
    assert classify(Answer(Stage.DOT, None)).outcome is Outcome.UNCERTAIN
    for stage in (*OPENING, *BEFORE_DOT):
        assert classify(Answer(stage, None)).outcome is Outcome.RETRY


@pytest.mark.parametrize("line", ["354 go ahead", "100 what", "600 what", "399 what"])
def test_nonsense_after_the_dot_is_uncertain(line: str) -> None:
    assert verdict(Stage.DOT, line).outcome is Outcome.UNCERTAIN


REPLIES = st.builds(
    Reply,
    st.integers(100, 599),
    st.none() | st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True),
    st.text(max_size=60) | st.sampled_from(["mailbox full", "no such user", "spam", "greylist"]),
)
ANSWERS = st.builds(Answer, st.sampled_from(Stage), st.none() | REPLIES)


@given(ANSWERS)
def test_every_answer_has_a_sensible_verdict(answer: Answer) -> None:
    said = classify(answer)
    assert (said.pace is RetryClass.NONE) == (said.outcome is not Outcome.RETRY)
    if said.outcome is Outcome.ACCEPTED:
        assert answer.stage is Stage.DOT
        assert answer.reply is not None
        assert answer.reply.positive
    if said.outcome is Outcome.UNCERTAIN:
        assert answer.stage is Stage.DOT
    if said.concern is Scope.READER:
        assert answer.stage in (Stage.RCPT, Stage.DOT)
    if said.kind is BounceClass.HARD:
        assert said == replies.READER_GONE
    if answer.stage in OPENING:
        assert said.concern is Scope.RELAY


@given(ANSWERS)
def test_a_temporary_reply_never_ends_a_delivery(answer: Answer) -> None:
    if answer.reply is not None and answer.reply.code // 100 == 4:
        assert classify(answer).outcome is Outcome.RETRY


def test_every_verdict_of_the_table_is_used() -> None:
    named = {value for value in vars(replies).values() if isinstance(value, Disposition)}
    assert named - {rule.verdict for rule in RULES} == {replies.ACCEPTED}


@pytest.mark.parametrize(
    ("code", "text", "enhanced", "said"),
    [
        (250, "2.0.0 Ok", "2.0.0", "250 2.0.0 Ok"),
        (550, "5.1.1 no\n5.1.1 user", "5.1.1", "550 5.1.1 no user"),
        (550, "no\n5.1.1 user", "5.1.1", "550 5.1.1 no user"),
        (550, "4.1.1 contradicts", None, "550 contradicts"),
        (550, "5.1.1unknown", None, "550 5.1.1unknown"),
        (550, "5.1.1234 no", None, "550 5.1.1234 no"),
        (550, "5.1.1", "5.1.1", "550 5.1.1"),
        (550, "", None, "550"),
        (550, "a\x00b\x1b[31m\tc\u202e", None, "550 a b [31m c"),
        (550, "caf\udce9", None, "550 caf\ufffd"),
    ],
)
def test_a_reply_is_read(code: int, text: str, enhanced: str | None, said: str) -> None:
    reply = Reply.parse(code, text)
    assert reply.enhanced == enhanced
    assert str(reply) == said


def test_a_long_reply_is_cut() -> None:
    assert len(Reply.parse(550, "a b " * 1000).text) <= replies.LONGEST_TEXT


@given(st.text(max_size=20), st.text(max_size=20), st.from_regex(r"[a-z0-9.]{1,9}", fullmatch=True))
def test_no_address_survives_wherever_it_stands(before: str, after: str, local: str) -> None:
    address = f"{local}@example.com"
    reply = Reply.parse(550, f"{before} {address} {after}", address)
    assert address not in reply.text
