"""What no file of the project may hold, and what its lock files must."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")

# Written in pieces, so that this file does not find itself.
HOSTS = ["pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "deb" + r"\.debian\.org"]
FOLDERS = ["work", "farm", "root", "Users", "home/[a-z]+"]
REGISTRY = re.compile("|".join(HOSTS))
DEVELOPER = re.compile(r"(?<![\w.~{}/*-])/(?:" + "|".join(FOLDERS) + r")\b")


def tracked() -> list[Path]:
    """List the files that are or would be committed; without git, all but hidden folders."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        visible = (path for path in ROOT.glob("[!.]*") if not path.name.startswith("var"))
        paths = [file for path in visible for file in (path, *path.rglob("*"))]
        paths = [path for path in paths if "__pycache__" not in path.parts]
    return [path for path in paths if path.is_file()]


def found(pattern: re.Pattern[str]) -> list[str]:
    """List where the pattern stands in the project's own text."""
    places = []
    for path in tracked():
        for number, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), 1):
            if pattern.search(line):
                places.append(f"{path.relative_to(ROOT)}:{number}")
    return places


def pins(lock: str) -> dict[str, str]:
    """Read a lock file: name and version."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)", text, re.MULTILINE))


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_project_s_own_files_are_seen() -> None:
    assert {ROOT / "dev.py", ROOT / "pyproject.toml", Path(__file__)} <= set(tracked())


def test_no_file_names_a_registry() -> None:
    assert found(REGISTRY) == []


def test_no_file_names_a_developer_s_machine() -> None:
    assert found(DEVELOPER) == []


@pytest.mark.parametrize("text", ['"/ho' + 'me/ann/vestka"', "cd /wo" + "rk/main", "=/ro" + "ot"])
def test_a_developer_s_path_is_seen(text: str) -> None:
    assert DEVELOPER.search(text)


@pytest.mark.parametrize("lock", LOCKS)
def test_j2_locks_name_no_place_and_hash_everything(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    lines = text.replace("\\\n", " ").splitlines()
    loose = [line for line in lines if "==" not in line or "--hash=sha256:" not in line]
    assert loose == []
    assert len(lines) == len(pins(lock)) > 0


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ()),
        ("requirements-dev.lock", ("test", "check")),
        ("requirements-uv.lock", ("installer",)),
    ],
)
def test_j3_locks_hold_what_the_project_asks_for(lock: str, groups: tuple[str, ...]) -> None:
    declared = project()
    asked = [] if groups == ("installer",) else list(declared["project"]["dependencies"])
    for group in groups:
        asked += declared["dependency-groups"][group]
    locked = pins(lock)
    for requirement in map(Requirement, asked):
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier


def test_development_stands_on_what_runs() -> None:
    development = pins("requirements-dev.lock")
    assert pins("requirements.lock").items() <= development.items()


def test_set_up_needs_python_3_8_and_nothing_else() -> None:
    text = (ROOT / "dev.py").read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").partition(".")[0])
    assert modules <= sys.stdlib_module_names
