"""The public process as it really runs beside every key: what it loads, which files it opens."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.newsletter import FORM
from tests.support.service import REPOSITORY, Place, eventually, serving

NAME = "The public process can use no private key"


def forbidden() -> list[str]:
    """The modules that the import contract forbids."""
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (contract,) = [each for each in contracts if each["name"] == NAME]
    modules: list[str] = contract["forbidden_modules"]
    return modules


@pytest.fixture
def notes(tmp_path: Path) -> list[str]:
    """What a public process did from its start to its end, in a directory that has all keys."""
    relays = {"VESTKA_RELAYS": "smtp+insecure://127.0.0.1:1"}
    place = Place(tmp_path, f"sqlite:///{tmp_path}/var/vestka.db", relays)
    written = tmp_path / "notes"
    with serving(place, "sender"):
        command = [sys.executable, "-m", "tests.support.audited", str(written)]
        with subprocess.Popen(
            [*command, "serve", "--role", "public"],
            cwd=REPOSITORY,
            env={**place.environment, "PYTHONSAFEPATH": "", "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
        ) as process:
            try:
                eventually(lambda: answers(place), "the public port")
                headers = {"Content-Type": FORM}
                form = b"email=ann%40example.org&segments=en"
                place.call(place.public_port, "POST", "/v1/subscriptions", form, headers)
                for path in ("/form", "/archive/en", "/confirm/x", "/unsubscribe/x", "/manage/x"):
                    place.call(place.public_port, "GET", path)
            finally:
                process.terminate()
                process.communicate()
        assert process.returncode == 0
    return written.read_text().splitlines()


def answers(place: Place) -> bool:
    try:
        return place.call(place.public_port, "GET", "/health/ready").status == 200
    except OSError:
        return False


def test_it_loads_and_opens_nothing_that_could_read_an_address(notes: list[str]) -> None:
    imported = {line.partition(" ")[2] for line in notes if line.startswith("import ")}
    assert "app.public_server" in imported
    names = forbidden()
    assert len(names) > 15
    wrong = {each for each in imported for name in names if f"{each}.".startswith(f"{name}.")}
    assert wrong == set()
    opened = {Path(line.partition(" ")[2]) for line in notes if line.startswith("open ")}
    keys = {path.name for path in opened if path.parent.name == "keys" and path.suffix}
    assert keys == {"hot.1.pub", "list.1.pub", "link.1.key"}
