"""A relay that refuses by our own fault costs no reader anything, whatever it says and when.

The mailing is paused or the relay closed, operators are told, everything waits; once the relay is
put right and the mailing resumed, everybody gets one copy. A dead reader fails all the same.
"""

import itertools
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.conftest import Opening
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import Process, eventually
from tests.support.smtpd import Misdeed, self_made

CROWD = [f"reader@domain{number:02}.example.org" for number in range(24)]
NEIGHBOURS = [f"reader{number:02}@example.net" for number in range(16)]  # all of one domain
LOGIN = ("vestka", "a-secret")

NOT_VERIFIED = (
    "554 Message rejected: Email address is not verified. The following identities failed the check"
    " in region EU-WEST-1: news@example.org"
)
UNREGISTERED = (
    "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains."
)

# What relays say of us, at the stage where they say it.
OWN_FAULTS = [
    # Amazon SES
    ("DOT", NOT_VERIFIED),
    ("DOT", "554 Message rejected: Sending suspended for this account."),
    ("DOT", "554 Message rejected: Sending paused for this account. See the console."),
    ("RCPT", "554 Message rejected: Email address is not verified."),
    ("MAIL", "554 Access denied: User is not authorized to perform `ses:SendRawEmail'"),
    # Microsoft
    ("DOT", UNREGISTERED),
    ("RCPT", UNREGISTERED),
    ("DOT", "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP."),
    ("RCPT", "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP."),
    ("DOT", "554 5.2.252 SendAsDenied; news@example.org not allowed to send as news@example.org"),
    # Google, Brevo, Mailgun, Postmark
    ("DATA", "550 5.4.5 Daily user sending limit exceeded. See the help page."),
    ("RCPT", "550 5.7.1 Invalid credentials for relay [192.0.2.1]."),
    ("RCPT", "502 5.7.0 Your SMTP account is not yet activated. Please contact us."),
    ("DOT", "550 5.7.1 Domain example.org is not allowed to send: Please activate your account"),
    ("DOT", "550 The Sender signature for news@example.org is not confirmed."),
    # reputation, content, authentication, policy: of the message's sender, to everybody
    ("DOT", "554 5.7.1 This message was blocked because its content looks like spam"),
    ("RCPT", "550 5.7.26 Unauthenticated email from example.org is not accepted"),
    ("RCPT", "554 5.7.1 Relay access denied"),
    ("MAIL", "550 5.7.1 Sender address rejected"),
    ("MAIL", "530 5.7.0 Authentication required"),
    # what nobody lists
    ("MAIL", "550 Quux"),
    ("RCPT", "550 Quux"),
    ("RCPT", "554 Not today, thank you"),
    ("DATA", "554 Quux"),
    ("DOT", "554 Quux"),
    ("DOT", "550 Come to the counter on the second floor"),
    ("DOT", "541 Rejected"),
    # what sounds as if the reader were the cause, and is said to all
    ("DOT", "550 5.1.1 User unknown"),
    ("RCPT", "550 This account has been suspended"),
]

WEEKS = iter(f"{year}-W{week:02}" for year in itertools.count(2025) for week in range(1, 51))


def is_imported(newsletter: Newsletter, folder: pathlib.Path, readers: list[str]) -> None:
    path = folder / "list.csv"
    rows = [f"{address},en,en" for address in readers]
    path.write_text("\n".join(["email,segments,language", *rows]), encoding="utf-8")
    words = ("--consent", "We agreed.", "--yes")
    ran = newsletter.place.command("subscribers", "import", str(path), *words)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def newsletter(opening: Opening, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsletter]:
    with opening(VESTKA_RELAY_CONNECTIONS="3") as running:
        is_imported(running, pathlib.Path(tmp_path_factory.mktemp("list")), CROWD)
        yield running


def copies(newsletter: Newsletter, week: str, readers: list[str]) -> list[int]:
    title = f"title of {week}"
    return [sum(title in m.text for m in newsletter.issues_to(address)) for address in readers]


def has_stopped(newsletter: Newsletter, seen: dict[str, Any], reply: str) -> bool:
    """Whether the mailing is paused, or its relay closed, and operators were told."""
    texts = [each["text"] for each in newsletter.operator.sees("/v1/alerts")]
    paused = seen["state"] == "paused" and any(f"Mailing {seen['id']} " in t for t in texts)
    closed = seen["state"] == "running" and any(reply[-20:] in t for t in texts)
    return (paused or closed) and not seen["claimed"]


def stops_and_goes_on(
    newsletter: Newsletter, stage: str, reply: str, readers: list[str] = CROWD
) -> None:
    """Launch into a refusing relay, look that nobody is lost, put it right and resume."""
    operator, relay, week = newsletter.operator, newsletter.relay, next(WEEKS)
    relay.stop()  # connections of the mailing before are cut
    relay.behave()
    relay.on(Misdeed(stage, reply=reply))
    relay.start()
    mailing = operator.publishes(an_issue(week, "en"), "en")
    seen = operator.waits(mailing, lambda look: has_stopped(newsletter, look, reply), "a stop")
    assert (seen["sent"], seen["failed"], seen["uncertain"], seen["excluded"]) == (0, 0, 0, {})
    assert seen["pending"] + seen["deferred"] == len(readers)
    if seen["state"] == "paused":
        assert seen["pending"] >= len(readers) - 3, "but what was the first to be refused"
    relay.behave()
    assert operator.acts(mailing, "resume").status == 200
    end = operator.waits_for_end(mailing, within=60)
    assert (end["sent"], end["failed"]) == (len(readers), 0), end
    assert set(copies(newsletter, week, readers)) == {1}


@pytest.mark.parametrize(("stage", "reply"), OWN_FAULTS)
def test_our_own_fault_costs_no_reader_anything(
    newsletter: Newsletter, stage: str, reply: str
) -> None:
    stops_and_goes_on(newsletter, stage, reply)


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("CONNECT", "554 No SMTP service here"),
        ("CONNECT", "550 5.7.1 Your network is on our list"),
        ("EHLO", "550 5.7.1 Go away"),
    ],
)
def test_a_relay_that_refuses_the_conversation_is_closed(
    newsletter: Newsletter, stage: str, reply: str
) -> None:
    stops_and_goes_on(newsletter, stage, reply)


def test_a_dead_reader_fails_and_all_others_get_their_copy(newsletter: Newsletter) -> None:
    operator, relay, week = newsletter.operator, newsletter.relay, next(WEEKS)
    relay.behave()
    gone = CROWD[7]
    relay.on(Misdeed("RCPT", gone, reply="550 5.1.1 No such user"))
    end = operator.waits_for_end(operator.publishes(an_issue(week, "en"), "en"))
    assert (end["sent"], end["failed"]) == (len(CROWD) - 1, 1)
    (listed,) = operator.sees(f"/v1/mailings/{end['id']}/failed")
    assert (listed["reason"], listed["ours"], listed["messages"]) == ("reader hard", False, 1)
    assert copies(newsletter, week, [gone]) == [0]


def test_what_nobody_explains_amid_taken_ones_fails_and_can_be_sent_again(
    newsletter: Newsletter,
) -> None:
    operator, relay, week = newsletter.operator, newsletter.relay, next(WEEKS)
    relay.behave()
    refused = CROWD[3]
    relay.on(Misdeed("DOT", refused, reply="554 Quux"))
    mailing = operator.publishes(an_issue(week, "en"), "en")
    end = operator.waits_for_end(mailing)
    assert end["failed"] == 1, end
    (listed,) = operator.sees(f"/v1/mailings/{mailing}/failed")
    assert (listed["reason"], listed["ours"], listed["resendable"]) == ("message", True, 1)
    relay.behave()
    path = f"/v1/mailings/{mailing}/failed"
    assert operator.calls("POST", path, {"reason": "relay"}).status == 422
    assert operator.calls("POST", path, {"action": "what"}).status == 422
    place = newsletter.place
    shown = place.command("mailing", "failed", str(mailing))
    assert "message" in shown.stdout
    ran = place.command("mailing", "failed", str(mailing), "--resend")
    assert ran.returncode == 0, ran.stderr
    operator.waits(mailing, lambda seen: seen["sent"] == len(CROWD), "the resent one")
    assert operator.calls("POST", path).json() == {"messages": 0}
    assert set(copies(newsletter, week, [refused])) == {1}


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("AUTH", "535 5.7.8 Authentication credentials invalid"),
        ("AUTH", "525 5.7.1 Unauthorized IP address"),
        ("RCPT", "550 5.7.1 This is against our policy"),
        ("DOT", "550 5.7.26 This mail is unauthenticated"),
    ],
)
def test_a_list_of_one_domain_and_a_relay_with_a_login(
    opening: Opening, tmp_path: pathlib.Path, stage: str, reply: str
) -> None:
    """What is said of us is no domain's matter if a mailing's first messages meet nothing else."""
    with opening(VESTKA_RELAY_CONNECTIONS="3") as own:
        is_imported(own, tmp_path, NEIGHBOURS)
        own.relay.login, own.relay.tls = LOGIN, self_made(tmp_path).server
        url = f"smtp://{LOGIN[0]}:{LOGIN[1]}@localhost:{own.relay.port}"
        own.restarts(VESTKA_RELAYS=url, SSL_CERT_FILE=str(tmp_path / "localhost.pem"))
        stops_and_goes_on(own, stage, reply, NEIGHBOURS)


def test_a_short_list_is_not_given_up_either(opening: Opening, tmp_path: pathlib.Path) -> None:
    with opening() as own:
        is_imported(own, tmp_path, CROWD[:2])
        stops_and_goes_on(own, "DOT", "554 Quux", CROWD[:2])


def test_killed_in_the_row_of_refusals_nobody_is_lost(
    opening: Opening, tmp_path: pathlib.Path
) -> None:
    with opening(VESTKA_RELAY_CONNECTIONS="1") as own:
        is_imported(own, tmp_path, CROWD)
        operator, week = own.operator, next(WEEKS)
        own.relay.on(Misdeed("DOT", reply="554 Quux", delay=0.5))
        mailing = operator.publishes(an_issue(week, "en"), "en")
        operator.waits(mailing, lambda seen: seen["failed"] == 1, "the first to be refused")
        own.processes[0].kill()
        own.processes[0] = Process(own.place)
        own.processes[0].ready()
        operator.waits(
            mailing, lambda seen: seen["state"] == "paused" and not seen["claimed"], "the stop"
        )
        own.relay.behave()
        assert operator.acts(mailing, "resume").status == 200
        end = operator.waits_for_end(mailing, within=60)
        assert (end["failed"], end["sent"] + end["uncertain"]) == (0, len(CROWD))
        assert end["uncertain"] <= 1
        assert max(copies(own, week, CROWD)) == 1


def test_who_signs_up_gets_the_confirmation_once_the_relay_is_put_right(opening: Opening) -> None:
    with opening() as own:
        own.relay.on(Misdeed("DOT", reply="554 Quux"))
        for number in range(3):
            assert own.reader.subscribes(f"new{number}@example.org", ["en"]).status == 202

        def told() -> bool:
            texts = [each["text"] for each in own.operator.sees("/v1/alerts")]
            return any("people who sign up wait for" in text for text in texts)

        eventually(told, "an alert")
