"""A mailing for a segment that nobody reads ends as soon as it began."""

from tests.support.newsletter import Operator, an_issue


def test_a_mailing_without_readers_is_finished_at_once(operator: Operator) -> None:
    mailing = operator.publishes(an_issue("2024-W01", "be"), "BE/RU")
    end = operator.waits_for_end(mailing)
    assert (end["audience"], end["sent"], end["excluded"]) == (0, 0, {})
    again = operator.launches("2024-W01", "BE/RU")
    assert (again.status, again.json()["id"]) == (200, mailing)
