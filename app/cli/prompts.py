"""Asking: for one address, or for an answer, at a terminal or from a program."""

import sys

import typer

from app.addresses.address import EmailAddress
from app.errors import DomainError

MAX_TYPED = 1000


class OneAddress(DomainError):
    """Please give one address, alone on its line, on standard input."""


def read_address(question: str) -> EmailAddress:
    """Read one address, and nothing after it. Raises OneAddress or AddressRefused."""
    if sys.stdin.isatty():
        typer.echo(question, err=True, nl=False)
        return EmailAddress.parse(sys.stdin.readline(MAX_TYPED).rstrip("\r\n"))
    try:
        lines = sys.stdin.buffer.read(MAX_TYPED).decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise OneAddress from None
    if [line for line in lines[1:] if line.strip()]:
        raise OneAddress
    return EmailAddress.parse(lines[0].rstrip("\r"))


class ConfirmationNeeded(DomainError):
    """Confirmation needed: repeat with --yes."""


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be taken back, or not wholly; `yes` answers.

    Raises ConfirmationNeeded where nobody can be asked, or what ends the command after a no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfirmationNeeded
    if answer(f"{question} [y/N]").lower() not in ("y", "yes"):
        raise typer.Abort


def answer(question: str) -> str:
    """Ask on standard error; standard output may be the list, and takes not even a space."""
    typer.echo(f"{question} ", err=True, nl=False)
    return sys.stdin.readline(MAX_TYPED).strip()
