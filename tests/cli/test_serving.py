"""What is read before the start: whatever was given, and what the role cannot do without."""

import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from app.cli.listen_sockets import open_socket
from app.cli.roles import Role, read_all
from app.settings import Listen, Settings, SettingWrong

ROOT = Path(__file__).parents[2]

# Any text names a file or a topic; the rest is read with the newsletter in hand, before the start.
READ_LATER = {
    *("VESTKA_DATA_DIR", "VESTKA_KEYS_DIR", "VESTKA_NEWSLETTER_PATH", "VESTKA_BOUNCE_MAILDIR"),
    *("VESTKA_SCHEDULE", "VESTKA_RELAYS", "VESTKA_DOMAIN_LIMITS", "VESTKA_SNS_TOPICS"),
}
NAMES = [knob.name for knob in Settings.declared() if knob.name not in READ_LATER]


def given(**more: str) -> dict[str, str]:
    return {
        "VESTKA_PUBLIC_URL": "https://news.example.org",
        "VESTKA_FROM": "news@example.org",
        "VESTKA_RELAYS": "smtp+insecure://127.0.0.1:25",
        **more,
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_setting_stops_the_start_of_any_role(name: str) -> None:
    for role in (Role.PUBLIC, Role.OPERATORS, Role.SENDER):
        with pytest.raises(SettingWrong, match=f"^{name} "):
            read_all(Settings(given(**{name: "no such <thing"})), [role])


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (Role.PUBLIC, "VESTKA_PUBLIC_URL"),
        (Role.OPERATORS, "VESTKA_FROM"),
        (Role.SENDER, "VESTKA_RELAYS"),
        (Role.SENDER, "VESTKA_FROM"),
    ],
)
def test_a_role_does_not_start_without_what_it_needs(role: Role, name: str) -> None:
    without = given()
    del without[name]
    with pytest.raises(SettingWrong, match=f"^{name} is not set"):
        read_all(Settings(without), [role])


def test_a_port_that_is_taken_is_no_wrong_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        here = Listen("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(SettingWrong, match="something listens already"):
            open_socket("VESTKA_PUBLIC_LISTEN", here)


def test_a_role_needs_no_more(tmp_path: Path) -> None:
    read_all(Settings({"VESTKA_PUBLIC_URL": "https://news.example.org"}), [Role.PUBLIC])


def test_a_process_that_only_sends_loads_neither_the_web_nor_the_migrations() -> None:
    program = """
        import sys
        import app.cli.serving, app.cli.sender_process
        print(sorted({"fastapi", "starlette", "uvicorn", "alembic"} & sys.modules.keys()))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
