"""Which environment and how much time the supervisor gives to each of its processes."""

import pytest

from app.cli.roles import NEEDED, Role
from app.cli.supervisor import environment_of, stop_times

SECRETS = {"VESTKA_RELAYS": "relays", "VESTKA_BOUNCE_IMAP": "imap", "VESTKA_FROM": "from"}


@pytest.mark.parametrize("stop_within", [2, 3, 20, 600])
def test_the_readers_port_and_then_the_sender_stop_within_the_time(stop_within: int) -> None:
    times = stop_times(stop_within)
    assert set(times) == set(NEEDED)
    assert times[Role.PUBLIC] == times[Role.OPERATORS] >= 1
    assert times[Role.PUBLIC] + times[Role.SENDER] == stop_within


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (Role.PUBLIC, {"VESTKA_FROM"}),
        (Role.OPERATORS, {"VESTKA_FROM", "VESTKA_RELAYS"}),
        (Role.SENDER, set(SECRETS)),
    ],
)
def test_a_role_gets_its_own_secrets_only(role: Role, names: set[str]) -> None:
    given = environment_of(role, {**SECRETS, "VESTKA_STOP_WITHIN": "20s"}, 5)
    assert given.pop("VESTKA_STOP_WITHIN") == "5s"
    assert set(given) == names
