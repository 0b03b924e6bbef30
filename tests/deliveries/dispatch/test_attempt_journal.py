"""The attempt journal: whatever happens to its end, what stands before it is read as written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.dispatch import attempt_journal
from app.deliveries.dispatch.attempt_journal import (
    Attempt,
    AttemptJournal,
    Journals,
    Result,
    SenderRunsAlready,
    identity_of,
    lock_folder,
    replay,
)

SENDER = 7
RECORD = 28  # bytes
ACCEPTED = Result(6, 250, (2, 0, 0))
LATER = Result(4, 451, None)

RESULTS = st.builds(
    Result,
    st.integers(0, 6),
    st.integers(0, 599),
    st.none() | st.tuples(st.integers(2, 5), st.integers(0, 999), st.integers(0, 999)),
)
# What happens to a message: an attempt, its result, or that the database knows it.
EVENTS = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(["note", "settle", "recorded"]), RESULTS),
    max_size=60,
)


def told(folder: Path) -> dict[int, Attempt]:
    found = replay(folder, SENDER)
    assert found is not None
    assert found.whole
    return found.attempts


@pytest.fixture
def small_files() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attempt_journal, "_ROTATE_AT", 3 * RECORD)
        yield


@pytest.mark.usefixtures("small_files")
@given(EVENTS)
def test_a_replay_tells_all_that_the_database_does_not_know(
    events: list[tuple[int, str, Result]],
) -> None:
    with TemporaryDirectory() as folder:
        journal = AttemptJournal(Path(folder), SENDER)
        known: dict[int, Attempt] = {}
        number = dict.fromkeys(range(1, 7), 1)
        for delivery, act, result in events:
            if act == "note":
                journal.note(delivery, number[delivery])
                known[delivery] = Attempt(number[delivery], None)
            elif act == "settle":
                journal.settle(delivery, number[delivery], result)
                known[delivery] = Attempt(number[delivery], result)
            else:
                journal.recorded([delivery])
                known.pop(delivery, None)
                number[delivery] += 1
            found = told(Path(folder))
            assert found is not None
            assert {each: found.get(each) for each in known} == known
            # What the database knows already cannot be taken for a later attempt.
            assert all(found[each].number < number[each] for each in found.keys() - known.keys())
        journal.close()


@given(st.lists(st.tuples(st.integers(1, 2**63 - 1), RESULTS), min_size=1, max_size=5), st.data())
def test_a_torn_end_is_no_record(written: list[tuple[int, Result]], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        journal = AttemptJournal(Path(folder), SENDER)
        for delivery, result in written:
            journal.note(delivery, 1)
            journal.settle(delivery, 1, result)
        journal.close()
        file = next(Path(folder).glob("attempts-*"))
        cut = data.draw(st.integers(0, 2 * len(written) * RECORD))
        os.truncate(file, cut)
        expected: dict[int, Attempt] = {}
        for place in range(cut // RECORD):
            delivery, result = written[place // 2]
            expected[delivery] = Attempt(1, result if place % 2 else None)
        assert told(Path(folder)) == expected


@given(st.binary(min_size=1, max_size=100))
def test_what_follows_the_last_record_is_ignored(rubbish: bytes) -> None:
    with TemporaryDirectory() as folder:
        journal = AttemptJournal(Path(folder), SENDER)
        journal.note(5, 1)
        journal.close()
        with next(Path(folder).glob("attempts-*")).open("ab") as file:
            file.write(rubbish)
        assert told(Path(folder)) == {5: Attempt(1, None)}


def test_a_lost_journal_is_not_an_empty_one(tmp_path: Path) -> None:
    assert replay(tmp_path, SENDER) is None
    AttemptJournal(tmp_path, SENDER).close()
    assert told(tmp_path) == {}
    assert replay(tmp_path, 70) is None  # of which `attempts-7-…` tells nothing


@pytest.mark.usefixtures("small_files")
def test_only_files_that_are_done_with_are_deleted(tmp_path: Path) -> None:
    journal = AttemptJournal(tmp_path, SENDER)
    for delivery in range(7):
        journal.note(delivery, 1)
    assert len(list(tmp_path.glob("attempts-*"))) == 3
    journal.recorded([0, 1])
    assert len(list(tmp_path.glob("attempts-*"))) == 3
    journal.recorded([2, 6])
    assert (
        len(list(tmp_path.glob("attempts-*"))) == 2
    )  # the newest stays, though all in it is known
    journal.recorded([3, 4, 5])
    assert len(list(tmp_path.glob("attempts-*"))) == 1
    journal.close()


@pytest.mark.usefixtures("small_files")
def test_a_result_is_kept_though_its_attempt_stands_in_another_file(tmp_path: Path) -> None:
    journal = AttemptJournal(tmp_path, SENDER)
    journal.note(1, 1)
    for delivery in (2, 3, 4):
        journal.note(delivery, 1)  # 4 begins the second file
    journal.settle(1, 1, ACCEPTED)
    journal.note(5, 1)
    journal.note(6, 1)  # begins the third
    journal.recorded([2, 3, 4, 5])
    assert told(tmp_path)[1] == Attempt(1, ACCEPTED)
    journal.close()


def test_half_a_write_spoils_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = AttemptJournal(tmp_path, SENDER)
    journal.note(1, 1)
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, octets: real(file, octets[:10]))
    with pytest.raises(OSError, match="full"):
        journal.note(2, 1)
    monkeypatch.undo()
    journal.note(3, 1)
    assert told(tmp_path) == {1: Attempt(1, None), 3: Attempt(1, None)}
    journal.close()


def test_results_that_wait_outlive_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = AttemptJournal(tmp_path, SENDER)
    journal.note(1, 1)
    result = Result(6, 250, (2, 0, 0))
    journal.settle_soon(1, 1, result)
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, octets: real(file, octets[:10]))
    with pytest.raises(OSError, match="full"):
        journal.note(2, 1)
    monkeypatch.undo()
    journal.note(3, 1)
    assert told(tmp_path) == {1: Attempt(1, result), 3: Attempt(1, None)}
    journal.close()


def test_a_later_attempt_counts(tmp_path: Path) -> None:
    journal = AttemptJournal(tmp_path, SENDER)
    journal.note(1, 1)
    journal.settle(1, 1, LATER)
    journal.note(1, 2)
    assert told(tmp_path) == {1: Attempt(2, None)}
    journal.close()


def test_a_folder_is_one_sender_s(tmp_path: Path) -> None:
    first = Journals(tmp_path)
    with pytest.raises(SenderRunsAlready):
        Journals(tmp_path)
    first.close()
    second = Journals(tmp_path)
    assert second.identity == first.identity == identity_of(tmp_path)
    second.close()


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    hold = (
        "import sys, pathlib; from app.deliveries.dispatch.attempt_journal import Journals;"
        "Journals(pathlib.Path(sys.argv[1])); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert lock_folder(tmp_path) is None
        holder.kill()
        holder.wait()
    lock = lock_folder(tmp_path)
    assert lock is not None
    os.close(lock)


def test_a_journal_is_its_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "attempts"
    Journals(folder).close()
    AttemptJournal(folder, SENDER).close()
    assert any(folder.glob("attempts-*"))
    for path in (folder, *folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_after_the_machine_was_started_anew_the_end_may_be_missing(tmp_path: Path) -> None:
    journal = AttemptJournal(tmp_path, SENDER, ["relay-a:25", "relay-b:25"])
    journal.note(1, 1, 1)
    journal.close()
    found = replay(tmp_path, SENDER)
    assert found is not None
    assert found.whole
    assert found.attempts[1].relay == "relay-b:25"
    (tmp_path / "boot").write_text("another")
    again = replay(tmp_path, SENDER)
    assert again is not None
    assert not again.whole
    assert again.attempts == found.attempts
