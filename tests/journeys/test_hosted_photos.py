"""Photos at one address for all readers: to be seen from the launch on, and not before."""

import re
from urllib.parse import urlsplit

from tests.journeys.conftest import Opening
from tests.support.newsletter import Message, an_issue
from tests.support.photos import a_photo

EDITOR = "editor@example.com"
READERS = ("ann@example.org", "olga@example.org")


def shown(message: Message) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]+)"', message.html)


def test_a_message_shows_what_can_be_fetched(opening: Opening) -> None:
    issue = an_issue("2025-W04", "en")
    with opening(VESTKA_PHOTOS="hosted") as newsletter:
        operator, reader = newsletter.operator, newsletter.reader
        reader.are_confirmed(dict.fromkeys(READERS, (["en"], None)))
        media = {"Content-Type": "image/jpeg"}
        photo = operator.calls("POST", "/v1/photos", a_photo(), headers=media).json()["id"]
        credited = {"credit": "B. Photographer", "alt": {"en": "A street"}, "id": photo}
        issue["commentaries"][0]["photo"] = credited
        operator.stores(issue)
        assert operator.approves("2025-W04", "en").status == 200
        asked = {"to": [EDITOR], "segment": "en"}
        assert operator.calls("POST", "/v1/issues/2025-W04/test-letters", asked).status == 200

        path = f"/photos/{photo}.jpg"
        hidden = reader.sends("GET", path)
        assert hidden.status == 404, "the issue was not launched"
        assert hidden.header("Cache-Control") == "no-store", "or a cache would go on saying so"
        (trial,) = newsletter.inbox_of(EDITOR)
        assert [src[:4] for src in shown(trial)] == ["cid:"]

        operator.waits_for_end(operator.launches("2025-W04", "en").json()["id"])
        messages = [message for each in READERS for message in newsletter.issues_to(each)]
        assert [shown(message) for message in messages] == [
            [f"{newsletter.place.public_url}{path}"]
        ] * 2
        fetched = reader.sends("GET", urlsplit(shown(messages[0])[0]).path)
        assert fetched.status == 200
        assert fetched.header("Content-Type") == "image/jpeg"
        assert fetched.header("Set-Cookie") is None
