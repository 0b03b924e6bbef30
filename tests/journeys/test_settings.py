"""A setting that is wrong stops the start, with one sentence that names it and not its value."""

from pathlib import Path

import pytest

from tests.support.service import Place

MARK = "zzmarkzz"
WRONG = {
    "a public URL without TLS": ("VESTKA_PUBLIC_URL", f"http://{MARK}.example.org"),
    "no URL": ("VESTKA_PUBLIC_URL", MARK),
    "a relay without TLS": ("VESTKA_RELAYS", f"smtp+insecure://{MARK}.example.org:25"),
    "a relay of no kind": ("VESTKA_RELAYS", f"{MARK}://mail.example.org:25"),
    "no relay": ("VESTKA_RELAYS", ""),
    "a schedule without a zone": ("VESTKA_SCHEDULE", "0 9 * * TUE"),
    "a schedule of no zone": ("VESTKA_SCHEDULE", f"0 9 * * TUE@Europe/{MARK}"),
    "a schedule of no segment": ("VESTKA_SCHEDULE", f"{MARK}=0 9 * * TUE@Europe/Vilnius"),
    "a schedule of six fields": ("VESTKA_SCHEDULE", "0 0 9 * * TUE@Europe/Vilnius"),
    "no sender": ("VESTKA_FROM", None),
    "a sender that is none": ("VESTKA_FROM", MARK),
    "no public URL": ("VESTKA_PUBLIC_URL", None),
    "a list domain that is none": ("VESTKA_LIST_DOMAIN", f"{MARK}..example.org"),
    "a listening port that is none": ("VESTKA_PUBLIC_LISTEN", f"127.0.0.1:{MARK}"),
    "recipients that are none": ("VESTKA_ALLOWED_RECIPIENTS", MARK),
    "alerts to no address": ("VESTKA_ALERTS_TO", MARK),
    "an origin that is none": ("VESTKA_ALLOWED_ORIGINS", MARK),
    "no connections": ("VESTKA_RELAY_CONNECTIONS", "0"),
    "a grace that is none": ("VESTKA_SCHEDULE_GRACE", MARK),
    "a database of no kind": ("VESTKA_DATABASE_URL", f"mysql://root:{MARK}@localhost/x"),
    "a newsletter that is not there": ("VESTKA_NEWSLETTER_PATH", f"/nonexistent/{MARK}.toml"),
    "a log format of no kind": ("VESTKA_LOG_FORMAT", MARK),
    "photos of no kind": ("VESTKA_PHOTOS", MARK),
    "a name misspelled": ("VESTKA_RECIPIENT", MARK),
    "keys inside the data directory": ("VESTKA_KEYS_DIR", "{data}/keys"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_stops_the_start(tmp_path: Path, case: str) -> None:
    name, value = WRONG[case]
    place = Place(
        tmp_path,
        f"sqlite:///{tmp_path}/var/vestka.db",
        {"VESTKA_RELAYS": "smtp+insecure://127.0.0.1:9"},
    )
    if value is None:
        del place.environment[name]
    else:
        place.environment[name] = value.format(data=tmp_path / "var")
    ended = place.command("serve")
    assert ended.returncode == 2, ended.stderr
    (sentence,) = ended.stderr.splitlines()  # and no keys were made before it
    assert name in sentence
    assert MARK not in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
