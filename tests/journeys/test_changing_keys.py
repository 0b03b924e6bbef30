"""Keys change under a running service, in the middle of everything; readers notice nothing."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.journeys.conftest import Opening
from tests.support.newsletter import Newsletter, an_issue
from tests.support.service import REPOSITORY
from tests.support.smtpd import Misdeed

READERS = {f"reader{number}@example.org": (["en"], "en") for number in range(12)}


@pytest.fixture(scope="module")
def lived(opening: Opening) -> Iterator[Newsletter]:
    with opening() as newsletter:
        newsletter.reader.are_confirmed(READERS)
        yield newsletter


def begin_rotation(newsletter: Newsletter) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "app", "seal", "rotate", "--json", "--patience", "60"],
        cwd=REPOSITORY,
        env=newsletter.place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_mailing_sign_ups_and_links_go_on_through_a_change_of_keys(lived: Newsletter) -> None:
    reader, operator, relay = lived.reader, lived.operator, lived.relay
    assert reader.subscribes("before@example.org", ["en"]).status == 202
    asked_before = reader.gets_message("before@example.org", "confirm").link("confirm")
    relay.on(Misdeed("RCPT", "reader0@example.org", reply="450 4.2.0 try later", times=1))
    mailing = operator.publishes(an_issue("2024-W10", "en"), "en")
    rotation = begin_rotation(lived)
    for number in range(5):
        assert reader.subscribes(f"during{number}@example.org", ["en"]).status == 202
    out, err = rotation.communicate(timeout=90)
    assert rotation.returncode == 0, err
    done = json.loads(out.splitlines()[-1])
    assert (done["generation"], done["flawed"]) == (2, 0)
    assert done["resealed"] >= len(READERS)
    assert set(done["destroyed"]) >= {"list.1.key", "hot.1.key", "index.1.key"}
    for number in range(5):
        reader.confirms(f"during{number}@example.org")
    assert (reader.presses(asked_before).header("Location") or "").startswith("/confirmed?")
    operator.waits(
        mailing, lambda seen: seen["sent"] == 11 and seen["deferred"] == 1, "all but one"
    )
    (message,) = lived.issues_to("reader1@example.org")
    assert reader.unsubscribes_by_one_click(message).status == 200
    assert operator.counts()["en"]["confirmed"] == len(READERS) - 1 + 6
    assert "example.org" not in err
    _everybody_is_written_to_with_the_new_keys(lived)
    assert operator.sees("/v1/alerts") == []


def _everybody_is_written_to_with_the_new_keys(lived: Newsletter) -> None:
    assert not list((lived.place.folder / "keys").glob("list.1.*"))
    mailing = lived.operator.publishes(an_issue("2024-W11", "en"), "en")
    ended = lived.operator.waits_for_end(mailing)
    assert ended["excluded"] == {}
    assert ended["sent"] == ended["audience"] == len(READERS) - 1 + 6
    checked = lived.place.command("seal", "check", "--json")
    assert json.loads(checked.stdout.splitlines()[-1])["flawed"] == {}
