"""What `vestka doctor` looks at, one function per thing; none of them makes or changes anything."""

import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from app.addresses.keyring import Keyring, check_apart
from app.addresses.public_keys import PublicKeys
from app.cli.app_context import CommandContext
from app.cli.doctor.bounces import returns
from app.cli.doctor.database import database
from app.cli.doctor.dns import domains
from app.cli.doctor.findings import Finding, fail, ok, warn
from app.cli.doctor.relays import relays
from app.cli.doctor.seals import escrow, seals
from app.cli.doctor.signing import signing
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.dispatch.from_settings import relays_of
from app.errors import DomainError
from app.keys.key_format import KeyMissing, key_names, refuse_destroyed
from app.mailings.calendar import parse_schedule
from app.settings import SettingWrong, naming


def settings(opened: CommandContext) -> Iterator[Finding]:
    """Read every setting, and the newsletter's file."""
    issue_views: list[Callable[[], object]] = [
        partial(getattr, opened.settings, knob.attribute) for knob in opened.settings.declared()
    ]
    issue_views += [
        lambda: opened.newsletter,
        lambda: _schedules(opened),
        lambda: relays_of(opened.settings, opened.newsletter),
        lambda: _domain_limits(opened),
    ]
    wrong = [_sentence(unknown) for unknown in opened.settings.unknown()]
    for reading in issue_views:
        try:
            reading()
        except SettingWrong as refused:
            wrong.append(_sentence(refused))
    # One that others take their default from would be named once for each of them.
    yield from (fail("settings", sentence) for sentence in dict.fromkeys(wrong))
    if not wrong:
        yield ok("settings", "all can be read.")
        yield from _trust(opened)


def _trust(opened: CommandContext) -> Iterator[Finding]:
    """A proxy is never a trusted client, whatever the settings say: tell whom they name twice."""
    both = opened.settings.trusted_proxies.overlap(opened.settings.trusted_clients)
    if both:
        yield warn(
            "settings",
            f"VESTKA_TRUSTED_PROXIES ({', '.join(both)}) overlaps with VESTKA_TRUSTED_CLIENTS: a"
            " proxy's own address is never a trusted client, so what comes from it without"
            " VESTKA_PROXY_HEADER is limited like any client. A program on the proxy's machine"
            " that must not be limited needs another address.",
        )


def _domain_limits(opened: CommandContext) -> object:
    with naming("VESTKA_DOMAIN_LIMITS"):
        return DestinationLimits.parse(opened.settings.domain_limits, b"")


def _sentence(refused: DomainError) -> str:
    return str(refused).rstrip(".") + "."


def _schedules(opened: CommandContext) -> object:
    with naming("VESTKA_SCHEDULE"):
        return parse_schedule(opened.settings.schedule, opened.newsletter)


def keys(opened: CommandContext) -> Iterator[Finding]:
    """See that the keys are whole, private, and apart from the data."""
    keys_dir, data_dir = opened.settings.keys_dir, opened.settings.data_dir
    try:
        check_apart(keys_dir, data_dir)
        refuse_destroyed(keys_dir)
        if not key_names(keys_dir):
            yield warn("keys", "there are none yet; the first start makes them.")
            return
        yield _loaded(keys_dir)
    except DomainError as refused:
        yield fail("keys", _sentence(refused))
        return
    yield from _private("keys", keys_dir)


def _loaded(keys_dir: Path) -> Finding:
    PublicKeys.load(keys_dir)
    try:
        Keyring.load(keys_dir)
    except KeyMissing:
        if {name.kind for name in key_names(keys_dir)} & {("list", "key"), ("index", "key")}:
            raise
        return ok("keys", "only those of the public role are here.")
    return ok("keys", "the set is whole, readable by its owner alone, and apart from the data.")


def _private(check: str, folder: Path) -> Iterator[Finding]:
    if folder.exists() and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warn(check, "the directory is open to others than its owner; use mode 0700.")


def data(opened: CommandContext) -> Iterator[Finding]:
    """See that the data directory is its owner's alone."""
    folder = opened.settings.data_dir
    if not folder.exists():
        yield warn("data", "there is no data directory yet; the first start makes it.")
        return
    yield from list(_private("data", folder)) or [ok("data", "its directory is private.")]


def recipients(opened: CommandContext) -> Iterator[Finding]:
    """Tell whether the safety catch is on."""
    allowed = opened.settings.allowed_recipients
    if allowed.everyone:
        yield ok("recipients", "everyone may be written to.")
    elif allowed.only:
        yield warn(
            "recipients", f"VESTKA_ALLOWED_RECIPIENTS allows {len(allowed.only)} addresses only."
        )
    else:
        yield warn("recipients", "VESTKA_ALLOWED_RECIPIENTS allows nobody to be written to.")


Check = Callable[[CommandContext], Iterator[Finding]]
ONLINE: tuple[Check, ...] = (relays, domains)
ALL: tuple[Check, ...] = (
    settings,
    keys,
    data,
    database,
    seals,
    escrow,
    returns,
    relays,
    signing,
    domains,
    recipients,
)
