"""`vestka bench`: what cannot be used is refused by name, before anything is begun."""

import pytest
from typer.testing import CliRunner

from app.cli.bench import commands
from app.settings import SettingWrong


@pytest.mark.parametrize("command", ["send", "signup"])
def test_what_is_no_database_is_refused_by_its_option(command: str) -> None:
    done = CliRunner().invoke(commands, [command, "--database", "nonsense"])
    assert isinstance(done.exception, SettingWrong)
    assert "--database" in str(done.exception)
    assert "nonsense" not in str(done.exception)
