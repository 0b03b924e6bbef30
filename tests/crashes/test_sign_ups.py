"""Whoever was told that a sign-up was accepted is in the inbox, however the process ends."""

import http.client
import json
import threading
from pathlib import Path

import pytest

from app.database import Database
from app.keys.creation import create_keys
from app.subscribers.models import SignUp
from tests.support.service import Place, Process, eventually

CLIENTS = 8


def sign_up_until_it_ends(port: int, accepted: list[int], number: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json"}
    wish = {"email": f"reader{number}@example.org", "segments": ["en"]}
    try:
        while True:
            connection.request("POST", "/v1/subscriptions", json.dumps(wish), headers)
            answer = connection.getresponse()
            answer.read()
            accepted.append(answer.status)
    except (OSError, http.client.HTTPException):
        connection.close()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_promise_survives_the_end(end: str, database_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path, database_url, {})
    create_keys(tmp_path / "keys")
    process = Process(place, "public")
    process.ready()
    accepted: list[int] = []
    clients = [
        threading.Thread(target=sign_up_until_it_ends, args=(place.public_port, accepted, number))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    eventually(lambda: len(accepted) > 50, "sign-ups to be accepted")
    getattr(process, end)()
    for client in clients:
        client.join()
    assert set(accepted) == {202}
    database = Database(database_url)
    with database.reading() as session:
        kept = session.query(SignUp).count()
    database.close()
    # Those that were written, and not answered yet when it was killed, are there too.
    assert len(accepted) <= kept <= len(accepted) + CLIENTS
