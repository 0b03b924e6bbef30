"""A mailing for a segment that nobody reads is refused, and spends nothing."""

from tests.support.newsletter import Operator, Reader, an_issue


def test_an_issue_waits_until_there_is_somebody_to_read_it(
    operator: Operator, reader: Reader
) -> None:
    assert operator.stores(an_issue("2024-W01", "be")).status == 201
    assert operator.approves("2024-W01", "BE/RU").status == 200
    for _ in range(2):
        refused = operator.launches("2024-W01", "BE/RU")
        assert refused.status == 409
        assert refused.json()["detail"].startswith("BE/RU has no confirmed subscriber.")
    assert operator.sees("/v1/mailings") == []
    assert reader.sends("GET", "/archive/be-ru/2024-W01").status == 404

    reader.is_confirmed("ann@example.org", ["be-ru"])
    launched = operator.launches("2024-W01", "BE/RU")
    assert launched.status == 201
    end = operator.waits_for_end(launched.json()["id"])
    assert (end["audience"], end["sent"]) == (1, 1)
    again = operator.launches("2024-W01", "BE/RU")
    assert (again.status, again.json()["id"]) == (200, launched.json()["id"])
    assert again.json()["state"] == "finished"
