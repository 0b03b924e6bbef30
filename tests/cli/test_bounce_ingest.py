"""`vestka bounce` as an MTA calls it: what cannot be taken in now must be tried again later."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bounces import a_bounce
from tests.support.service import REPOSITORY

RAW = a_bounce("b-x@back.example.org", "ann@example.org")
FROM = {"VESTKA_FROM": "news@example.org"}


def bounce(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[bytes]":
    environment = {"PATH": os.defpath, "VESTKA_DATA_DIR": str(folder / "var"), **settings}
    return subprocess.run(
        [sys.executable, "-m", "app", "bounce", *arguments],
        cwd=REPOSITORY,
        env=environment,
        input=RAW,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        FROM,
        {**FROM, "VESTKA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"},
        {**FROM, "VESTKA_BOUNCE_POLICY": "hard"},
    ],
)
def test_a_failure_is_a_temporary_one(tmp_path: Path, settings: dict[str, str]) -> None:
    done = bounce(tmp_path, **settings)
    assert done.returncode == 75, done.stderr
    assert b"try again later" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"ann@" not in done.stderr


def test_the_table_of_consequences(tmp_path: Path) -> None:
    done = bounce(tmp_path, "--consequences", VESTKA_BOUNCE_POLICY="hard=3 soft=0")
    assert done.returncode == 0
    lines = [line.rstrip() for line in done.stdout.decode().splitlines()]
    assert [line for line in lines if line.startswith("hard ") and "in 3 issues" in line]
    assert [line for line in lines if line.startswith("soft ") and line.endswith("nothing")]
