"""What each role reads before it starts."""

from app.cli.serving import _NEEDED
from app.settings import Settings

# Read before any role's, by every command.
ALWAYS = {"data_dir", "keys_dir", "database_url", "newsletter", "log_format"}


def test_every_setting_is_read_before_the_start() -> None:
    read = {name for names in _NEEDED.values() for name in names}
    assert read | ALWAYS == {knob.attribute for knob in Settings.knobs()}
