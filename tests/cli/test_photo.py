"""`vestka photo`: a file in, an id out."""

from pathlib import Path

from app.database import Database
from tests.support.builders import everything
from tests.support.photos import a_photo
from tests.support.terminal import Terminal


def test_a_photo_is_kept_listed_and_deleted(
    terminal: Terminal, tmp_path: Path, database: Database
) -> None:
    path = tmp_path / "street.jpg"
    path.write_bytes(a_photo())
    photo_id = terminal.run("photo", "put", path).out.strip()
    assert len(photo_id) == 64
    again = terminal.run("photo", "put", path, "--json").json
    assert again.items() >= {"id": photo_id, "new": False, "width": 900, "height": 600}.items()
    (listed,) = terminal.run("photo", "list", "--json").json
    assert listed["id"] == photo_id
    assert "content" not in listed
    shown = terminal.run("photo", "list").out
    assert "image/jpeg" in shown
    assert photo_id in shown, "an id is there to be copied"
    assert terminal.run("photo", "delete", photo_id, "--json").json["deleted"] is True
    assert terminal.run("photo", "list").out == "There are no photos.\n"
    assert everything(database)["photo_versions"] == []
    assert terminal.refused("photo", "delete", photo_id) == "No photo is kept under this id."


def test_what_is_no_photo_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.refused("photo", "put", tmp_path / "no.jpg") == (
        "no.jpg is missing or cannot be read."
    )
    (tmp_path / "x.png").write_text("<svg/>", encoding="utf-8")
    assert terminal.refused("photo", "put", tmp_path / "x.png") == (
        "This is not a picture in JPEG, PNG, WebP or GIF."
    )
    assert terminal.run("photo", "list", "--json").json == []
