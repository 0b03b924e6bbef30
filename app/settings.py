"""Every knob of an installation: its name, how its text is read, its default and its reason.

A knob is read when it is first used, so a command asks only for the settings it needs; a wrong or
missing one is refused in one sentence that names it and never repeats its value. `NAME_FILE` may
stand for any `NAME`: the value is then the content of that file.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, overload
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import Refusal

T = TypeVar("T")


class SettingWrong(Refusal):
    """A setting cannot be used as it stands."""

    def __init__(self, name: str, why: str) -> None:
        """Name the setting and what it should be; never its value."""
        super().__init__(f"{name} {why}")


class Unfit(ValueError):
    """A value's text cannot be used; says what it should be, and never repeats it."""


class Listen(NamedTuple):
    """Where a port listens."""

    host: str
    port: int


class Mailbox(NamedTuple):
    """A display name, possibly empty, and an address of the publisher's own."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.address.rpartition("@")[2]


class Recipients(NamedTuple):
    """Who may really be written to: the safety catch of trial installations."""

    everyone: bool
    only: frozenset[str]

    def allow(self, canonical: str) -> bool:
        """Tell whether this canonical address may get a letter."""
        return self.everyone or canonical in self.only


def is_loopback(host: str) -> bool:
    """Tell whether `host` names this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _text(value: str) -> str:
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def _some_words(value: str) -> tuple[str, ...]:
    words = _words(value)
    if not words:
        raise Unfit("must name at least one")
    return words


def _path(value: str) -> Path:
    if not value:
        raise Unfit("must not be empty")
    try:
        return Path(value).expanduser().resolve()
    except RuntimeError:
        raise Unfit("begins with the home of a user who is not there") from None


def _optional_path(value: str) -> Path | None:
    return _path(value) if value else None


def _database_url(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise Unfit("must start with sqlite:/// or postgresql://")
    try:
        database = make_url(value).database
    except (ArgumentError, ValueError):
        raise Unfit("must be a database URL such as postgresql://user@host/name") from None
    if value.startswith("sqlite") and database in (None, "", ":memory:"):
        raise Unfit("must name a file: a database in memory is lost with the process")
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise Unfit("must be an https:// address (http:// only for a loopback host)")
    if parts.query or parts.fragment or parts.username or not value.isascii():
        raise Unfit("must be plain ASCII without a query, a fragment or a user name")
    if not re.fullmatch(r"[A-Za-z0-9:/._~%\[\]-]{1,200}", value):
        raise Unfit("must hold only the characters of a URL, at most 200 of them")
    _ = parts.port
    return value.rstrip("/")


def _origins(value: str) -> tuple[str, ...]:
    origins = _words(value)
    for origin in origins:
        parts = urlsplit(origin)
        whole = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.netloc or origin != whole:
            raise Unfit("must be origins such as https://www.example.org, with commas between")
    return origins


def _listen(value: str) -> Listen:
    host, _, port = value.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise Unfit("must be HOST:PORT, such as 127.0.0.1:8001")
    return Listen(host.strip("[]"), int(port))


def _mailbox(value: str) -> Mailbox:
    match = re.fullmatch(
        r"\s*(?:(?P<name>[^<>\x00-\x1f]*)<(?P<in>[^<>]+)>|(?P<bare>[^<>]+))\s*", value
    )
    if not match:
        raise Unfit("must be an address or NAME <ADDRESS>")
    address = (match["in"] or match["bare"]).strip()
    try:
        checked = validate_email(
            address, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError:
        raise Unfit("must hold a valid e-mail address") from None
    name = (match["name"] or "").strip().strip('"')
    return Mailbox(name, checked.ascii_email or checked.normalized)


def _optional_mailbox(value: str) -> Mailbox | None:
    return _mailbox(value) if value else None


def _domain(value: str) -> str:
    domain = value.lower().rstrip(".")
    if len(domain) > 190 or not re.fullmatch(
        r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*", domain
    ):
        raise Unfit("must be a domain name in ASCII")
    return domain


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", value) or not 1 <= int(value) <= 1000:
        raise Unfit("must be a whole number from 1 to 1000")
    return int(value)


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", value.strip())
    if not match or int(match[1]) == 0:
        raise Unfit("must be a duration such as 90s, 30m, 12h or 30d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _recipients(value: str) -> Recipients:
    if value in ("everyone", "nobody"):
        return Recipients(value == "everyone", frozenset())
    return Recipients(
        everyone=False, only=frozenset(_mailbox(word).address.lower() for word in _words(value))
    )


def _log_format(value: str) -> str:
    if value not in ("json", "text"):
        raise Unfit("must be json or text")
    return value


class Knob(Generic[T]):
    """One setting; as an attribute of `Settings` it is that setting's value."""

    def __init__(
        self,
        name: str,
        read: Callable[[str], T],
        about: str,
        *,
        default: "str | Callable[[Settings], str] | None" = None,
        shown: str | None = None,
    ) -> None:
        """`default` is text as an operator would write it; None makes the setting required."""
        self.name = name
        self.read = read
        self.about = about
        self.default = default
        self.shown = shown if shown is not None else (default if isinstance(default, str) else "")

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember the attribute's name, under which the value is kept."""
        self.attribute = name

    @overload
    def __get__(self, settings: None, owner: type) -> "Knob[T]": ...
    @overload
    def __get__(self, settings: "Settings", owner: type) -> T: ...
    def __get__(self, settings: "Settings | None", owner: type) -> "Knob[T] | T":
        """Read the setting at first use, and keep it."""
        if settings is None:
            return self
        if self.attribute not in settings.read_values:
            settings.read_values[self.attribute] = self._value(settings)
        value: T = settings.read_values[self.attribute]
        return value

    def _value(self, settings: "Settings") -> T:
        text = settings.text_of(self.name)
        if text is None:
            if self.default is None:
                raise SettingWrong(self.name, "is not set, and this needs it")
            text = self.default if isinstance(self.default, str) else self.default(settings)
        try:
            return self.read(text)
        except Unfit as wrong:
            raise SettingWrong(self.name, str(wrong)) from None
        except ValueError:  # of a library, whose words may repeat the value
            raise SettingWrong(self.name, "cannot be read") from None


class Settings:
    """The settings of one installation, read from a mapping such as the environment."""

    data_dir = Knob(
        "VESTKA_DATA_DIR", _path, "where the database and the attempt journal live", default="var"
    )
    keys_dir = Knob(
        "VESTKA_KEYS_DIR",
        _path,
        "where the key files live; never inside the data directory",
        default=lambda s: str(s.data_dir.with_name(s.data_dir.name + "-keys")),
        shown="the data directory's name with `-keys`",
    )
    database_url = Knob(
        "VESTKA_DATABASE_URL",
        _database_url,
        "`postgresql://…`, or SQLite in a file",
        default=lambda s: f"sqlite:///{s.data_dir / 'vestka.db'}",
        shown="SQLite in the data directory",
    )
    public_url = Knob(
        "VESTKA_PUBLIC_URL",
        _public_url,
        "what links in letters begin with; https, or http on a loopback host",
    )
    public_listen = Knob(
        "VESTKA_PUBLIC_LISTEN", _listen, "the readers' port", default="0.0.0.0:8000"
    )
    operators_listen = Knob(
        "VESTKA_OPERATORS_LISTEN", _listen, "the operators' port", default="127.0.0.1:8001"
    )
    relays = Knob(
        "VESTKA_RELAYS",
        _some_words,
        "with commas: `smtps://user:password@host:465`, `smtp://user:password@host:587` (STARTTLS"
        " required), `smtp+insecure://127.0.0.1:1025` (no TLS, loopback only)",
    )
    sender = Knob("VESTKA_FROM", _mailbox, "whom letters come from: `Name <address>`")
    list_domain = Knob(
        "VESTKA_LIST_DOMAIN",
        _domain,
        "the domain of List-Id and Message-ID",
        default=lambda s: s.sender.domain,
        shown="the domain of VESTKA_FROM",
    )
    return_path_domain = Knob(
        "VESTKA_RETURN_PATH_DOMAIN",
        _domain,
        "the domain that bounces come back to",
        default=lambda s: s.list_domain,
        shown="VESTKA_LIST_DOMAIN",
    )
    dkim_domain = Knob(
        "VESTKA_DKIM_DOMAIN",
        _domain,
        "the domain that signs (d=), if there are DKIM keys; else the relay signs",
        default=lambda s: s.sender.domain,
        shown="the domain of VESTKA_FROM",
    )
    schedule = Knob(
        "VESTKA_SCHEDULE",
        _text,
        "when the week's issue goes: `CRON@ZONE`, or `segment=CRON@ZONE;…`, or `off`",
        default="0 9 * * TUE@Europe/Vilnius",
    )
    grace = Knob(
        "VESTKA_GRACE", _duration, "how late a missed slot may still be used", default="12h"
    )
    allowed_origins = Knob(
        "VESTKA_ALLOWED_ORIGINS",
        _origins,
        "websites whose pages may call the sign-up API (CORS)",
        default="",
    )
    alerts_to = Knob(
        "VESTKA_ALERTS_TO",
        _optional_mailbox,
        "where operators are told things; else log and API",
        default="",
    )
    newsletter = Knob(
        "VESTKA_NEWSLETTER",
        _optional_path,
        "a TOML file: names, segments, rubrics, website, postal address, consent texts",
        default="",
        shown="the one that ships, `app/newsletter.toml`",
    )
    recipients = Knob(
        "VESTKA_RECIPIENTS",
        _recipients,
        "`everyone`, `nobody`, or a list of addresses that alone may be written to",
        default="everyone",
    )
    connections = Knob("VESTKA_CONNECTIONS", _count, "SMTP connections per relay", default="10")
    mailing_life = Knob(
        "VESTKA_MAILING_LIFE", _duration, "how long a mailing goes on trying", default="48h"
    )
    retention = Knob(
        "VESTKA_RETENTION",
        _duration,
        "when a finished mailing's rows are folded into counts",
        default="30d",
    )
    log_format = Knob("VESTKA_LOG_FORMAT", _log_format, "`json` or `text`", default="text")

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Keep the mapping; nothing is read yet."""
        self._environment = {k: v for k, v in environment.items() if k.startswith("VESTKA_")}
        self.read_values: dict[str, Any] = {}

    @classmethod
    def knobs(cls) -> Iterator[Knob[Any]]:
        """All knobs in the order in which they are declared."""
        return (knob for knob in vars(cls).values() if isinstance(knob, Knob))

    def text_of(self, name: str) -> str | None:
        """Return the text given for `name`, or the content of the file named by `NAME_FILE`."""
        file = self._environment.get(f"{name}_FILE")
        if file is None:
            return self._environment.get(name)
        if name in self._environment:
            raise SettingWrong(name, f"and {name}_FILE are both set; keep one")
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingWrong(f"{name}_FILE", "names a file that cannot be read") from None


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Turn a refusal of a later room into one that names the setting it came from."""
    try:
        yield
    except SettingWrong:
        raise
    except Refusal as refusal:
        raise SettingWrong(name, f"cannot be used: {refusal}") from None
