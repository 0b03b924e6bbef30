"""The safety catch of trial installations: VESTKA_ALLOWED_RECIPIENTS."""

from tests.journeys.conftest import Opening
from tests.support.newsletter import an_issue


def test_only_those_who_may_be_written_to_are(opening: Opening) -> None:
    everyone = ("ann@example.org", "Desk@example.org")
    with opening() as newsletter:
        operator, relay = newsletter.operator, newsletter.relay
        newsletter.reader.are_confirmed(dict.fromkeys(everyone, (["en"], None)))
        before = len(relay.messages)

        newsletter.restarts(VESTKA_ALLOWED_RECIPIENTS="nobody")
        end = operator.waits_for_end(operator.publishes(an_issue("2024-W01", "en"), "en"))
        assert (end["audience"], end["sent"]) == (2, 0)
        assert end["excluded"] == {"not allowed": 2}
        assert len(relay.messages) == before

        newsletter.restarts(VESTKA_ALLOWED_RECIPIENTS="desk@example.org, other@example.org")
        end = operator.waits_for_end(operator.publishes(an_issue("2024-W02", "en"), "en"))
        assert (end["sent"], end["excluded"]) == (1, {"not allowed": 1})
        assert len(newsletter.issues_to("Desk@example.org")) == 1
        assert newsletter.issues_to("ann@example.org") == []
