"""The witness file: whole lines alone count, nothing is lost, and older files are taken over."""

from pathlib import Path

import pytest

from app.witness.file import WitnessFile
from app.witness.remembered import remember

ROW = "00" * 16


def lines(folder: Path) -> list[str]:
    return [" ".join(words) for words in WitnessFile(folder).lines()]


def test_what_is_added_is_read_in_its_order_and_private(tmp_path: Path) -> None:
    file = WitnessFile(tmp_path)
    file.append(["position a 1", f"ended {ROW} * 2026-12-01"])
    file.append(["position a 2"])
    assert lines(tmp_path) == ["position a 1", f"ended {ROW} * 2026-12-01", "position a 2"]
    assert (tmp_path / "witness").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b"p", b"ended 00", b"x" * 100_000, b"\0" * 70])
def test_a_line_that_was_not_ended_is_none_and_spoils_no_other(tmp_path: Path, torn: bytes) -> None:
    WitnessFile(tmp_path).append(["position a 1"])
    with (tmp_path / "witness").open("ab") as file:
        file.write(torn)
    assert lines(tmp_path) == ["position a 1"]
    WitnessFile(tmp_path).append(["position a 2"])
    assert lines(tmp_path) == ["position a 1", "position a 2"]


def test_a_file_of_nothing_but_a_torn_line_is_empty(tmp_path: Path) -> None:
    (tmp_path / "witness").write_bytes(b"position a")
    WitnessFile(tmp_path).append(["position b 1"])
    assert lines(tmp_path) == ["position b 1"]


def test_compacting_keeps_what_is_to_be_kept(tmp_path: Path) -> None:
    file = WitnessFile(tmp_path)
    file.append(["position a 1", "mailing 2025-W04 en launched"])
    file.compact(lambda words: words[0] != "position")
    assert lines(tmp_path) == ["mailing 2025-W04 en launched"]


def test_the_files_of_older_versions_are_taken_over_once(tmp_path: Path) -> None:
    recalled = "recalled 2025-W03 en 2025-01-28T09:00:00Z\n"
    (tmp_path / "launches").write_text(f"2025-W03 en\n2025-W04 be-ru\n{recalled}2025-")
    (tmp_path / "endings").write_text(f"{ROW} 2026-11-30\n{ROW} 2026-\n{ROW}")
    WitnessFile(tmp_path)
    assert lines(tmp_path) == [
        "mailing 2025-W03 en launched",
        "mailing 2025-W04 be-ru launched",
        "mailing 2025-W03 en recalled",
        f"ended {ROW} * 2026-11-30",
    ]
    WitnessFile(tmp_path)
    assert len(lines(tmp_path)) == 4
    assert not (tmp_path / "launches").exists()


def test_the_newest_line_about_a_thing_counts() -> None:
    said = [
        f"ended {ROW} en 2026-12-01",
        f"ended {ROW} be-ru 2026-12-01",
        f"confirmed {ROW} en",
        "suppressed aa never_again -",
        "suppressed bb complaint -",
        "lifted aa",
        "position a 1",
        "nonsense",
        "position b x",
        "suppressed cc dead 2026-13-01",
        "",
    ]
    known = remember(line.split() for line in said)
    assert known.left == {(bytes(16), "be-ru")}
    assert known.suppressed == {(b"\xbb", "complaint"): None}
    assert (known.mark, known.position) == ("a", 1)
