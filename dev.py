#!/usr/bin/env python3
"""Set the project up, then become one of its commands.

Standard library only, Python 3.8 or later. What set-up says goes to standard error; the command
takes this process's place, so its output, its signals and its exit status are its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Iterator, NoReturn

with contextlib.suppress(ImportError):  # only POSIX has it
    import fcntl

USAGE = """usage: python3 dev.py COMMAND [ARGUMENTS…]

  run [ARGUMENTS…]     start a trial instance with an inbox to look into (vestka demo)
  vestka ARGUMENTS…    any command of Vestka, in the project's environment
  test [ARGUMENTS…]    every test, on SQLite and PostgreSQL (the arguments are pytest's)
  check                format, lint, types, imports, Dockerfile
  lock [--upgrade]     resolve the dependencies of pyproject.toml into the lock files
"""

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "vestka-set-up"
TOOLS = ROOT / ".uv"

OLDEST_PYTHON = (3, 11)
OLDEST_UV = (0, 7)
RUNTIME_LOCK = ROOT / "requirements.lock"
DEVELOPMENT_LOCK = ROOT / "requirements-dev.lock"
INSTALLER_LOCK = ROOT / "requirements-uv.lock"
CHECKED = ("app", "migrations", "bench", "tests", "dev.py")


class SetUpFailed(Exception):
    """The environment could not be made."""


def main(arguments: list[str]) -> int:
    """Do what the first argument says; the rest belongs to the command."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if verb == "run" and rest[:1] == ["--"]:  # what separates is not an argument
        rest = rest[1:]
    if verb == "run":
        set_up(development=False)
        become("-m", "app", "demo", *rest)
    if verb == "vestka":
        set_up(development=False)
        become("-m", "app", *rest)
    if verb == "test":
        set_up(development=True)
        os.chdir(ROOT)  # the paths of tests are the project's; every other verb stays put
        # Most tests wait for processes and disks: twice as many at once as there are cores. The
        # tests of a file stay together, because they share what they set up; the order of the
        # files is ours (tests/conftest.py).
        workers = ("-n", str(2 * (os.cpu_count() or 1)))
        together = (*workers, "--dist", "loadfile", "--no-loadscope-reorder")
        become("-m", "pytest", *(rest or together))
    if verb == "check" and not rest:
        set_up(development=True)
        return check()
    if verb == "lock":
        return lock(rest)
    asked = verb in ("-h", "--help", "help")
    print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


def become(*arguments: str) -> NoReturn:
    """Replace this process by the environment's Python with these arguments.

    The safe path keeps a folder `app` in the caller's directory from being taken for ours.
    """
    os.environ.pop("PYTHONHOME", None)
    os.environ.update(PYTHONPATH=str(ROOT), PYTHONSAFEPATH="1")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(str(PYTHON), [str(PYTHON), *arguments])  # noqa: S606 - no shell is the point


def check() -> int:
    """Run every checker, also after one has failed; 1 if any did."""
    present = [name for name in CHECKED if (ROOT / name).exists()]
    checkers = (
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy", "--strict", *present),
        ("lint-imports",),
        ("hadolint", "Dockerfile"),
    )
    failed = []
    for name, *arguments in checkers:
        label = " ".join((name, *arguments))
        say("check: " + label)
        environment = dict(os.environ, PYTHONPATH=str(ROOT))
        command = [str(VENV / "bin" / name), *arguments]
        if subprocess.call(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL):
            failed.append(label)
    say("check: failed: " + "; ".join(failed) if failed else "check: everything passed")
    return 1 if failed else 0


def lock(options: list[str]) -> int:
    """Resolve pyproject.toml anew; what is locked already stays unless `--upgrade` is given."""
    with alone():
        uv = find_uv()
        compiling = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        compiling += ["--no-emit-index-url", "--no-header", "--no-annotate"]
        compiling += ["--python-version", "{}.{}".format(*OLDEST_PYTHON), *options]
        run(*compiling, "-o", RUNTIME_LOCK.name, "pyproject.toml")
        both = ("--group", "test", "--group", "check", "-c", RUNTIME_LOCK.name)
        run(*compiling, "-o", DEVELOPMENT_LOCK.name, *both, "pyproject.toml")
        run(*compiling, "-o", INSTALLER_LOCK.name, "--group", "installer")
    return 0


def set_up(*, development: bool) -> None:
    """Make the environment hold what its lock file says, unless it does already."""
    if is_ready(development):
        return
    with alone():
        if is_ready(development):  # another process made it while we waited
            return
        # Tools that are here stay: the development lock holds all that running needs.
        development = development or (VENV / "bin" / "pytest").exists()
        uv = find_uv()
        if not interpreter():
            shutil.rmtree(VENV, ignore_errors=True)
            run(uv, "venv", "--python", wanted_python(), str(VENV))
        with contextlib.suppress(FileNotFoundError):
            STAMP.unlink()
        locked = DEVELOPMENT_LOCK if development else RUNTIME_LOCK
        run(uv, "pip", "sync", "--require-hashes", "--python", str(PYTHON), str(locked))
        STAMP.write_text(stamp(development), encoding="ascii")


def is_ready(development: bool) -> bool:  # noqa: FBT001 - private to set_up
    """Whether the stamp says that the last set-up ended, with these locks and this Python."""
    try:
        found = STAMP.read_text(encoding="ascii")
    except OSError:
        return False
    fitting = [stamp(True)] if development else [stamp(True), stamp(False)]  # noqa: FBT003
    return bool(interpreter()) and found in fitting


def stamp(development: bool) -> str:  # noqa: FBT001 - private to set_up
    """Name the state of an environment: its Python and its locks."""
    digest = hashlib.sha256(interpreter().encode())
    for locked in (RUNTIME_LOCK, DEVELOPMENT_LOCK) if development else (RUNTIME_LOCK,):
        digest.update(locked.read_bytes())
    return digest.hexdigest()


def interpreter() -> str:
    """Name the environment's Python (`python3.11`); empty if there is none that fits."""
    recent = sys.version_info[:2] >= OLDEST_PYTHON
    wanted = "python{}.{}".format(*sys.version_info[:2]) if recent else "python3.*"
    names = sorted(folder.name for folder in VENV.glob("lib/" + wanted))
    return names[0] if names and PYTHON.exists() else ""


def wanted_python() -> str:
    """Choose the Python of this process, if it is recent enough, else any that is."""
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return sys.executable
    return ">={}.{}".format(*OLDEST_PYTHON)


def find_uv() -> str:
    """Find an installer that works: on PATH, from an earlier set-up, or with pip."""
    on_path = shutil.which("uv")
    if on_path and uv_version(on_path) >= OLDEST_UV:
        return on_path
    own = str(TOOLS / "bin" / "uv")
    if uv_version(own) != locked_uv():
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
        # A target folder needs no rights and passes an externally managed Python (PEP 668).
        pip += ["--target", str(TOOLS), "--upgrade", "--require-hashes", *certificates()]
        run(*pip, "-r", str(INSTALLER_LOCK))
    return own


def uv_version(uv: str) -> tuple[int, ...]:
    """Ask an installer for its version; nothing if it does not run (a shim without a target)."""
    try:
        said = subprocess.run([uv, "--version"], stdout=-1, stderr=-1, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return version_in(said.stdout.decode(errors="replace"))


def locked_uv() -> tuple[int, ...]:
    """Read the installer's version from its lock."""
    return version_in(INSTALLER_LOCK.read_text(encoding="utf-8"))


def version_in(text: str) -> tuple[int, ...]:
    """Read the first version number of a text."""
    numbers = re.search(r"\d+\.\d+(\.\d+)*", text)
    return tuple(map(int, numbers.group().split("."))) if numbers else ()


def certificates() -> list[str]:
    """Point pip at the system's certificates, where nothing else tells it which to trust."""
    told = [sys.executable, "-m", "pip", "config", "get", "global.cert"]
    if {"PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & set(os.environ):
        return []
    if subprocess.call(told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
        return []
    known = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
    places = (ssl.get_default_verify_paths().cafile, *known, "/etc/ssl/cert.pem")
    found = [place for place in places if place and os.path.isfile(place)]
    return ["--cert", found[0]] if found else []


def run(*command: str) -> None:
    """Run one step of the set-up; what it says goes to standard error."""
    environment = dict(os.environ, UV_SYSTEM_CERTS="1", UV_NATIVE_TLS="1", PIP_USER="0")
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV"):
        environment.pop(name, None)
    if not os.access(os.path.expanduser("~"), os.W_OK):  # nobody's home, or none yet
        environment.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
    try:
        subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as failure:
        raise SetUpFailed(" ".join(command[:4])) from failure


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep other set-ups of this folder waiting. The lock dies with its process."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as file:
        if os.name == "posix":  # elsewhere, two set-ups at once are the caller's affair
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(sentence: str) -> None:
    """Tell the person, never the program that reads standard output."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SetUpFailed, OSError) as failure:
        say("dev.py: this step of the set-up failed: {}".format(failure))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
