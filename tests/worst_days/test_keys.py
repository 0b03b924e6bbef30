"""The keys directory is not mounted, is another's, or is there in part: nobody pays for it.

The service refuses to start, says what is missing where, and makes and changes nothing; once the
keys are back, everybody is written to.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys.conftest import database
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import Place, Process, serving
from tests.support.smtpd import ScriptedServer

CROWD = [f"reader{number}@example.org" for number in range(5)]


@contextmanager
def newsletter_on(
    engine: str, folder: Path, request: pytest.FixtureRequest
) -> Iterator[Newsletter]:
    """A newsletter with readers whose service is down."""
    with database(engine, folder, request) as url, ScriptedServer() as relay:
        relays = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        newsletter = Newsletter(Place(folder, url, relays), relay)
        with serving(newsletter.place) as newsletter.processes:
            newsletter.reader.are_confirmed(dict.fromkeys(CROWD, (["en"], "en")))
        yield newsletter


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def newsletter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Newsletter]:
    """One newsletter for each database; every story puts its keys back."""
    with newsletter_on(request.param, tmp_path_factory.mktemp("keys"), request) as made:
        yield made


@contextmanager
def keys_aside(newsletter: Newsletter) -> Iterator[Path]:
    """Give the keys directory to a story that spoils it, and put it back as it was."""
    keys = newsletter.place.folder / "keys"
    aside = newsletter.place.folder / "keys-aside"
    shutil.copytree(keys, aside)
    try:
        yield keys
    finally:
        shutil.rmtree(keys, ignore_errors=True)
        aside.rename(keys)


def refused(newsletter: Newsletter, role: str = "all") -> str:
    """Start the service, and return what it says when it ends."""
    process = Process(newsletter.place, role)
    assert process.ends() != 0
    return process.log.read_text()


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder."""
    if not folder.exists():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def check_said(said: str, keys: Path) -> None:
    assert "Traceback" not in said
    assert str(keys) in said
    assert "sender's host" in said
    assert "New keys were made" not in said


@pytest.mark.parametrize("how", ["missing", "empty"])
def test_without_its_keys_nothing_starts_and_none_are_made(
    newsletter: Newsletter, how: str
) -> None:
    with keys_aside(newsletter) as keys:
        shutil.rmtree(keys)
        if how == "empty":
            keys.mkdir(mode=0o700)
        check_said(refused(newsletter), keys)
        check_said(refused(newsletter, "sender"), keys)
        assert "sender's host" in refused(newsletter, "public")
        assert not contents(keys)


def test_another_installations_keys_are_refused(newsletter: Newsletter, tmp_path: Path) -> None:
    other = Place(tmp_path, f"sqlite:///{tmp_path}/vestka.db", {})
    assert other.command("subscribers", "count").returncode == 0
    assert other.command("suppression", "add", given=b"someone@example.org\n").returncode == 0
    with keys_aside(newsletter) as keys:
        shutil.rmtree(keys)
        shutil.copytree(tmp_path / "keys", keys)
        before = contents(keys)
        for role in ("all", "sender", "public"):
            said = refused(newsletter, role)
            assert "another installation" in said
            assert "Traceback" not in said
        assert contents(keys) == before


NAMES = [
    "list.1.key",
    "list.1.pub",
    "hot.1.key",
    "index.1.key",
    "mac.1.key",
    "never.1.key",
    "link.1.key",
]


@pytest.mark.parametrize("name", NAMES)
def test_each_single_file_that_is_missing_is_named(newsletter: Newsletter, name: str) -> None:
    with keys_aside(newsletter) as keys:
        (keys / name).unlink()
        said = refused(newsletter, "sender")
        assert name in said
        assert "Traceback" not in said
        assert name not in contents(keys)


@pytest.mark.parametrize("name", ["list.1.key", "never.1.key"])
def test_a_file_that_was_cut_is_named(newsletter: Newsletter, name: str) -> None:
    with keys_aside(newsletter) as keys:
        (keys / name).chmod(0o600)
        (keys / name).write_bytes((keys / name).read_bytes()[:20])
        (keys / name).chmod(0o400)
        assert name in refused(newsletter, "sender")


def test_a_rotation_and_a_backup_of_before_do_not_meet_unnoticed(
    newsletter: Newsletter,
) -> None:
    with keys_aside(newsletter) as keys:
        rotated = newsletter.place.command("seal", "rotate")
        assert rotated.returncode == 0, rotated.stderr
        new = contents(keys)
        shutil.rmtree(keys)
        shutil.copytree(newsletter.place.folder / "keys-aside", keys)
        assert "Traceback" not in refused(newsletter, "sender")
        shutil.rmtree(newsletter.place.folder / "keys-aside")
        shutil.rmtree(keys)
        keys.mkdir(mode=0o700)
        for name, content in new.items():
            (keys / name).write_bytes(content)
            (keys / name).chmod(0o400 if name.endswith((".key", ".pub")) else 0o600)
        shutil.copytree(keys, newsletter.place.folder / "keys-aside")


def test_with_the_keys_back_everybody_gets_the_issue(newsletter: Newsletter) -> None:
    with serving(newsletter.place) as newsletter.processes:
        mailing = newsletter.operator.publishes(an_issue("2024-W05", "en"), "en")
        end = newsletter.operator.waits_for_end(mailing)
    assert (end["audience"], end["sent"]) == (len(CROWD), len(CROWD))
