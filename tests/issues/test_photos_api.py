"""The calls for photos: two ways in, one result, and nothing kept of what is refused."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.database import Database
from app.issues import photos_api
from app.issues.reencoding import LARGEST
from app.operators_server import create_operators
from app.web.context import AppContext
from tests.support.builders import a_document, a_key, everything, visitor
from tests.support.photos import a_photo, a_png_that_claims

JPEG = {"content-type": "image/jpeg"}


def stored(operators: TestClient) -> Any:
    return operators.post("/v1/photos", content=a_photo(), headers=JPEG).json()


def test_a_photo_comes_as_it_is_or_in_a_form(operators: TestClient) -> None:
    first = operators.post("/v1/photos", content=a_photo(), headers=JPEG)
    assert first.status_code == 201
    said = first.json()
    assert said.keys() == {"id", "media_type", "width", "height", "size", "day"}
    assert (said["width"], said["height"], said["media_type"]) == (900, 600, "image/jpeg")
    second = operators.post("/v1/photos", files={"photo": ("../../x.php", a_photo(), "text/php")})
    assert (second.status_code, second.json()) == (200, said)
    assert operators.get("/v1/photos").json() == [said]
    shown = operators.get(f"/v1/photos/{said['id']}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert len(shown.content) == said["size"]


def test_no_name_that_a_file_had_is_kept(operators: TestClient, database: Database) -> None:
    for name in ("../../secret.jpg", "..\\secret", "secret\0.jpg", "con"):
        operators.post("/v1/photos", files={"photo": (name, a_photo(), "image/jpeg")})
    assert "secret" not in repr(everything(database))


@pytest.mark.parametrize(
    ("content", "headers", "status", "slug"),
    [
        (b"<svg/>", {"content-type": "image/svg+xml"}, 415, "photo-kind-unknown"),
        (b"<svg/>", {"content-type": "image/png"}, 415, "photo-kind-unknown"),
        (b"PK\3\4", {"content-type": "application/zip"}, 415, "photo-kind-unknown"),
        (a_photo(), {}, 415, "photo-kind-unknown"),
        (a_photo()[:5000], JPEG, 422, "photo-broken"),
        (a_png_that_claims(15_000, 15_000), {"content-type": "image/png"}, 422, None),
        (b"\xff\xd8\xff" + b"\0" * LARGEST, JPEG, 413, "photo-too-large"),
    ],
    ids=["svg", "svg as png", "zip", "no type", "cut off", "bomb", "large"],
)
def test_what_is_no_photo_is_refused_and_nothing_kept(
    operators: TestClient,
    database: Database,
    content: bytes,
    headers: dict[str, str],
    status: int,
    slug: str | None,
) -> None:
    before = everything(database)
    refused = operators.post("/v1/photos", content=content, headers=headers)
    assert refused.status_code == status
    assert refused.json()["errors"][0]["field"] == "photo"
    assert slug is None or refused.json()["type"].endswith(slug)
    if headers:
        inside = operators.post("/v1/photos", files={"photo": ("x.png", content, "image/png")})
        assert inside.status_code == status
    assert everything(database) == before


def test_more_than_the_port_takes_is_refused(operators: TestClient) -> None:
    refused = operators.post("/v1/photos", files={"photo": ("x", b"\0" * (9 << 20), "image/png")})
    assert refused.status_code == 413


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"files": {"other": ("x", a_photo(), "image/jpeg")}}, 422),
        ({"files": [("photo", ("x", b"x", "")), ("photo", ("x", b"x", ""))]}, 422),
        ({"files": {"photo": ("x", a_photo(), "")}, "data": {"more": "x"}}, 422),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 422),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 422),
        ({"content": b"", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 422),
    ],
    ids=["another field", "two files", "a field too many", "no boundary", "no form", "empty"],
)
def test_a_form_that_is_none_is_refused(
    operators: TestClient, sent: dict[str, Any], status: int
) -> None:
    refused = operators.post("/v1/photos", **sent)
    assert refused.status_code == status
    assert refused.headers["content-type"] == "application/problem+json"


def test_an_upload_is_not_looked_at_without_the_right_key(
    installation: AppContext, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos_api, "decode", lambda raw: pytest.fail("it was looked at"))
    client = visitor(create_operators(installation))
    assert client.post("/v1/photos", content=a_photo(), headers=JPEG).status_code == 401
    key = a_key(database, "issues:read", "reader")
    headers = JPEG | {"Authorization": f"Bearer {key}"}
    assert client.post("/v1/photos", content=a_photo(), headers=headers).status_code == 403


def test_a_photo_goes_unless_an_issue_shows_it(operators: TestClient) -> None:
    photo_id = stored(operators)["id"]
    document = a_document()
    document["commentaries"][0]["photo"] = {"credit": "C", "id": photo_id}
    assert operators.put("/v1/issues/2025-W04", json=document).status_code == 201
    held = operators.delete(f"/v1/photos/{photo_id}")
    assert (held.status_code, held.json()["type"]) == (409, "urn:vestka:problem:photo-in-use")
    missing = operators.post("/v1/issues/2025-W04/approval")
    assert missing.status_code == 409
    assert missing.json()["missing"]["en"] == ["commentaries.0.photo.alt.en"]
    assert operators.delete("/v1/issues/2025-W04").status_code == 204
    assert operators.delete(f"/v1/photos/{photo_id}").status_code == 204
    assert operators.delete(f"/v1/photos/{photo_id}").status_code == 404
    assert operators.get(f"/v1/photos/{photo_id}").status_code == 404
    assert operators.get("/v1/photos").json() == []
    assert operators.get("/v1/photos/%00").status_code == 404
    assert operators.delete("/v1/photos/%00").status_code == 404
    said = [each["action"] for each in operators.get("/v1/audit").json()]
    assert said[0] == "photo deleted"
    assert "photo stored" in said


def test_an_issue_cannot_show_what_is_not_kept(operators: TestClient) -> None:
    document = a_document()
    document["commentaries"][0]["photo"] = {"credit": "C", "id": "0" * 64}
    refused = operators.put("/v1/issues/2025-W04", json=document)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "commentaries.0.photo.id"
