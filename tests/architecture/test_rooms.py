"""The house rules that a linter cannot know: every module speaks, one clock, one committer."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "app").rglob("*.py"))

# Names that say nothing of what is inside.
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "core", "misc", "base"}
EMPTY_WORDS |= {word + plural for word in ("manager", "service", "handler") for plural in ("", "s")}

# Edges own the transaction; a migration is one of its own.
COMMITTERS = {"app/database.py", "app/migration.py"}

# HTTP is spoken by files whose last word is one of these, in these rooms, and by these processes.
SPEAKERS = {"api", "pages", "forms", "auth"}
SPEAKING_ROOMS = {"web", "pages", "console"}
PROCESSES = {
    f"app/{each}.py"
    for each in ("web_app", "public_server", "operators_server", "health", "metrics")
}
PROCESSES |= {"app/cli/http_servers.py", "app/cli/web_process.py"}
HTTP = {"fastapi", "starlette", "uvicorn"}

CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
CLOCK |= {"datetime." + reading for reading in CLOCK} | {"time.time", "time.time_ns"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def clock_readings(tree: ast.AST) -> Iterator[str]:
    """Yield every way in which the code asks for the time of day."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCK:
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (alias.name for alias in node.names if alias.name in ("time", "time_ns"))


def commits(tree: ast.AST) -> list[str]:
    """List the calls of anything's `commit`."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = [func for func in calls if isinstance(func, ast.Attribute) and func.attr == "commit"]
    return [ast.unparse(func) for func in called]


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full names of everything that is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_is_a_house() -> None:
    assert ROOT / "app" / "errors.py" in MODULES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_owns(path: Path) -> None:
    assert ast.get_docstring(parsed(path)), f"{name_of(path)} starts without a docstring"


def test_no_name_is_an_empty_word() -> None:
    rooms = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    # A service message is a message about a subscription, a term of the field.
    rooms = {room.replace("service_message", "message") for room in rooms}
    assert {room for room in rooms if EMPTY_WORDS & set(room.split("_"))} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_one_file_reads_the_clock(path: Path) -> None:
    if name_of(path) != "app/clock.py":
        assert list(clock_readings(parsed(path))) == []


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now(UTC)",
        "datetime.datetime.now()",
        "datetime.utcnow()",
        "date.today()",
        "time.time()",
        "from time import time",
        "Column(default=datetime.utcnow)",
    ],
)
def test_a_look_at_the_clock_is_seen(code: str) -> None:
    assert list(clock_readings(ast.parse(code)))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_verbs_never_commit(path: Path) -> None:
    if name_of(path) not in COMMITTERS:
        assert commits(parsed(path)) == []


def test_a_commit_is_seen() -> None:
    assert commits(ast.parse("def verb(session):\n    session.commit()")) == ["session.commit"]


def speaks_http(path: Path) -> bool:
    rooms = set(path.relative_to(ROOT).parent.parts)
    last_word = path.stem.rpartition("_")[2]
    return bool(rooms & SPEAKING_ROOMS) or last_word in SPEAKERS or name_of(path) in PROCESSES


def http_in(tree: ast.AST) -> set[str]:
    """Say which libraries of HTTP the code imports."""
    return {name.partition(".")[0] for name in imported(tree)} & HTTP


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_http_stays_at_the_edges(path: Path) -> None:
    if not speaks_http(path):
        assert http_in(parsed(path)) == set()


def test_http_is_seen() -> None:
    assert http_in(ast.parse("def verb():\n    from fastapi.testclient import X")) == {"fastapi"}
    assert sum(bool(http_in(parsed(path))) for path in MODULES) > 30
    assert not speaks_http(ROOT / "app/issues/photos.py")


def test_the_tables_are_complete() -> None:
    models = {name_of(path)[:-3].replace("/", ".") for path in MODULES if path.name == "models.py"}
    tables = ROOT / "app" / "tables.py"
    if models:
        assert models <= set(imported(parsed(tables)))
