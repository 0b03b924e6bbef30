"""How often one may ask: per client and for all together, over processes, and nobody is named."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.addresses.keyring import Keyring
from app.database import Database
from app.public_server import create_public
from app.rate_limits.refusals import CLIENT, EVERYONE, refused_since
from app.settings import Settings
from app.web import rate_limit
from app.web.context import AppContext
from tests.support.builders import PUBLIC_URL, WEEK, a_subscriber, everything
from tests.support.clock import MONDAY, SetClock

HERE = "203.0.113.5"
Opening = Callable[..., TestClient]


@pytest.fixture
def opened(installation: AppContext) -> Opening:
    """Give a way to start a process of the readers' port, and to call it from somewhere."""
    apps: dict[tuple[object, ...], Any] = {}

    def call_from(address: str = HERE, *, process: int = 1, **settings: str) -> TestClient:
        key = (process, *sorted(settings.items()))
        if key not in apps:
            given = {
                name: text
                for name in ("VESTKA_PUBLIC_URL", "VESTKA_FROM", "VESTKA_RELAYS")
                if (text := installation.settings.text_of(name))
            }
            with_settings = Settings({**given, **settings})
            apps[key] = create_public(
                AppContext(
                    with_settings,
                    installation.database,
                    installation.clock,
                    installation.newsletter,
                    installation.keys,
                )
            )
        return TestClient(
            apps[key],
            base_url=PUBLIC_URL,
            client=(address, 50_000),
            raise_server_exceptions=False,
            follow_redirects=False,
        )

    return call_from


def sign_up(client: TestClient, name: str = "ann", **more: Any) -> Any:
    wish = {"email": f"{name}@example.org", "segments": ["en"]}
    return client.post("/v1/subscriptions", json=wish, **more)


def statuses(client: TestClient, times: int) -> list[int]:
    return [sign_up(client, f"a{number}").status_code for number in range(times)]


def inbox(database: Database) -> int:
    return len(everything(database)["sign_ups"])


def test_a_client_is_refused_and_told_when_to_come_again(
    opened: Opening, database: Database, clock: SetClock
) -> None:
    client = opened()
    assert statuses(client, 25) == [202] * 20 + [429] * 5
    assert inbox(database) == 20
    refused = sign_up(client)
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:vestka:problem:too-many-requests"
    seconds = int(refused.headers["retry-after"])
    assert 600 <= seconds <= 720
    clock.go_on(seconds=seconds - 121)
    assert sign_up(client).status_code == 429
    clock.go_on(seconds=121)
    assert statuses(client, 21) == [202] * 20 + [429]


def test_clients_do_not_share_what_one_may(opened: Opening) -> None:
    settings = {"VESTKA_RATE_LIMIT_CLIENT": "2/10m"}
    assert statuses(opened("203.0.113.5", **settings), 3) == [202, 202, 429]
    assert statuses(opened("203.0.113.6", **settings), 3) == [202, 202, 429]
    assert statuses(opened("2001:db8:1:100::1", **settings), 2) == [202, 202]
    assert statuses(opened("2001:db8:1:1ff::2", **settings), 1) == [429], "one /56"
    assert statuses(opened("2001:db8:1:200::1", **settings), 1) == [202]


def test_manage_links_and_sign_ups_count_together(opened: Opening, database: Database) -> None:
    client = opened(VESTKA_RATE_LIMIT_CLIENT="2/10m")
    wish = {"email": "ann@example.org"}
    assert client.post("/v1/manage-links", json=wish).status_code == 202
    assert sign_up(client).status_code == 202
    assert client.post("/v1/manage-links", json=wish).status_code == 429
    assert inbox(database) == 2


def test_it_holds_over_processes_and_their_ends(opened: Opening) -> None:
    settings = {"VESTKA_RATE_LIMIT_CLIENT": "3/10m"}
    assert statuses(opened(process=1, **settings), 2) == [202, 202]
    assert statuses(opened(process=2, **settings), 2) == [202, 429]
    assert statuses(opened(process=3, **settings), 1) == [429]


def test_all_together_have_a_limit_too(opened: Opening, database: Database) -> None:
    settings = {"VESTKA_RATE_LIMIT_TOTAL": "5/1h"}
    got = [
        sign_up(opened(f"203.0.113.{number}", process=number % 2, **settings)).status_code
        for number in range(1, 9)
    ]
    assert got == [202] * 5 + [429] * 3
    assert inbox(database) == 5
    assert sign_up(opened("127.0.0.1", **settings)).status_code == 202, "the website's own server"


def test_what_is_refused_to_one_is_not_taken_from_all(opened: Opening) -> None:
    settings = {"VESTKA_RATE_LIMIT_CLIENT": "2/10m", "VESTKA_RATE_LIMIT_TOTAL": "4/1h"}
    for process in range(6):
        statuses(opened(process=process, **settings), 2)
    assert statuses(opened("203.0.113.99", **settings), 2) == [202, 202]


def test_the_websites_server_is_not_limited_but_whoever_hides_behind_it_is(
    opened: Opening,
) -> None:
    assert statuses(opened("127.0.0.1"), 30) == [202] * 30
    assert statuses(opened("::1"), 30) == [202] * 30
    own = {"VESTKA_TRUSTED_CLIENTS": "198.51.100.0/24", "VESTKA_RATE_LIMIT_CLIENT": "1/10m"}
    assert statuses(opened("198.51.100.9", **own), 3) == [202] * 3
    assert statuses(opened("127.0.0.1", **own), 2) == [202, 429]
    through = opened("127.0.0.2", VESTKA_RATE_LIMIT_CLIENT="1/10m")
    hidden = [sign_up(through, headers={"X-Forwarded-For": "203.0.113.5"}) for _ in range(2)]
    assert [each.status_code for each in hidden] == [202, 429], "a proxy that nobody named"


def test_a_forged_header_buys_nothing(opened: Opening) -> None:
    behind = {"VESTKA_RATE_LIMIT_CLIENT": "2/10m", "VESTKA_TRUSTED_PROXIES": "10.0.0.0/8"}
    direct, proxied = opened(HERE, **behind), opened("10.0.0.1", **behind)

    def forged(client: TestClient, number: int, behind_it: str = "") -> int:
        hops = f"127.0.0.1, 198.51.100.{number}{behind_it}"
        answer = sign_up(client, headers={"X-Forwarded-For": hops, "Forwarded": f"for={number}"})
        return int(answer.status_code)

    assert [forged(direct, number) for number in range(3)] == [202, 202, 429]
    seen = ", 198.51.100.77"
    assert [forged(proxied, number, seen) for number in range(3)] == [202, 202, 429]
    assert sign_up(proxied, headers={"X-Forwarded-For": "198.51.100.78"}).status_code == 202


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Too many"), ("be", "Занадта"), ("ru", "Слишком")]
)
@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/manage-links"])
def test_a_person_gets_a_page_in_their_language(
    opened: Opening, language: str, words: str, path: str
) -> None:
    client = opened(VESTKA_RATE_LIMIT_CLIENT="1/10m")
    form = {"email": "ann@example.org", "language": language}
    if path == "/v1/subscriptions":
        form["segments"] = "en"
    assert client.post(path, data=form).status_code == 303
    page = client.post(path, data=form)
    assert page.status_code == 429
    assert int(page.headers["retry-after"]) > 0
    assert page.headers["content-language"] == language
    assert words in page.text
    assert "ann@" not in page.text


def test_nobody_s_network_is_blamed_for_what_all_have_sent(opened: Opening) -> None:
    form = {"email": "ann@example.org", "segments": "en", "language": "en"}
    answers = [
        opened(f"203.0.113.{number}", VESTKA_RATE_LIMIT_TOTAL="1/1h").post(
            "/v1/subscriptions", data=form
        )
        for number in range(2)
    ]
    assert [answer.status_code for answer in answers] == [303, 429]
    assert "have come in a short time" in answers[1].text
    assert "your network" not in answers[1].text


def test_what_is_not_valid_is_not_counted(opened: Opening) -> None:
    client = opened(VESTKA_RATE_LIMIT_CLIENT="1/10m")
    assert sign_up(client, "a b").status_code == 422
    assert client.post("/v1/subscriptions", json={}).status_code == 422
    assert statuses(client, 2) == [202, 429]


def test_leaving_is_never_limited(opened: Opening, database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        readers = [a_subscriber(session, keyring, f"r{n}@example.org") for n in range(30)]
    client = opened(VESTKA_RATE_LIMIT_CLIENT="1/10m", VESTKA_RATE_LIMIT_TOTAL="1/1h")
    assert statuses(client, 2) == [202, 429]
    for reader in readers:
        token = keyring.links.unsubscribe(reader.link_id, WEEK.number, "en")
        body = {"List-Unsubscribe": "One-Click"}
        assert client.post(f"/unsubscribe/{token}", data=body).status_code == 200
    assert everything(database)["subscribers"] == []


def test_no_row_names_a_client(opened: Opening, database: Database) -> None:
    for address in ("203.0.113.5", "2001:db8:7::1"):
        statuses(opened(address, VESTKA_RATE_LIMIT_CLIENT="1/10m"), 3)
    rows = repr(everything(database))
    assert "203.0" not in rows
    assert "2001:db8" not in rows
    taken = everything(database)["rate_limit_counts"]
    assert all(until.second == 0 for _, until, _ in taken)


def counted(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return dict(refused_since(session, MONDAY.date()))


def test_an_attack_is_counted_and_costs_the_database_little(
    opened: Opening, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opened(VESTKA_RATE_LIMIT_CLIENT="1/10m")
    commits: list[int] = []
    write = rate_limit.RateLimit._write

    def written(*arguments: Any) -> None:
        commits.append(1)
        write(*arguments)

    monkeypatch.setattr(rate_limit.RateLimit, "_write", written)
    assert statuses(client, 129) == [202] + [429] * 128
    assert counted(database)[CLIENT] == 128
    assert len(commits) == 8
    statuses(client, 9)
    assert counted(database)[CLIENT] == 128, "a tenth more is not worth a commit yet"
    clock.go_on(seconds=11)
    statuses(client, 1)
    assert counted(database) == {CLIENT: 138, EVERYONE: 0, "address": 0}


def test_whom_it_refused_a_process_remembers_without_asking(
    opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opened(VESTKA_RATE_LIMIT_CLIENT="1/10m")
    statuses(client, 2)

    def asked(*_: object) -> None:
        pytest.fail("asked the database")

    monkeypatch.setattr(rate_limit.RateLimit, "_count", asked)
    assert statuses(client, 3) == [429] * 3


def test_without_limits_nothing_is_counted(opened: Opening, database: Database) -> None:
    client = opened(VESTKA_RATE_LIMIT_CLIENT="off", VESTKA_RATE_LIMIT_TOTAL="off")
    assert statuses(client, 30) == [202] * 30
    assert everything(database)["rate_limit_counts"] == []


def test_processes_that_count_the_same_clients_do_not_wait_in_a_circle(
    installation: AppContext, database: Database
) -> None:
    settings = Settings({"VESTKA_RATE_LIMIT_CLIENT": "5/10m", "VESTKA_RATE_LIMIT_TOTAL": "90/1h"})
    names = [f"203.0.113.{number}" for number in range(20)]

    def count(seed: int) -> int:
        turns = [rate_limit._Turn(name, MONDAY) for name in Random(seed).sample(names, 20)]
        one = rate_limit.RateLimit(settings, database, installation.keys.counting)
        return sum(not waits for waits in one._count(turns))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(count, range(8))) == 90


def test_what_is_remembered_is_bounded(
    opened: Opening, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "REMEMBERED", 3)
    settings = {"VESTKA_RATE_LIMIT_CLIENT": "1/10m"}
    for number in range(6):
        assert statuses(opened(f"203.0.113.{number}", **settings), 3) == [202, 429, 429]
    memory = opened(**settings).app.state.throttle._refused  # type: ignore[attr-defined]
    assert len(memory) == 3
    clock.go_on(minutes=13)
    assert statuses(opened("203.0.113.77", **settings), 2) == [202, 429]
    memory = opened(**settings).app.state.throttle._refused  # type: ignore[attr-defined]
    assert len(memory) == 1


@pytest.mark.parametrize("wait", [0.2, 1.0, 59.5, 61.0])
def test_the_wait_is_told_in_whole_seconds_and_minutes(wait: float) -> None:
    refused = rate_limit.TooManyRequests(timedelta(seconds=wait))
    assert wait <= refused.retry_after < wait + 1
    assert 0 <= refused.minutes * 60 - refused.retry_after < 60
