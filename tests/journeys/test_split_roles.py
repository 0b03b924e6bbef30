"""The three roles apart: other folders, other keys, and on PostgreSQL other rights."""

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from sqlalchemy import make_url

from tests.journeys.conftest import database
from tests.support.newsletter import FORM, Newsletter, an_issue
from tests.support.service import Place, serving
from tests.support.smtpd import ScriptedServer

ROLES = ("public", "operators", "sender")


class Apart(NamedTuple):
    """The newsletter, its readers' host, and each role's way into the database."""

    newsletter: Newsletter
    outside: Place
    urls: Mapping[str, str]


@contextmanager
def users(url: str, owner: Place) -> Iterator[Mapping[str, str]]:
    """Give each role a database user of its own, who has its rights; SQLite knows no users."""
    if url.startswith("sqlite"):
        yield dict.fromkeys(ROLES, url)
        return
    made = owner.command("migrate", "--roles", "--prefix", f"v_{secrets.token_hex(4)}", "--json")
    assert made.returncode == 0, made.stderr
    names = json.loads(made.stdout.splitlines()[-1])["roles"]
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE ROLE {name}_user LOGIN IN ROLE {name}".encode())
    yield {
        role: make_url(url).set(username=f"{name}_user").render_as_string()
        for role, name in zip(ROLES, names, strict=True)
    }
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}_user, {name}".encode())


def as_user(place: Place, url: str) -> Place:
    """The same installation, with another user's way into the database."""
    other = copy(place)
    other.environment = {**place.environment, "VESTKA_DATABASE_URL": url}
    return other


def give_public_keys(keys: Path, public: Path) -> None:
    """Copy to the readers' host what it needs, and nothing else."""
    public.mkdir(mode=0o700, parents=True, exist_ok=True)
    for pattern in ("*.pub", "link.*.key"):
        for path in keys.glob(pattern):
            shutil.copy2(path, public)


@pytest.fixture(scope="module")
def apart(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Apart]:
    """A newsletter whose readers' port runs on a host of its own."""
    folder = tmp_path_factory.mktemp("apart")
    with database(engine, folder, request) as url, ScriptedServer() as relay:
        relays = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        inside = Place(folder, url, {**relays, "VESTKA_LOG_FORMAT": "json"})
        newsletter = Newsletter(inside, relay)
        with users(url, inside) as urls, serving(as_user(inside, urls["sender"]), "sender"):
            outside = Place(folder / "outside", urls["public"], {})
            for name in ("PUBLIC_URL", "PUBLIC_LISTEN"):
                outside.environment[f"VESTKA_{name}"] = inside.environment[f"VESTKA_{name}"]
            outside.public_port = inside.public_port
            for name in ("VESTKA_FROM", "VESTKA_SCHEDULE"):
                del outside.environment[name]
            give_public_keys(folder / "keys", folder / "outside" / "keys")
            operators = as_user(inside, urls["operators"])
            with serving(operators, "operators"), serving(outside, "public"):
                yield Apart(newsletter, outside, urls)


def test_c2_a_whole_week_flows_through_three_processes(apart: Apart) -> None:
    newsletter, outside = apart.newsletter, apart.outside
    private = [path.name for path in (outside.folder / "keys").iterdir() if path.suffix == ".key"]
    assert all(name.startswith("link.") for name in private)
    reader, operator = newsletter.reader, newsletter.operator
    people = ("ann", "bob", "eve")
    reader.are_confirmed({f"{name}@example.org": (["en", "be-ru"], "be") for name in people})
    assert reader.subscribes("ann@example.org", ["en"]).status == 202
    reader.asks_for_manage_link("bob@example.org")
    link = reader.gets_message("bob@example.org", "manage").link("manage")
    assert reader.sends("GET", link).status == 200
    choice = b"action=save&segments=en&language=ru"
    assert reader.sends("POST", link, choice, FORM).status in (200, 303)
    mailing = operator.publishes(an_issue("2024-W02", "en", "be"), "en")
    assert operator.waits_for_end(mailing)["sent"] == 3
    (message,) = newsletter.issues_to("ann@example.org")
    assert reader.unsubscribes_by_one_click(message).status == 200
    assert reader.sends("POST", link, b"action=erase&sure=1", FORM).status in (200, 303)
    assert operator.counts()["en"]["confirmed"] == 1
    for path in ("/archive/en", "/archive/en/2024-W02", "/archive/en/feed.xml", "/form"):
        assert reader.sends("GET", path).status == 200, path
    for path in ("/v1/audit", "/v1/keys", "/v1/issues", "/v1/mailings", "/v1/segments"):
        operator.sees(path)
    assert operator.calls("GET", "/metrics").status == 200
    assert operator.sees("/v1/alerts") == []


def test_keys_are_changed_for_a_host_apart(apart: Apart) -> None:
    """The readers' host seals with the old keys until it is given the new ones."""
    newsletter, outside = apart.newsletter, apart.outside
    sender, inside = as_user(newsletter.place, apart.urls["sender"]), newsletter.place.folder
    before = newsletter.operator.counts()["en"]["confirmed"]
    waiting = sender.command("seal", "rotate", "--patience", "12")
    assert waiting.returncode == 2
    assert "a process that still seals with older keys (public)" in waiting.stderr
    newsletter.reader.is_confirmed("during@example.org", ["en"])
    give_public_keys(inside / "keys", outside.folder / "keys")
    done = sender.command("seal", "rotate", "--patience", "50", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["generation"] == 2
    assert not list((inside / "keys").glob("list.1.*"))
    newsletter.reader.is_confirmed("after@example.org", ["en"])
    assert newsletter.operator.counts()["en"]["confirmed"] == before + 2
    assert newsletter.operator.sees("/v1/alerts") == []


def test_no_process_was_refused_anything(apart: Apart) -> None:
    logs = [log.read_text() for log in (*apart.newsletter.place.logs, *apart.outside.logs)]
    assert len(logs) == 3
    for text in logs:
        assert "permission denied" not in text
        assert '"level": "error"' not in text


def test_c15_no_user_can_become_another(apart: Apart, engine: str) -> None:
    if engine == "sqlite":
        pytest.skip("SQLite knows no users")
    with psycopg.connect(apart.urls["public"], autocommit=True) as connection:
        for statement in (b"SELECT sealed FROM subscribers", b"SET ROLE postgres"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_public_role_serves_no_operators_call_and_the_other_way_round(apart: Apart) -> None:
    assert apart.newsletter.reader.sends("GET", "/v1/issues").status == 404
    assert apart.newsletter.operator.calls("GET", "/form").status == 404


def test_a_second_sender_with_the_same_data_directory_is_refused(apart: Apart) -> None:
    ended = apart.newsletter.place.command("serve", "--role", "sender")
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1] == (
        "vestka: A sender already runs with this data directory."
    )
