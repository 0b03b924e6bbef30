"""A relay that is down, dies or refuses: nobody gets a message twice, nobody is lost."""

from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import eventually
from tests.support.smtpd import Misdeed

CROWD = [f"reader{number:02}@example.org" for number in range(20)]
LATE, GREY, GONE = CROWD[:3]


def test_a_relay_that_is_down_at_the_start_gets_the_messages_once_it_is_up(
    newsletter: Newsletter,
) -> None:
    newsletter.relay.stop()
    assert newsletter.reader.subscribes("early@example.org", ["en"]).status == 202
    assert newsletter.reader.sends("GET", "/health/ready").status == 200
    newsletter.relay.start()
    assert newsletter.reader.confirms("early@example.org").status == 303
    assert len(newsletter.inbox_of("early@example.org")) == 1


def test_one_reader_refused_is_nobody_elses_trouble(newsletter: Newsletter) -> None:
    operator, relay = newsletter.operator, newsletter.relay
    newsletter.reader.are_confirmed(dict.fromkeys(CROWD, (["be-ru"], "ru")))
    relay.on(Misdeed("RCPT", LATE, reply="421 4.3.2 Try again later", times=1))
    relay.on(Misdeed("RCPT", GREY, reply=f"450 4.2.0 <{GREY}>: Greylisted, come back later"))
    relay.on(Misdeed("RCPT", GONE, reply=f"550 5.1.1 <{GONE}>: User unknown"))
    mailing = operator.publishes(an_issue("2024-W12", "ru"), "be-ru")
    seen = operator.waits(
        mailing,
        lambda seen: (seen["sent"], seen["failed"], seen["deferred"]) == (18, 1, 1),
        "all but two to have their message",
    )
    assert (seen["state"], seen["audience"], seen["uncertain"]) == ("running", 20, 0)
    for address in CROWD:
        expected = 0 if address in (GREY, GONE) else 1
        assert len(newsletter.issues_to(address)) == expected, address
    assert operator.acts(mailing, "cancel").status == 200
    end = operator.looks_at(mailing)
    assert (end["deferred"], end["failed"], end["excluded"]) == (0, 1, {"cancelled": 1})
    relay.behave()


def test_a_relay_that_dies_in_the_middle_gets_no_message_twice(newsletter: Newsletter) -> None:
    operator, relay = newsletter.operator, newsletter.relay
    newsletter.reader.are_confirmed(dict.fromkeys(CROWD, (["en"], None)))
    relay.on(Misdeed("DOT", delay=0.4))
    before = len(relay.messages)
    mailing = operator.publishes(an_issue("2024-W13", "en"), "en")
    eventually(lambda: len(relay.messages) >= before + 12, "some messages to have gone")
    relay.stop()
    for _ in range(5):
        operator.looks_at(mailing)
    relay.behave()
    relay.start()
    end = operator.waits_for_end(mailing, within=60)
    assert end["failed"] == end["deferred"] == 0
    assert end["sent"] + end["uncertain"] == end["audience"]
    assert end["uncertain"] <= 10, "at most one for each connection"
    counts = [len(newsletter.issues_to(address)) for address in CROWD]
    messages = [n - had for n, had in zip(counts, [_had(a) for a in CROWD], strict=True)]
    assert set(messages) <= {0, 1}
    listed = operator.sees(f"/v1/mailings/{mailing}/uncertain")
    assert len(listed) == end["uncertain"] >= messages.count(0)
    settled = operator.calls("POST", f"/v1/mailings/{mailing}/uncertain", {"action": "settle"})
    assert settled.json() == {"messages": end["uncertain"]}
    assert operator.looks_at(mailing)["uncertain"] == 0


def _had(address: str) -> int:
    """How many issues the story before left in this inbox."""
    return 0 if address in (GREY, GONE) else 1
