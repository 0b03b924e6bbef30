"""A list in batches: everyone once, and every line counted once."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from app.addresses.address import EmailAddress
from app.addresses.blind_index import IndexKeys, NeverKeys
from app.subscribers.imports.list_batches import BAD_ROWS_SHOWN, Listed, Tally, batches
from app.subscribers.imports.list_file import BadRow, ListRow

KEYS = IndexKeys({1: b"k" * 32})
NEVER = NeverKeys({1: b"n" * 32})


def a_row(name: str, *segments: str) -> ListRow:
    return ListRow(EmailAddress.parse(f"{name}@example.org"), segments, "en")


def batched(rows: Sequence[ListRow | BadRow], size: int = 2) -> tuple[list[list[Listed]], Tally]:
    tally = Tally()
    return list(batches(rows, KEYS, NEVER, tally, size)), tally


def test_a_repeated_row_is_left_out_however_it_is_spelled() -> None:
    found, tally = batched([a_row("ann", "en"), a_row("bob", "en"), a_row("ANN", "en")])
    assert [[each.row.address.wire for each in batch] for batch in found] == [
        ["ann@example.org", "bob@example.org"]
    ]
    assert tally.repeated == 1


def test_a_second_row_brings_only_what_the_first_did_not_name() -> None:
    found, _ = batched([a_row("ann", "en"), a_row("ann", "en", "be-ru")])
    assert [(each.segments, each.first) for each in found[0]] == [
        (("en",), True),
        (("be-ru",), False),
    ]


def test_bad_rows_are_all_counted_and_the_first_kept() -> None:
    bad = [BadRow(number, "wrong") for number in range(2, 302)]
    found, tally = batched(bad)
    assert found == []
    assert tally.bad == 300
    assert tally.bad_rows == bad[:BAD_ROWS_SHOWN]


rows = st.lists(
    st.one_of(
        st.builds(BadRow, st.integers(2), st.just("wrong")),
        st.builds(
            lambda name, segments: a_row(name, *segments),
            st.sampled_from("abcABC"),
            st.lists(st.sampled_from(["en", "be-ru"]), min_size=1, max_size=2, unique=True),
        ),
    )
)


@given(rows, st.integers(1, 5))
def test_each_wish_comes_once_and_each_line_is_counted(
    read: list[ListRow | BadRow], size: int
) -> None:
    found, tally = batched(read, size)
    wishes = [
        (each.row.address.canonical, segment)
        for batch in found
        for each in batch
        for segment in each.segments
    ]
    wanted = {
        (row.address.canonical, segment)
        for row in read
        if isinstance(row, ListRow)
        for segment in row.segments
    }
    assert sorted(wishes) == sorted(wanted)
    assert all(0 < len(batch) <= size for batch in found)
    assert sum(map(len, found)) + tally.repeated + tally.bad == len(read)
