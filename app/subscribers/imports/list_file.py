"""The publisher's list as a CSV file: its columns, its rows, and what is wrong with a row.

Every line is a row of its own, so that a stray quotation mark costs one reader and not the rest of
the file. What is wrong is said by line number and reason; no address is ever repeated.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from app.addresses.address import EmailAddress
from app.errors import DomainError
from app.newsletter import Newsletter
from app.subscribers.signup_validation import language_of, segments_of

COLUMNS = ("email", "segments", "language")
MAX_LINE = 2000  # bytes: an address has at most 254, and the rest is a few words
_SPACES = " \t\u00a0"
_BOM = b"\xef\xbb\xbf"
# Spaces between a closing quotation mark and the next comma, which the csv module does not forgive.
_AFTER_QUOTE = re.compile(rf'"[{_SPACES}]+(?=,|$)')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# A name that may be repeated: a header that is missing would make somebody's address a "column".
_NAMEABLE = re.compile(r"[\w .-]{1,40}")


class ColumnsUnnamed(DomainError):
    """The first line of the file must name its columns: email,segments,language."""


class ColumnsMissing(DomainError):
    """The file lacks a column."""


class ColumnsUnknown(DomainError):
    """The file has a column that is not known."""


class ColumnTwice(DomainError):
    """The file has two columns of the same name."""


class RowUnreadable(DomainError):
    """The line is not plain text in UTF-8."""


class RowTooLong(DomainError):
    """The line is too long."""


class RowQuotedWrongly(DomainError):
    """The quotation marks do not match."""


class RowMisshapen(DomainError):
    """The line has not as many fields as there are columns."""


class SegmentsMissing(DomainError):
    """The line names no segment."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One reader as the list knows them."""

    address: EmailAddress
    segments: tuple[str, ...]
    language: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that cannot be imported, and why."""

    line: int
    reason: str


def read_list(file: BinaryIO, newsletter: Newsletter) -> Iterator[ListRow | BadRow]:
    """Yield the rows of the file, one line in memory at a time; blank lines are passed over.

    Raises ColumnsUnnamed, ColumnsMissing, ColumnsUnknown or ColumnTwice before the first row.
    """
    lines = _lines(file)
    columns = _columns(next(lines, b""))
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        try:
            yield _row(dict(zip(columns, _fields(line, len(columns)), strict=True)), newsletter)
        except DomainError as wrong:
            yield BadRow(number, str(wrong))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; of one that is too long only so much that this can be told."""
    while line := file.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE + 1)
        yield line


def _fields(line: bytes, count: int | None = None) -> list[str]:
    """Split a line; raises what is wrong with it as a refusal."""
    if len(line) > MAX_LINE:
        raise RowTooLong
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise RowUnreadable from None
    if _CONTROL.search(text):
        raise RowUnreadable
    try:
        fields = next(csv.reader([_AFTER_QUOTE.sub('"', text)], strict=True, skipinitialspace=True))
    except csv.Error:
        raise RowQuotedWrongly from None
    if count is not None and len(fields) != count:
        raise RowMisshapen
    return [field.strip(_SPACES) for field in fields]


def _columns(line: bytes) -> list[str]:
    try:
        names = _fields(line.removeprefix(_BOM).strip())
    except (DomainError, StopIteration):
        raise ColumnsUnnamed from None
    columns = [name.casefold() for name in names]
    if not set(COLUMNS) & set(columns):
        raise ColumnsUnnamed
    if unknown := [_nameable(i, n) for i, n in enumerate(names, 1) if n.casefold() not in COLUMNS]:
        raise ColumnsUnknown(f"The file has columns that are not known: {', '.join(unknown)}.")
    if missing := [name for name in COLUMNS if name not in columns]:
        raise ColumnsMissing(f"The file lacks columns: {', '.join(missing)}.")
    if len(columns) > len(COLUMNS):
        raise ColumnTwice
    return columns


def _nameable(number: int, name: str) -> str:
    return name if _NAMEABLE.fullmatch(name) else f"column {number}"


def _row(fields: Mapping[str, str], newsletter: Newsletter) -> ListRow:
    address = EmailAddress.parse(fields["email"])
    segments = segments_of(newsletter, fields["segments"].split())
    if not segments:
        raise SegmentsMissing
    language = language_of(newsletter, fields["language"].lower(), segments)
    return ListRow(address, segments, language)
