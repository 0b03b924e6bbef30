"""An e-mail address as a value that never shows itself.

Whoever holds an `EmailAddress` may put `.wire` into RCPT and To: its form is checked whenever one
is made, also when it comes out of a blob. No refusal repeats what was written.
"""

import re
from dataclasses import dataclass

from email_validator import SPECIAL_USE_DOMAIN_NAMES, validate_email

from app.errors import DomainError

MAX_LENGTH = 254
MAX_LOCAL_LENGTH = 64
# A text that is longer can name no address of 254 octets, not even by a domain in another script.
_MAX_TYPED = 320

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_WIRE = re.compile(rf"(?!-){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}", re.ASCII)


class AddressRefused(DomainError):
    """This is not a valid e-mail address."""


class AddressTooLong(AddressRefused):
    """An e-mail address has at most 254 characters, 64 of them before the @."""


class AddressHasHiddenCharacters(AddressRefused):
    """An e-mail address cannot hold spaces, line breaks or invisible characters."""


class AddressHasName(AddressRefused):
    """Please give the bare e-mail address, without a name or angle brackets."""


class AddressQuoted(AddressRefused):
    """E-mail addresses with quotation marks, brackets or comments are not accepted."""


class AddressWithoutDomain(AddressRefused):
    """An e-mail address has one @, with a domain such as example.org after it."""


class AddressNotAscii(AddressRefused):
    """Only Latin letters, digits and signs are accepted before the @."""


class AddressLooksLikeOption(AddressRefused):
    """An e-mail address that begins with a hyphen is not accepted."""


class AddressUnreachable(AddressRefused):
    """No mail can reach this domain: its name is reserved."""


@dataclass(frozen=True, slots=True, repr=False)
class EmailAddress:
    """One mailbox; equal if spelled alike. Use `canonical` to ask whether two are the same."""

    wire: str
    """ASCII for RCPT and To: the local part as typed, the domain as lower-case A-labels."""

    def __post_init__(self) -> None:
        """Refuse whatever could not stand in an SMTP command (RFC 5321 §4.1.2, §4.5.3.1)."""
        if len(self.wire) > MAX_LENGTH or self.wire.find("@") > MAX_LOCAL_LENGTH:
            raise AddressTooLong
        if not _WIRE.fullmatch(self.wire):
            raise AddressRefused

    @classmethod
    def parse(cls, text: str) -> "EmailAddress":
        """Read what a person typed, plain spaces around it forgiven; or refuse with the reason.

        Raises `AddressRefused`, or one of its kinds. Nothing is looked up in the DNS.
        """
        typed = text.strip(" ")
        _refuse_form(typed)
        local, _, domain = typed.rpartition("@")
        _refuse_local(local)
        try:
            checked = validate_email(
                typed, strict=True, allow_smtputf8=False, check_deliverability=False
            )
        except ValueError:
            raise _refusal_of(typed, domain) from None
        # The validator lower-cases role names such as Postmaster; RFC 5321 §2.4 leaves it to the
        # receiving host, so what was typed stays.
        return cls(f"{local}@{checked.ascii_domain.lower()}")

    @property
    def canonical(self) -> str:
        """What two spellings of one mailbox share: lower case on both sides.

        `+tag` and dots stay: they may be two people's choices.
        """
        return self.wire.lower()

    @property
    def domain(self) -> str:
        """The part after the @, in A-labels."""
        return self.wire.rpartition("@")[2]

    def __repr__(self) -> str:
        """Show nothing: logs and tracebacks print values."""
        return "EmailAddress(…)"

    __str__ = __repr__


def _refuse_form(typed: str) -> None:
    """Refuse what is no bare address at all, with the reason a person can act on."""
    if len(typed) > _MAX_TYPED:
        raise AddressTooLong
    if not typed.replace(" ", "").isprintable():  # Cc, Cf, Cs, Co, Cn, Zl, Zp and foreign spaces
        raise AddressHasHiddenCharacters
    if "<" in typed or ">" in typed:
        raise AddressHasName
    if '"' in typed or "(" in typed or "[" in typed:
        raise AddressQuoted
    if " " in typed:
        raise AddressHasHiddenCharacters
    if typed.count("@") != 1 or typed.endswith("@"):
        raise AddressWithoutDomain


def _refuse_local(local: str) -> None:
    if not local.isascii():
        raise AddressNotAscii
    if len(local) > MAX_LOCAL_LENGTH:
        raise AddressTooLong
    if local.startswith("-"):  # would be an option in the arguments of a `sendmail` command
        raise AddressLooksLikeOption


def _refusal_of(typed: str, domain: str) -> AddressRefused:
    """Name the reason why the validator did not take the address."""
    top = domain.rpartition(".")[2].lower()
    if top in SPECIAL_USE_DOMAIN_NAMES and "." in domain:
        return AddressUnreachable()
    if "." not in domain:
        return AddressWithoutDomain()
    if len(typed) > MAX_LENGTH:
        return AddressTooLong()
    return AddressRefused()
