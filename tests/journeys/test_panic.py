"""The keys are destroyed under a running service: it ends, says why, and does not come back."""

from pathlib import Path

from tests.support.service import Place, Process

SAYS = "The keys were destroyed by `vestka seal panic`: no address can be read any more."


def test_whatever_runs_ends_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o700)
    relays = {"VESTKA_RELAYS": "smtp+insecure://127.0.0.1:1"}
    place = Place(tmp_path, f"sqlite:///{tmp_path}/var/vestka.db", relays)
    process = Process(place)
    try:
        process.ready()
        assert place.command("seal", "panic", "--yes").returncode == 0
        ended = process.ends()
    finally:
        process.kill()
    assert ended == 2
    assert SAYS in process.log.read_text()
    assert place.command("serve").stderr.strip().endswith(SAYS)
