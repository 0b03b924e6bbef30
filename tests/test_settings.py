"""Every knob: what it takes, and that a wrong value is refused by its name and never repeated."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DomainError
from app.settings import (
    BouncePolicy,
    ImapPlace,
    Listen,
    Mailbox,
    Networks,
    Rate,
    Recipients,
    Settings,
    SettingWrong,
    Thresholds,
    is_loopback,
    naming,
)

KNOBS = {knob.name: knob for knob in Settings.declared()}
REQUIRED = {"VESTKA_PUBLIC_URL", "VESTKA_RELAYS", "VESTKA_FROM"}
MARK = "seldomseen"


def value(name: str, text: str) -> object:
    return getattr(Settings({name: text}), KNOBS[name].attribute)


def refusal(name: str, text: str) -> str:
    with pytest.raises(SettingWrong) as refused:
        value(name, text)
    return str(refused.value)


WRONG = [
    ("VESTKA_DATA_DIR", ""),
    ("VESTKA_KEYS_DIR", ""),
    ("VESTKA_KEYS_DIR", f"~{MARK}/keys"),
    ("VESTKA_DATABASE_URL", f"mysql://{MARK}@host/db"),
    ("VESTKA_DATABASE_URL", f"postgresql://user:{MARK}@host:port/db"),
    ("VESTKA_DATABASE_URL", "sqlite:///"),
    ("VESTKA_DATABASE_URL", "sqlite:///:memory:"),
    ("VESTKA_DATABASE_URL", ""),
    ("VESTKA_PUBLIC_URL", f"http://{MARK}.example.org"),
    ("VESTKA_PUBLIC_URL", f"https://example.org:{MARK}"),
    ("VESTKA_PUBLIC_URL", "https://example.org:99999"),
    ("VESTKA_PUBLIC_URL", "https://example.org:0"),
    ("VESTKA_PUBLIC_URL", f"https://{MARK}\u2100.example.org"),
    ("VESTKA_PUBLIC_URL", f"https://[{MARK}"),
    ("VESTKA_PUBLIC_URL", f"https://{MARK}@example.org"),
    ("VESTKA_PUBLIC_URL", f"https://example.org/?{MARK}"),
    ("VESTKA_PUBLIC_URL", f"https://example.org/#{MARK}"),
    ("VESTKA_PUBLIC_URL", "https://вестка.example"),
    ("VESTKA_PUBLIC_URL", f'https://example.org/"{MARK}'),
    ("VESTKA_PUBLIC_URL", "https://"),
    ("VESTKA_PUBLIC_URL", ""),
    ("VESTKA_PUBLIC_LISTEN", MARK),
    ("VESTKA_PUBLIC_LISTEN", ":8000"),
    ("VESTKA_OPERATORS_LISTEN", "127.0.0.1:65536"),
    ("VESTKA_OPERATORS_LISTEN", "127.0.0.1:²"),
    ("VESTKA_OPERATORS_LISTEN", "127.0.0.1:-1"),
    ("VESTKA_RELAYS", ""),
    ("VESTKA_RELAYS", " , "),
    ("VESTKA_FROM", MARK),
    ("VESTKA_FROM", f"Name <{MARK}>"),
    ("VESTKA_FROM", f"<a@example.org> <{MARK}@example.org>"),
    ("VESTKA_FROM", f"{MARK}\r\nBcc: b@example.org <a@example.org>"),
    ("VESTKA_FROM", ""),
    ("VESTKA_LIST_DOMAIN", f"{MARK} example"),
    ("VESTKA_LIST_DOMAIN", ""),
    ("VESTKA_LIST_DOMAIN", f"{MARK}.{'a' * 20}.org"),
    ("VESTKA_LIST_DOMAIN", f"-{MARK}.example.org"),
    ("VESTKA_RETURN_PATH_DOMAIN", f"{MARK}..org"),
    ("VESTKA_RETURN_PATH_DOMAIN", "вестка.example"),
    ("VESTKA_SCHEDULE_GRACE", MARK),
    ("VESTKA_SCHEDULE_GRACE", "0h"),
    ("VESTKA_SEND_WINDOW", MARK),
    ("VESTKA_SEND_WINDOW", "145h"),
    ("VESTKA_BLOCK_REIMPORT_FOR", MARK),
    ("VESTKA_BOUNCE_IMAP", f"imaps://{MARK}@imap.example.org"),
    ("VESTKA_BOUNCE_IMAP", f"imap+insecure://back:{MARK}@imap.example.org"),
    ("VESTKA_BOUNCE_IMAP", f"imaps://back:{MARK}%0a@imap.example.org"),
    ("VESTKA_BOUNCE_IMAP", f"imaps://back:{MARK}@imap.example.org:port"),
    ("VESTKA_BOUNCE_POLICY", f"hard={MARK}"),
    ("VESTKA_BOUNCE_POLICY", f"{MARK}=2"),
    ("VESTKA_BOUNCE_POLICY", "hard"),
    ("VESTKA_BOUNCE_POLICY", "hard=-1"),
    ("VESTKA_AUTO_PAUSE", "hard=5"),
    ("VESTKA_AUTO_PAUSE", f"hard={MARK}%"),
    ("VESTKA_AUTO_PAUSE", "least=1%"),
    ("VESTKA_AUTO_PAUSE", "hard=100.1%"),
    ("VESTKA_SCHEDULE_GRACE", "12"),
    ("VESTKA_SCHEDULE_GRACE", "-1h"),
    ("VESTKA_ALLOWED_ORIGINS", f"https://{MARK}.example.org/"),
    ("VESTKA_ALLOWED_ORIGINS", "*"),
    ("VESTKA_ALLOWED_ORIGINS", f"https://[{MARK}"),
    ("VESTKA_ALLOWED_HOSTS", f"{MARK}.example.org:8000"),
    ("VESTKA_ALLOWED_HOSTS", f"https://{MARK}.example.org"),
    ("VESTKA_TRUSTED_PROXIES", MARK),
    ("VESTKA_TRUSTED_PROXIES", "10.0.0.1/8"),
    ("VESTKA_TRUSTED_PROXIES", "*"),
    ("VESTKA_PROXY_HEADER", MARK),
    ("VESTKA_PROXY_HEADER", ""),
    ("VESTKA_TRUSTED_CLIENTS", f"127.0.0.1, {MARK}"),
    ("VESTKA_RATE_LIMIT_CLIENT", ""),
    ("VESTKA_RATE_LIMIT_CLIENT", "0/10m"),
    ("VESTKA_RATE_LIMIT_TOTAL", "20"),
    ("VESTKA_RATE_LIMIT_TOTAL", f"20/{MARK}"),
    ("VESTKA_RATE_LIMIT_ADDRESS", "5/1d;6/30d"),
    ("VESTKA_ALERTS_TO", MARK),
    ("VESTKA_ALLOWED_RECIPIENTS", f"somebody@example.org, {MARK}"),
    ("VESTKA_ALLOWED_RECIPIENTS", "all"),
    ("VESTKA_RELAY_CONNECTIONS", "0"),
    ("VESTKA_RELAY_CONNECTIONS", "1001"),
    ("VESTKA_RELAY_CONNECTIONS", "²"),
    ("VESTKA_RELAY_CONNECTIONS", "9" * 5000),
    ("VESTKA_RELAY_CONNECTIONS", MARK),
    ("VESTKA_RETRY_FOR", f"48h {MARK}"),
    ("VESTKA_DELIVERY_RETENTION", "1y"),
    ("VESTKA_LOG_FORMAT", MARK),
    ("VESTKA_PHOTOS", MARK),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_value_is_refused_by_its_name_and_not_repeated(name: str, text: str) -> None:
    said = refusal(name, text)
    assert said.startswith(f"{name} ")
    assert MARK not in said
    assert len(text) < 9 or text not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("VESTKA_SEND_WINDOW", "7d", "at most 6 days"),
        ("VESTKA_AUTO_PAUSE", "hard=200%", "100%"),
        ("VESTKA_PUBLIC_URL", "http://127.0.0.1:99999", "port"),
        ("VESTKA_ALLOWED_RECIPIENTS", "somebody", "everyone, nobody"),
    ],
)
def test_a_refusal_tells_what_is_wrong(name: str, text: str, hint: str) -> None:
    assert hint in refusal(name, text)


@given(st.sampled_from(sorted(KNOBS)), st.text(st.characters(exclude_characters="\x00")))
def test_whatever_is_written_is_read_or_refused_by_name(name: str, text: str) -> None:
    try:
        value(name, text)
    except SettingWrong as refused:
        assert str(refused).startswith(f"{name} ")  # noqa: PT017 - most texts are refused


@pytest.mark.parametrize("name", sorted(KNOBS))
def test_a_knob_s_value_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    good = {
        "VESTKA_PUBLIC_URL": "https://example.org",
        "VESTKA_RELAYS": "smtps://relay.example.org",
        "VESTKA_FROM": "news@example.org",
        "VESTKA_SEND_WINDOW": "3h",
        "VESTKA_BLOCK_REIMPORT_FOR": "90d",
        "VESTKA_BOUNCE_IMAP": "imaps://back:secret@imap.example.org",
    }
    text = good.get(name) or KNOBS[name].default
    if not isinstance(text, str) or not text:
        text = {"VESTKA_DATABASE_URL": "sqlite:////tmp/x.db"}.get(name, "list.example.org")
    if name == "VESTKA_ALERTS_TO":
        text = "ops@example.org"
    if name == "VESTKA_TRUSTED_PROXIES":
        text = "192.0.2.7,2001:db8::/32"
    if name == "VESTKA_ALLOWED_ORIGINS":
        text = "https://www.example.org"
    file = tmp_path / "secret"
    file.write_text(text + "\n")
    assert value(name, text) == getattr(
        Settings({f"{name}_FILE": str(file)}), KNOBS[name].attribute
    )


@pytest.mark.parametrize("name", sorted(KNOBS))
def test_a_knob_and_its_file_contradict_each_other(name: str) -> None:
    settings = Settings({name: MARK, f"{name}_FILE": MARK})
    with pytest.raises(SettingWrong) as refused:
        getattr(settings, KNOBS[name].attribute)
    assert name in str(refused.value)
    assert MARK not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named_by_its_setting(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / MARK
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingWrong) as refused:
        _ = Settings({"VESTKA_FROM_FILE": str(file)}).from_address
    assert str(refused.value).startswith("VESTKA_FROM_FILE ")
    assert MARK not in str(refused.value)


@pytest.mark.parametrize("name", sorted(KNOBS))
def test_what_is_not_set_has_a_default_or_is_missed_by_name(name: str) -> None:
    settings = Settings({"VESTKA_FROM": "news@example.org"} if name not in REQUIRED else {})
    if name in REQUIRED:
        with pytest.raises(SettingWrong, match=name):
            getattr(settings, KNOBS[name].attribute)
    else:
        getattr(settings, KNOBS[name].attribute)


def test_every_knob_says_what_it_is_for() -> None:
    assert all(knob.about for knob in KNOBS.values())
    assert {knob.name for knob in KNOBS.values() if knob.default is None} == REQUIRED


def test_defaults_follow_each_other(tmp_path: Path) -> None:
    settings = Settings({"VESTKA_DATA_DIR": str(tmp_path / "data"), "VESTKA_FROM": "a@Example.org"})
    assert settings.keys_dir == tmp_path / "data-keys"
    assert not settings.keys_dir.is_relative_to(settings.data_dir)
    assert settings.database_url == f"sqlite:///{tmp_path}/data/vestka.db"
    assert settings.list_domain == settings.return_path_domain == "example.org"
    assert settings.schedule_grace == timedelta(hours=12)
    assert settings.public_listen == Listen("0.0.0.0", 8000)
    assert settings.operators_listen == Listen("127.0.0.1", 8001)
    assert settings.relay_connections == 10


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("VESTKA_PUBLIC_URL", "https://example.org/news/", "https://example.org/news"),
        ("VESTKA_PUBLIC_URL", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("VESTKA_PUBLIC_URL", "http://[::1]:8000", "http://[::1]:8000"),
        ("VESTKA_OPERATORS_LISTEN", "[::1]:8001", Listen("::1", 8001)),
        ("VESTKA_FROM", "Вестка <news@example.org>", Mailbox("Вестка", "news@example.org")),
        ("VESTKA_FROM", '"A, B" <news@example.org>', Mailbox("A, B", "news@example.org")),
        ("VESTKA_FROM", "news@example.org", Mailbox("", "news@example.org")),
        ("VESTKA_FROM", "news@пример.example", Mailbox("", "news@xn--e1afmkfd.example")),
        ("VESTKA_RELAYS", "smtps://a, smtps://b", ("smtps://a", "smtps://b")),
        ("VESTKA_SCHEDULE_GRACE", "90s", timedelta(seconds=90)),
        ("VESTKA_SEND_WINDOW", "3h", timedelta(hours=3)),
        ("VESTKA_BLOCK_REIMPORT_FOR", "90d", timedelta(days=90)),
        ("VESTKA_BOUNCE_POLICY", "hard=3 soft-days=7", BouncePolicy(hard=3, soft_days=7)),
        ("VESTKA_AUTO_PAUSE", "hard=2.5% least=0", Thresholds(hard=0.025, least=1)),
        ("VESTKA_AUTO_PAUSE", "", Thresholds()),
        (
            "VESTKA_BOUNCE_IMAP",
            "imaps://back:s%40fe@imap.example.org/Bounces",
            ImapPlace("imap.example.org", 993, True, "back", "s@fe", "Bounces"),  # noqa: FBT003 (TLS)
        ),
        ("VESTKA_DELIVERY_RETENTION", "30d", timedelta(days=30)),
        ("VESTKA_LIST_DOMAIN", "News.Example.org.", "news.example.org"),
        ("VESTKA_ALLOWED_ORIGINS", "https://a.example,https://b.example:8443", None),
        (
            "VESTKA_ALLOWED_HOSTS",
            "Vestka, a.example.org.,[::1]",
            ("vestka", "a.example.org", "::1"),
        ),
        ("VESTKA_PROXY_HEADER", "Forwarded", "Forwarded"),
        ("VESTKA_TRUSTED_CLIENTS", "", Networks()),
        ("VESTKA_RATE_LIMIT_CLIENT", "off", ()),
        (
            "VESTKA_RATE_LIMIT_ADDRESS",
            "5/1d, 9/30d",
            (Rate(5, timedelta(days=1)), Rate(9, timedelta(days=30))),
        ),
        ("VESTKA_ALLOWED_RECIPIENTS", "everyone", Recipients(everyone=True, only=frozenset())),
        ("VESTKA_ALLOWED_RECIPIENTS", "nobody", Recipients(everyone=False, only=frozenset())),
    ],
)
def test_what_is_written_is_read(name: str, text: str, read: object) -> None:
    assert value(name, text) == (tuple(text.split(",")) if read is None else read)


def test_only_named_recipients_get_messages() -> None:
    recipients = Settings(
        {"VESTKA_ALLOWED_RECIPIENTS": "Ann@Example.org, bob@example.org"}
    ).allowed_recipients
    assert recipients.allow("ann@example.org")
    assert not recipients.allow("eve@example.org")
    assert not Settings({"VESTKA_ALLOWED_RECIPIENTS": ""}).allowed_recipients.allow(
        "eve@example.org"
    )
    assert Settings({}).allowed_recipients.allow("eve@example.org")


def test_a_knob_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "from"
    file.write_text("news@example.org")
    settings = Settings({"VESTKA_FROM_FILE": str(file)})
    before = settings.from_address
    file.write_text("other@example.org")
    assert settings.from_address is before


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("news.localhost", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("", False),
    ],
)
def test_a_loopback_host_is_this_machine(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_another_room_s_refusal_gets_the_setting_s_name() -> None:
    said = r"VESTKA_SCHEDULE cannot be used: It is so\."
    with pytest.raises(SettingWrong, match=said), naming("VESTKA_SCHEDULE"):
        raise DomainError("It is so.")
    with pytest.raises(SettingWrong, match=r"^VESTKA_FROM x$"), naming("VESTKA_SCHEDULE"):
        raise SettingWrong("VESTKA_FROM", "x")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("VESTKA_RECIPIENT", "VESTKA_ALLOWED_RECIPIENTS"),
        ("VESTKA_DATABASE_URI", "VESTKA_DATABASE_URL"),
        ("VESTKA_RELAY_FILE", "VESTKA_RELAYS_FILE"),
        ("VESTKA_", "VESTKA_"),
    ],
)
def test_a_name_that_is_no_setting_s_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    (refused,) = Settings({name: MARK, "VESTKA_FROM": MARK, "VESTKA_RELAYS_FILE": MARK}).unknown()
    assert str(refused).startswith(f"{name} is no setting; the nearest is {nearest}")
    assert MARK not in str(refused)


def test_what_is_a_setting_or_none_of_ours_is_not_refused() -> None:
    given = {knob.name: MARK for knob in Settings.declared()}
    given |= {f"{name}_FILE": MARK for name in given}
    assert Settings({**given, "PATH": MARK, "VESTKA_TEST_POSTGRES_URL": MARK}).unknown() == []
