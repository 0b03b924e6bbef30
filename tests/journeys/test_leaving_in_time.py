"""A reader who leaves gets no further message, not even a queued one; an operator can stop it."""

from collections.abc import Iterator
from threading import Thread

import pytest

from tests.journeys.conftest import Opening
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import eventually
from tests.support.smtpd import Misdeed

CROWD = [f"reader{number:02}@example.org" for number in range(12)]


@pytest.fixture(scope="module")
def newsletter(opening: Opening) -> Iterator[Newsletter]:
    """One line to the relay, so that messages go one after the other; everybody is subscribed."""
    with opening(VESTKA_RELAY_CONNECTIONS="1") as opened:
        opened.reader.are_confirmed(dict.fromkeys(CROWD, (["en", "be-ru"], "be")))
        first = opened.operator.publishes(an_issue("2024-W01", "en"), "en")
        assert opened.operator.waits_for_end(first)["sent"] == len(CROWD)
        yield opened


def test_whoever_leaves_between_launch_and_sending_is_excluded(newsletter: Newsletter) -> None:
    leaving, *staying = CROWD
    (message,) = newsletter.issues_to(leaving)
    newsletter.relay.stop()
    mailing = newsletter.operator.publishes(an_issue("2024-W02", "en"), "en")
    newsletter.operator.waits(mailing, lambda seen: seen["audience"], "the audience")
    assert newsletter.reader.unsubscribes_by_one_click(message).status == 200
    newsletter.relay.start()
    end = newsletter.operator.waits_for_end(mailing)
    assert (end["audience"], end["sent"]) == (12, 11)
    assert end["excluded"] == {"unsubscribed": 1}
    assert len(newsletter.issues_to(leaving)) == 1
    assert all(len(newsletter.issues_to(address)) == 2 for address in staying)


def test_a_mailing_is_paused_resumed_and_cancelled(newsletter: Newsletter) -> None:
    operator, relay = newsletter.operator, newsletter.relay
    relay.on(Misdeed("DOT", delay=0.3))
    before = len(relay.messages)
    mailing = operator.publishes(an_issue("2024-W03", "be"), "be-ru")
    eventually(lambda: len(relay.messages) > before, "the first message")
    assert operator.acts(mailing, "pause").json()["state"] == "paused"
    still = operator.waits(mailing, lambda seen: not seen["claimed"], "nothing to be on its way")
    assert still["state"] == "paused"
    assert 0 < still["pending"] < still["audience"]
    assert len(relay.messages) - before == still["sent"] < 12
    newsletter.settles()
    assert operator.looks_at(mailing)["sent"] == still["sent"]
    assert operator.acts(mailing, "pause").status == 200

    assert operator.acts(mailing, "resume").json()["state"] == "running"
    more = operator.waits(
        mailing, lambda seen: seen["sent"] > still["sent"], "it to go on after the pause"
    )
    assert more["state"] == "running"
    cancelled = operator.acts(mailing, "cancel").json()
    assert cancelled["state"] == "cancelled"
    end = operator.waits(mailing, lambda seen: not seen["claimed"], "the last message on the wire")
    assert end["state"] == "cancelled"
    assert end["excluded"]["cancelled"] == end["audience"] - end["sent"] > 0
    relay.behave()
    newsletter.settles()
    assert operator.looks_at(mailing) == end
    assert operator.acts(mailing, "pause").status == 409
    messages = [len(newsletter.issues_to(address)) for address in CROWD[1:]]
    assert max(messages) <= 3


def test_test_messages_keep_nobody_from_writing(newsletter: Newsletter) -> None:
    """While the relay thinks about a test message, a sign-up is taken at once."""
    newsletter.relay.on(Misdeed("DOT", containing="desk@", delay=2, times=1))
    wish = {"to": ["desk@example.org"], "segment": "en"}
    call = ("POST", "/v1/issues/2024-W01/test-letters", wish)
    answers = []
    thread = Thread(target=lambda: answers.append(newsletter.operator.calls(*call)))
    thread.start()
    eventually(lambda: newsletter.inbox_of("desk@example.org"), "the test message")
    assert newsletter.reader.subscribes("meanwhile@example.org", ["en"]).status == 202
    assert thread.is_alive(), "the relay has not answered yet"
    thread.join()
    assert answers[0].json()[0]["sent"] is True
