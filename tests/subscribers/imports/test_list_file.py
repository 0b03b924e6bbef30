"""A publisher's CSV file: what is read from it, and what is said of a line that is wrong."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DomainError
from app.subscribers.imports.list_file import (
    MAX_LINE,
    BadRow,
    ColumnsMissing,
    ColumnsUnknown,
    ColumnsUnnamed,
    ColumnTwice,
    ListRow,
    read_list,
)
from tests.support.builders import NEWSLETTER

HEADER = b"email,segments,language\n"


def read(content: bytes) -> list[ListRow | BadRow]:
    return list(read_list(io.BytesIO(content), NEWSLETTER))


def row_of(line: str | bytes) -> ListRow | BadRow:
    (row,) = read(HEADER + (line.encode() if isinstance(line, str) else line))
    return row


def shown(row: ListRow | BadRow) -> tuple[str, tuple[str, ...], str]:
    assert isinstance(row, ListRow), row
    return row.address.wire, row.segments, row.language


@pytest.mark.parametrize(
    ("line", "segments", "language"),
    [
        ("ann@example.org,en,en", ("en",), "en"),
        ("ann@example.org,EN,", ("en",), "en"),
        ("ann@example.org,be/ru,", ("be-ru",), "be"),
        ("ann@example.org,BE-RU,RU", ("be-ru",), "ru"),
        ("ann@example.org,en BE/RU,", ("en", "be-ru"), "en"),
        ("ann@example.org,en  en EN,be", ("en",), "be"),
        (" ann@example.org ,  en be-ru\t, ru ", ("en", "be-ru"), "ru"),
        ('"ann@example.org","en be-ru","ru"', ("en", "be-ru"), "ru"),
        ('"ann@example.org" , "en" , "ru" ', ("en",), "ru"),
        ("ann@example.org,en,en\r\r\n", ("en",), "en"),
    ],
)
def test_a_row_is_read_as_people_write_it(
    line: str, segments: tuple[str, ...], language: str
) -> None:
    assert shown(row_of(line)) == ("ann@example.org", segments, language)


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_files_of_all_editors_read_the_same(bom: bytes, end: bytes, *, last: bool) -> None:
    lines = [b"email,segments,language", b"ann@example.org,en,", b"", b"bob@example.org,en,"]
    rows = read(bom + end.join(lines) + (end if last else b""))
    assert [shown(row)[0] for row in rows] == ["ann@example.org", "bob@example.org"]


def test_columns_stand_in_any_order_and_case() -> None:
    (row,) = read(b" Language ,EMAIL, segments\nru,ann@example.org,be-ru\n")
    assert shown(row) == ("ann@example.org", ("be-ru",), "ru")


@pytest.mark.parametrize(
    ("header", "refusal", "says"),
    [
        (b"", ColumnsUnnamed, "first line"),
        (b"\n", ColumnsUnnamed, "first line"),
        (b"ann@example.org,en,be\n", ColumnsUnnamed, "first line"),
        ("email,segments,language\n".encode("utf-16"), ColumnsUnnamed, "first line"),
        (b"email;segments;language\n", ColumnsUnnamed, "first line"),
        (b"email,segments\n", ColumnsMissing, "language"),
        (b"email,segments,language,name,Phone No.\n", ColumnsUnknown, "name, Phone No."),
        (b"email,segments,ann@example.org\n", ColumnsUnknown, "column 3"),
        (b"email,segments,language,email\n", ColumnTwice, "same name"),
        (b"email," + b"x" * MAX_LINE, ColumnsUnnamed, "first line"),
    ],
)
def test_a_file_with_other_columns_is_refused(
    header: bytes, refusal: type[DomainError], says: str
) -> None:
    with pytest.raises(refusal) as refused:
        read(header + b"bob@example.org,en,\n")
    assert says in str(refused.value)
    assert "@" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ann.example.org,en,", "one @"),
        ("ann@example.org,,", "no segment"),
        ("ann@example.org,fr,", "no segment of this name"),
        ("ann@example.org,en,fr", "no such language"),
        ("ann@example.org,en", "as many fields"),
        ("ann@example.org,en,en,x", "as many fields"),
        ("ann@example.org;en;en", "as many fields"),
        ('"ann@example.org,en,en', "quotation marks"),
        ('"ann@example.org"x,en,en', "quotation marks"),
        ("ann\0@example.org,en,", "plain text"),
        ("ann@example.org\0,en,", "plain text"),
        ("ann@example.org,en\0,", "plain text"),
        ("ann@example.org,en,\0", "plain text"),
        ("ann@example.org,en,en\rbob@example.org,en,en", "plain text"),
        (b"ann\xff@example.org,en,", "UTF-8"),
        ("ann\u200b@example.org,en,", "invisible"),
        ("анна@example.org,en,", "Latin letters"),
        ("a" * 65 + "@example.org,en,", "64"),
        ("a" * MAX_LINE + "@example.org,en,", "too long"),
        ("ann@example.org," + "en " * MAX_LINE + ",", "too long"),
    ],
)
def test_a_bad_line_is_named_and_costs_only_itself(line: str | bytes, says: str) -> None:
    raw = line.encode() if isinstance(line, str) else line
    bad, good = read(HEADER + raw + b"\nbob@example.org,en,\n")
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert says in bad.reason
    assert not re.search(r"ann[@.\0]|анна|aaa|bob", bad.reason)
    assert shown(good)[0] == "bob@example.org"


def test_lines_are_counted_as_an_editor_does() -> None:
    rows = read(HEADER + b"\n\nx,en,\n" + b"y" * (3 * MAX_LINE) + b"\n\nz,en,")
    assert [row.line for row in rows if isinstance(row, BadRow)] == [4, 5, 7]


local_parts = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~][a-z0-9+=_-]{0,20}", fullmatch=True)
wishes = st.tuples(
    local_parts.map(lambda local: f"{local}@example.org"),
    st.lists(st.sampled_from(["en", "be-ru"]), min_size=1, max_size=2, unique=True),
    st.sampled_from(["en", "be", "ru"]),
)


@given(
    st.lists(wishes),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_a_csv_writer_wrote_is_read_back(
    wanted: list[tuple[str, list[str], str]], quoting: int, end: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerow(["email", "segments", "language"])
    writer.writerows((address, " ".join(segs), language) for address, segs, language in wanted)
    rows = read(file.getvalue().encode())
    assert [shown(row) for row in rows] == [(a, tuple(s), language) for a, s, language in wanted]


@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=10))
def test_no_bytes_break_it(lines: list[bytes]) -> None:
    rows = read(HEADER + b"\n".join(lines))
    assert len(rows) <= len(lines)
    assert all(row.line <= len(lines) + 1 for row in rows if isinstance(row, BadRow))


@given(st.binary(max_size=200))
def test_no_header_breaks_it(content: bytes) -> None:
    try:
        read(content)
    except DomainError as refused:
        assert "@" not in str(refused)  # noqa: PT017 - most contents are refused, not all
