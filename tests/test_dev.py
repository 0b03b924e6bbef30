"""The set-up: what it installs and when, without a network or a real environment."""

import subprocess
import sys
from pathlib import Path

import pytest

import dev

UV = "/somewhere/uv"


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A project in a folder of its own; the list holds what the set-up ran."""
    for name in ("VENV", "PYTHON", "STAMP", "TOOLS"):
        place = getattr(dev, name).relative_to(dev.ROOT)
        monkeypatch.setattr(dev, name, tmp_path / place)
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    for name in ("RUNTIME_LOCK", "DEVELOPMENT_LOCK", "INSTALLER_LOCK"):
        lock = tmp_path / getattr(dev, name).name
        lock.write_text(f"{name.lower()}==1.0")
        monkeypatch.setattr(dev, name, lock)
    done: list[str] = []

    def run(*command: str) -> None:
        done.append(" ".join(part.replace(f"{tmp_path}/", "") for part in command))
        if "venv" in command:
            (dev.VENV / "bin").mkdir(parents=True)
            (dev.VENV / "lib" / "python{}.{}".format(*sys.version_info)).mkdir(parents=True)
            dev.PYTHON.touch()
        if command[-1] == str(dev.DEVELOPMENT_LOCK):
            (dev.VENV / "bin" / "pytest").touch()

    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "find_uv", lambda: UV)
    return done


def synced(steps: list[str]) -> list[str]:
    return [step.rpartition(" ")[2] for step in steps if " sync " in step]


def test_the_first_call_makes_the_environment_and_the_second_nothing(steps: list[str]) -> None:
    dev.set_up(development=False)
    assert steps == [
        f"{UV} venv --python {sys.executable} .venv",
        f"{UV} pip sync --require-hashes --python .venv/bin/python requirements.lock",
    ]
    dev.set_up(development=False)
    assert len(steps) == 2


def test_testing_installs_the_rest_and_running_leaves_it_there(steps: list[str]) -> None:
    dev.set_up(development=False)
    dev.set_up(development=True)
    dev.set_up(development=False)
    assert synced(steps) == ["requirements.lock", "requirements-dev.lock"]
    dev.RUNTIME_LOCK.write_text("runtime_lock==2.0")
    dev.set_up(development=False)
    assert synced(steps)[2:] == ["requirements-dev.lock"]


def test_a_changed_lock_is_installed(steps: list[str]) -> None:
    dev.set_up(development=True)
    dev.DEVELOPMENT_LOCK.write_text("development_lock==2.0")
    dev.set_up(development=True)
    assert synced(steps) == ["requirements-dev.lock"] * 2


def test_an_environment_whose_python_has_gone_is_made_anew(steps: list[str]) -> None:
    dev.set_up(development=False)
    dev.PYTHON.unlink()
    dev.set_up(development=False)
    assert [step.split()[1] for step in steps] == ["venv", "pip", "venv", "pip"]


def test_an_interrupted_set_up_is_done_again(
    steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.set_up(development=False)
    dev.RUNTIME_LOCK.write_text("runtime_lock==2.0")

    def fail(*command: str) -> None:
        raise dev.SetUpFailed(command[0])

    with monkeypatch.context() as patched:
        patched.setattr(dev, "run", fail)
        with pytest.raises(dev.SetUpFailed):
            dev.set_up(development=False)
    dev.RUNTIME_LOCK.write_text("runtime_lock==1.0")
    dev.set_up(development=False)
    assert synced(steps) == ["requirements.lock"] * 2


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo uv 0.13.9 '(x86_64-unknown-linux-gnu)'", (0, 13, 9)),
        ("echo 'no version of uv is set' >&2; exit 127", ()),
        ("echo strange", ()),
    ],
)
def test_an_installer_is_used_only_if_it_runs(
    tmp_path: Path, script: str, version: tuple[int, ...]
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\n{script}\n")
    uv.chmod(0o755)
    assert dev.uv_version(str(uv)) == version
    assert dev.uv_version(str(tmp_path / "absent")) == ()


def test_the_locked_installer_is_new_enough() -> None:
    assert dev.locked_uv() >= dev.OLDEST_UV


def test_an_unknown_command_is_refused_on_standard_error() -> None:
    asked = [sys.executable, dev.__file__, "tset"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")


@pytest.mark.parametrize("given", [["--once"], ["--", "--once"]])
def test_what_follows_run_is_the_demo_s(given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[str] = []

    def become(*arguments: str) -> None:
        became.extend(arguments)
        raise SystemExit

    monkeypatch.setattr(dev, "become", become)
    monkeypatch.setattr(dev, "set_up", lambda **_: None)
    with pytest.raises(SystemExit):
        dev.main(["run", *given])
    assert became == ["-m", "app", "demo", "--once"]
