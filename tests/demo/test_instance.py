"""A trial instance takes nothing from the environment, and gives way where a port is taken."""

import socket
from pathlib import Path

import pytest

from app.demo.instance import LOOPBACK, environment, free_port, settings_of
from app.settings import Settings


def test_no_setting_of_the_environment_reaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VESTKA_DATABASE_URL", "postgresql://real.example.org/list")
    monkeypatch.setenv("VESTKA_RELAYS_FILE", "/etc/relays")
    monkeypatch.setenv("HOME", "/nowhere")
    settings = environment(settings_of(tmp_path, 1, 2, 3, 4))
    assert settings["HOME"] == "/nowhere"
    assert "VESTKA_RELAYS_FILE" not in settings
    read = Settings(settings)
    assert read.database_url == f"sqlite:///{tmp_path}/var/vestka.db"
    assert read.keys_dir == tmp_path / "var-keys"
    assert read.relays == ("smtp+insecure://127.0.0.1:4",)
    assert read.schedule == "off"


def test_a_taken_port_is_given_way_to() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) not in (0, port)
    assert free_port(port) == port
