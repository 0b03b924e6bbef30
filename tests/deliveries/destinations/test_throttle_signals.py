"""What is behind a refusal: a wish about us, or nothing that concerns a whole domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.destinations.throttle_signals import (
    GIVEN_UP,
    SENT_AWAY,
    SLOWED,
    TRIES,
    WISHES,
    ThrottleSignal,
    throttle_signal_of,
    verdict_of,
)
from app.mail.classification.rules import rules
from app.mail.replies import Answer, Reply, Stage, classify

SLOWER = [
    "421 4.7.28 Our system has detected an unusual rate of unsolicited mail from your IP address",
    "451 4.7.650 The mail server has been temporarily rate limited due to IP reputation",
    "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume",
    "451 4.7.1 Sorry, too many connections from your host",
    "421 4.7.0 IP frequency limit exceeded",
    "451 Ratelimit exceeded for your domain",
    "452 Too much mail from your network",
    "450 4.7.1 Error: too much mail from 192.0.2.1",
    "451 4.7.1 Your address is listed at a blocklist, try again later",
]
AWAY = [
    "550 5.7.515 Access denied, sending domain does not meet the required authentication level",
    "550 5.7.1 Service unavailable, client host blocked using a DNSBL",
    "554 5.7.1 This message was blocked because its content looks like spam",
    "550 Your network is on our block list",
    "554 Mail rejected due to poor reputation",
    "550 5.7.26 This mail is unauthenticated",
    "550 5.1.0 You are on the Spamhaus list",
]
NEITHER = [
    "250 2.0.0 Ok",
    "354 Go ahead",
    "450 4.2.0 Greylisted, please try again later",
    "451 4.7.1 Greylisting in action, too many messages of this kind",
    "450 4.7.1 Try again in five minutes",
    "452 4.2.2 Mailbox full, quota exceeded",
    "452 4.5.3 Too many recipients",
    "452 4.3.1 Slow down",
    "451 4.4.1 No answer from host",
    "550 5.1.1 User unknown, spam or not",
    "552 5.2.2 Over quota",
    "554 5.7.1 Relay access denied",
    "530 5.7.0 Authentication required",
    "538 5.7.11 Encryption needed",
    "550 5.7.133 Sender not authenticated for group",
    "550 No such user here",
    # These words are matched by a guess alone.
    "554 Transaction failed: SPAM",
    "554 Rejected",
]


def answer(said: str, stage: Stage = Stage.RCPT) -> Answer:
    code, _, text = said.partition(" ")
    return Answer(stage, Reply.parse(int(code), text))


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        *((said, ThrottleSignal.SLOWER) for said in SLOWER),
        *((said, ThrottleSignal.AWAY) for said in AWAY),
        *((said, ThrottleSignal.NONE) for said in NEITHER),
    ],
)
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.DOT])
def test_a_reply_has_its_wish(said: str, wish: ThrottleSignal, stage: Stage) -> None:
    assert throttle_signal_of(answer(said, stage)) is wish


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.TLS, Stage.LOGIN, Stage.MAIL])
def test_what_is_said_before_a_recipient_is_named_is_the_relay_s(stage: Stage) -> None:
    assert {throttle_signal_of(answer(said, stage)) for said in [*SLOWER, *AWAY]} == {
        ThrottleSignal.NONE
    }


def test_no_reply_is_no_wish() -> None:
    assert throttle_signal_of(Answer(Stage.DOT, None)) is ThrottleSignal.NONE


def test_a_wish_is_for_the_reasons_why_messages_are_blocked() -> None:
    reasons = {rule.reason for rule in rules() if rule.class_ == "block"}
    assert {reason for _, reason in WISHES} <= reasons
    assert reasons - {reason for _, reason in WISHES} == {
        *("account", "encryption", "recipients", "relaying", "sender")
    }


def test_a_message_that_is_sent_away_is_tried_again_and_given_up_in_the_end() -> None:
    said = answer(AWAY[0])
    assert verdict_of(said) == (SENT_AWAY, ThrottleSignal.AWAY)
    assert verdict_of(said, TRIES) == (GIVEN_UP, ThrottleSignal.AWAY)
    assert verdict_of(answer(SLOWER[0]), TRIES) == (SLOWED, ThrottleSignal.SLOWER)
    assert verdict_of(answer(NEITHER[0])) == (classify(answer(NEITHER[0])), ThrottleSignal.NONE)


@given(st.integers(200, 599), st.none() | st.from_regex(r"[245]\.\d{1,3}\.\d{1,3}"), st.text())
def test_every_reply_has_a_wish_of_its_class(code: int, enhanced: str | None, text: str) -> None:
    wish = throttle_signal_of(Answer(Stage.RCPT, Reply(code, enhanced, text)))
    assert wish is ThrottleSignal.NONE or (code // 100, wish) in {
        (4, ThrottleSignal.SLOWER),
        (5, ThrottleSignal.AWAY),
    }
