"""Attacks J: what we stand on has no hole known to us, and is exactly what was locked."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FLOORS = {
    "aiosmtplib": "5.1.2",
    "cryptography": "48.0.1",
    "email-validator": "2.4.0",
    "fastapi": "0.165",
    "jinja2": "3.1.6",
    "nh3": "0.3.8",
    "pillow": "12.3.0",
    "python-multipart": "0.0.30",
    "starlette": "1.3.1",
}
"""The oldest versions without a hole that was known when each was chosen."""


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_j1_what_is_installed_has_no_hole_known_to_us(name: str) -> None:
    assert Version(version(name)) >= Version(FLOORS[name])


def test_j1_what_is_installed_is_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for each in map(Requirement, project["dependencies"]):
        assert each.specifier.contains(version(each.name)), each.name


def test_j3_the_image_is_built_from_the_lock_and_nothing_else() -> None:
    said = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if "install" in line]
    installs = [line for line in said if "pip" in line or "uv " in line]
    assert installs
    for line in installs:
        assert "requirements" in line, line
        assert "--require-hashes" in line, line
