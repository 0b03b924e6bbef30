"""One role after another dies, and then their supervisor; the other roles do not notice."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import Place, Process, eventually, is_gone, serving
from tests.support.smtpd import ScriptedServer

ROLES = ("public", "operators", "sender")
MEMORY = 260 << 10  # kB, all processes together


@pytest.fixture
def place(tmp_path: Path) -> Place:
    relays = {"VESTKA_RELAYS": "smtp+insecure://127.0.0.1:1", "VESTKA_LOG_FORMAT": "json"}
    return Place(tmp_path, f"sqlite:///{tmp_path}/var/vestka.db", relays)


@pytest.fixture
def process(place: Place) -> Iterator[Process]:
    with serving(place) as (process,):
        yield process


def kill(process: Process, role: str) -> int:
    """End the process of this role with kill -9, and return its number."""
    pid = eventually(lambda: process.roles().get(role, 0), f"a process for {role}")
    os.kill(pid, signal.SIGKILL)
    return pid


def another(process: Process, role: str, than: int) -> int:
    """Wait until the role has a process other than `than`."""

    def look() -> int:
        pid = process.roles().get(role, than)
        return 0 if pid == than else pid

    return eventually(look, f"another process for {role}")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_is_killed_again_and_again_comes_back_and_the_others_stay(
    process: Process, role: str
) -> None:
    others = {name: pid for name, pid in process.roles().items() if name != role}
    for _ in range(3):
        another(process, role, than=kill(process, role))
    process.ready()
    assert {name: pid for name, pid in process.roles().items() if name != role} == others
    assert "a process ended, starting it again" in process.log.read_text()


def test_a_mailing_goes_on_while_the_public_process_is_killed(tmp_path: Path) -> None:
    with ScriptedServer() as relay:
        relays = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        place = Place(tmp_path, f"sqlite:///{tmp_path}/var/vestka.db", relays)
        newsletter = Newsletter(place, relay)
        with serving(place) as (process,):
            names = [f"reader-{number}@example.org" for number in range(6)]
            newsletter.reader.are_confirmed({name: (["en"], "en") for name in names})
            sender = process.roles()["sender"]
            mailing = newsletter.operator.publishes(an_issue("2024-W02", "en", "be"), "en")
            for _ in range(3):
                another(process, "public", than=kill(process, "public"))
            assert newsletter.operator.waits_for_end(mailing)["sent"] == len(names)
            assert process.roles()["sender"] == sender


def test_nobody_outlives_the_supervisor_and_the_service_starts_again(
    place: Place, process: Process
) -> None:
    left = process.roles()
    assert set(left) == set(ROLES)
    os.kill(process.pid, signal.SIGKILL)
    process.ends()
    for role, pid in left.items():
        eventually(lambda pid=pid: is_gone(pid), f"{role} to end")  # type: ignore[misc]
    with serving(place):
        pass
    process.stop = lambda: 0  # type: ignore[method-assign]  # it was killed, not stopped


def test_a_hangup_changes_nothing(process: Process) -> None:
    before = process.roles()
    os.kill(process.pid, signal.SIGHUP)
    eventually(lambda: "SIGHUP changes nothing" in process.log.read_text(), "a line of the log")
    for pid in before.values():
        os.kill(pid, signal.SIGHUP)
    process.ready()
    assert process.roles() == before


def test_a_second_service_is_refused_before_it_opens_its_ports(
    place: Place, process: Process, tmp_path: Path
) -> None:
    second = Place(tmp_path, place.environment["VESTKA_DATABASE_URL"], {})
    second.environment["VESTKA_RELAYS"] = place.environment["VESTKA_RELAYS"]
    refused = second.command("serve")
    assert refused.returncode == 2
    assert refused.stderr.strip().splitlines() == [
        "vestka: Another `vestka serve` runs with this data directory (VESTKA_DATA_DIR) already."
    ]
    # The same with the same ports: it is not the ports that it is refused for.
    assert "data directory" in place.command("serve").stderr


def test_a_port_that_is_taken_is_said_before_keys_are_made(place: Place, tmp_path: Path) -> None:
    with ScriptedServer() as taken:
        place.environment["VESTKA_PUBLIC_LISTEN"] = f"127.0.0.1:{taken.port}"
        refused = place.command("serve")
    assert refused.returncode == 2
    assert refused.stderr.startswith("vestka: VESTKA_PUBLIC_LISTEN names a port on which something")
    assert not (tmp_path / "keys").exists()
    assert not (tmp_path / "var").exists()


def test_each_process_holds_only_what_its_role_needs(process: Process) -> None:
    roles = process.roles()
    environments = {
        role: Path(f"/proc/{pid}/environ").read_bytes().decode() for role, pid in roles.items()
    }
    assert "VESTKA_RELAYS" in environments["sender"]
    assert "VESTKA_RELAYS" not in environments["public"]
    for role in ("public", "operators"):
        files = {str(each.readlink()) for each in Path(f"/proc/{roles[role]}/fd").iterdir()}
        assert not [name for name in files if "/keys" in name]


def test_all_processes_together_are_small_at_rest(process: Process) -> None:
    pids = [process.pid, *process.roles().values()]
    assert sum(map(memory_of, pids)) <= MEMORY, {pid: memory_of(pid) for pid in pids}


def memory_of(pid: int) -> int:
    """Return the proportional set size in kB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def test_each_line_of_the_log_says_whose_it_is(process: Process) -> None:
    text = process.log.read_text()
    for role in (*ROLES, "supervisor"):
        assert f'"role": "{role}"' in text


def test_without_its_keys_no_process_is_ready_and_each_says_why(
    place: Place, process: Process, tmp_path: Path
) -> None:
    ports = (place.public_port, place.operators_port, place.sender_port)
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    for port in ports:
        eventually(lambda port=port: health(place, port) == 503, "the missing keys to be seen")  # type: ignore[misc]
        assert place.call(port, "GET", "/health/ready").json() == {
            "status": "key files are missing or cannot be read"
        }
        assert place.call(port, "GET", "/health/live").status == 200
    (tmp_path / "elsewhere").rename(tmp_path / "keys")
    for port in ports:
        eventually(lambda port=port: health(place, port) == 200, "the keys to be seen")  # type: ignore[misc]


def health(place: Place, port: int) -> int:
    return place.call(port, "GET", "/health/ready").status


def test_the_senders_port_tells_its_health_and_nothing_else(place: Place, process: Process) -> None:
    port = place.sender_port
    assert place.call(port, "GET", "/health/ready?x=1").json() == {"status": "ready"}
    assert place.call(port, "HEAD", "/health/live").body == b""
    assert place.call(port, "POST", "/health/ready").status == 405
    assert place.call(port, "GET", "/v1/issues").status == 404
