"""The three roles apart: whoever faces the internet holds no private key."""

import shutil
from collections.abc import Iterator

import pytest

from tests.journeys.conftest import database
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import Place, serving
from tests.support.smtpd import ScriptedServer


@pytest.fixture(scope="module")
def apart(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Newsletter, Place]]:
    """A newsletter whose readers' port runs on a host of its own: other folders, other keys."""
    folder = tmp_path_factory.mktemp("apart")
    with database(engine, folder, request) as url, ScriptedServer() as relay:
        relays = {"VESTKA_RELAYS": f"smtp+insecure://127.0.0.1:{relay.port}"}
        inside = Place(folder, url, relays)
        newsletter = Newsletter(inside, relay)
        with serving(inside, "sender"):
            outside = Place(folder / "outside", url, {})
            for name in ("PUBLIC_URL", "PUBLIC_LISTEN"):
                outside.environment[f"VESTKA_{name}"] = inside.environment[f"VESTKA_{name}"]
            outside.public_port = inside.public_port
            for name in ("VESTKA_FROM", "VESTKA_SCHEDULE"):
                del outside.environment[name]
            keys = folder / "outside" / "keys"
            keys.mkdir(mode=0o700)
            for pattern in ("*.pub", "link.*.key"):
                for path in (folder / "keys").glob(pattern):
                    shutil.copy2(path, keys)
            with serving(inside, "operators"), serving(outside, "public"):
                yield newsletter, outside


def test_c2_a_whole_week_flows_through_three_processes(apart: tuple[Newsletter, Place]) -> None:
    newsletter, outside = apart
    private = [path.name for path in (outside.folder / "keys").iterdir() if path.suffix == ".key"]
    assert all(name.startswith("link.") for name in private)
    newsletter.reader.is_confirmed("ann@example.org", ["en"])
    mailing = newsletter.operator.publishes(an_issue("2024-W02", "en"), "en")
    assert newsletter.operator.waits_for_end(mailing)["sent"] == 1
    (letter,) = newsletter.issues_to("ann@example.org")
    assert newsletter.reader.unsubscribes_by_one_click(letter).status == 200
    assert newsletter.operator.counts()["en"]["confirmed"] == 0


def test_the_public_role_serves_no_operators_call_and_the_other_way_round(
    apart: tuple[Newsletter, Place],
) -> None:
    newsletter, _ = apart
    assert newsletter.reader.sends("GET", "/v1/issues").status == 404
    assert newsletter.operator.calls("GET", "/form").status == 404


def test_a_second_sender_with_the_same_data_directory_is_refused(
    apart: tuple[Newsletter, Place],
) -> None:
    ended = apart[0].place.command("serve", "--role", "sender")
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1] == (
        "vestka: A sender already runs with this data directory."
    )
