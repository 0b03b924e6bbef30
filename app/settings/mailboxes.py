"""Values that say who: mailboxes of the publisher, domains, and whom a trial may write to."""

import re
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from app.settings.values import InvalidValue, separated
from app.text_safety import is_plain

LONGEST_LIST_DOMAIN = 34  # characters


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
        """Tell whether this canonical address may get an email."""
        return self.everyone or canonical in self.only


def mailbox(value: str) -> Mailbox:
    """Read an address, alone or as `Name <address>`; its domain becomes ASCII."""
    match = re.fullmatch(r"(?P<name>[^<>]*)<(?P<in>[^<>]+)>|(?P<bare>[^<>]+)", value.strip())
    if not match or not is_plain(value):
        raise InvalidValue("must be an address or NAME <ADDRESS>")
    address = (match["in"] or match["bare"]).strip()
    try:
        checked = validate_email(
            address, check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError:
        raise InvalidValue("must hold a valid e-mail address") from None
    name = (match["name"] or "").strip().strip('"')
    return Mailbox(name, checked.ascii_email or checked.normalized)


def optional_mailbox(value: str) -> Mailbox | None:
    """Read a mailbox, or nothing."""
    return mailbox(value) if value else None


def domain(value: str) -> str:
    """Read a domain name in ASCII, without its last dot."""
    name = value.lower().rstrip(".")
    if len(name) > 190 or not re.fullmatch(
        r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*", name
    ):
        raise InvalidValue("must be a domain name in ASCII")
    return name


def list_domain(value: str) -> str:
    """Read the domain of Message-IDs, which stay under 78 characters (RFC 5322 §3.6.4)."""
    name = domain(value)
    if len(name) > LONGEST_LIST_DOMAIN:
        raise InvalidValue(
            f"must have at most {LONGEST_LIST_DOMAIN} characters, or Message-IDs are long"
        )
    return name


def recipients(value: str) -> Recipients:
    """Read whom emails may reach: `everyone`, `nobody`, or addresses."""
    if value in ("everyone", "nobody"):
        return Recipients(value == "everyone", frozenset())
    try:
        only = frozenset(mailbox(word).address.lower() for word in separated(value))
    except InvalidValue:
        raise InvalidValue(
            "must be everyone, nobody, or valid addresses with commas between"
        ) from None
    return Recipients(everyone=False, only=only)
