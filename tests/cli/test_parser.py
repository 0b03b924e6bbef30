"""Whatever is wrong on the command line: one sentence, status 2, and never the value."""

import pytest

from tests.support.terminal import Terminal

SECRET = "ann@example.org"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mailing", "show", "x-secret"], "ID: Input should be a valid integer."),
        (["mailing", "show", "0"], "ID: Input should be greater than or equal to 1."),
        (["mailing", "show", "9" * 20], "ID: Input should be less than or equal to 9223372036854"),
        (["key", "create", "a", "--scope", "all", "--days", "900"], "--days: Input should be less"),
        (["serve", "--role", "x-secret"], "--role is not one of 'all', 'public'"),
        (["mailing", "start", "2025-W04"], "Missing argument 'segment'."),
        (["mailing", "list", "x-secret"], "Got unexpected extra argument(s)."),
        (["mailing", "list", "--secret"], "No such option: --secret."),
        (["issue", "preview", "2025-W04"], "Missing option '--segment'."),
        (["issue", "show", "x-secret"], "A week is named like 2025-W04"),
        (["mailing", "start", "2025-W04", "x-secret"], "There is no segment of this name."),
        (["mailing", "show", "77"], "There is no such mailing."),
        ([SECRET], "No such command"),
    ],
)
def test_bad_input_is_one_sentence(terminal: Terminal, arguments: list[str], said: str) -> None:
    heard = terminal.refused(*arguments)
    assert heard.startswith(said)
    assert "x-secret" not in heard
    assert SECRET not in heard


def test_nothing_asked_is_answered_with_help(terminal: Terminal) -> None:
    ran = terminal.run()
    assert (ran.status, ran.out) == (2, "")
    assert "Commands:" in ran.err
    asked = terminal.run("--help")
    assert (asked.status, asked.err) == (0, "")
    assert "demo" in asked.out


def test_a_database_that_does_not_answer_is_said_without_its_password(terminal: Terminal) -> None:
    terminal.set("VESTKA_DATABASE_URL", "postgresql://vestka:hunter2@127.0.0.1:1/vestka")
    ran = terminal.run("mailing", "list")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "VESTKA_DATABASE_URL does not answer" in ran.err
    assert "hunter2" not in ran.err
