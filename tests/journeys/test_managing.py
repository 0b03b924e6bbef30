"""A reader's own page: asked for by mail, it shows what is kept, changes it, and erases it."""

import pytest

from tests.support.newsletter import FORM, Newsletter, Operator, Reader, an_issue
from tests.support.service import Answer


def posts(reader: Reader, link: str, *fields: tuple[str, str]) -> Answer:
    return reader.posts_form(link, fields)


def test_a_reader_sees_changes_takes_away_and_erases_what_is_kept(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    address = "mara@example.org"
    reader.is_confirmed(address, ["en"], "en")
    assert reader.asks_for_manage_link(address).status == 202
    link = reader.gets_message(address, "manage").link("manage")

    page = reader.sends("GET", link)
    assert page.status == 200
    assert "What is kept about you" in page.text
    assert 'value="en" checked' in page.text

    before = operator.counts()
    saved = posts(reader, link, ("segments", "be-ru"), ("language", "ru"), ("action", "save"))
    assert (saved.status, saved.header("Content-Language")) == (200, "ru")
    after = operator.counts()
    assert after["en"]["confirmed"] == before["en"]["confirmed"] - 1
    assert after["be-ru"]["confirmed"] == before["be-ru"]["confirmed"] + 1
    operator.waits_for_end(operator.publishes(an_issue("2024-W20", "be", "ru"), "be-ru"))
    (message,) = newsletter.issues_to(address)
    assert (message.language, "RU title" in message.text) == ("ru", True)

    kept = posts(reader, link, ("action", "download"))
    assert kept.header("Content-Disposition") == 'attachment; filename="vestka.json"'
    assert [row["segment"] for row in kept.json()["subscriptions"]] == ["be-ru"]
    for answer in (page, saved, kept):
        assert "mara" not in answer.text

    hasty = posts(reader, link, ("action", "erase"))
    assert (hasty.status, operator.counts()) == (200, after)
    erased = posts(reader, link, ("action", "erase"), ("sure", "1"))
    assert (erased.status, erased.header("Location")) == (303, "/erased?language=ru")
    assert operator.counts()["be-ru"]["confirmed"] == before["be-ru"]["confirmed"]
    assert operator.counts()["be-ru"]["left"]["erased"] == 1
    assert reader.sends("GET", link).status == 404
    assert reader.presses(message.link("unsubscribe")).status == 303, "betrays nobody"


@pytest.mark.parametrize(
    "fields", [[("action", "save"), ("segments", "xx")], [("action", "dance")]]
)
def test_what_cannot_be_done_changes_nothing(
    newsletter: Newsletter, reader: Reader, operator: Operator, fields: list[tuple[str, str]]
) -> None:
    address = f"steady{len(fields)}@example.org"
    reader.is_confirmed(address, ["en"], "be")
    reader.asks_for_manage_link(address)
    link = reader.gets_message(address, "manage").link("manage")
    before = operator.counts()
    answer = posts(reader, link, *fields)
    assert answer.status in (200, 422)
    assert operator.counts() == before
    assert reader.sends("GET", link).status == 200


def test_an_unknown_address_gets_the_same_answer_and_no_message(
    newsletter: Newsletter, reader: Reader
) -> None:
    reader.is_confirmed("known@example.org", ["en"])
    answers = [reader.asks_for_manage_link(f"{who}@example.org") for who in ("known", "unknown")]
    assert answers[0].status == answers[1].status == 202
    assert answers[0].body == answers[1].body
    newsletter.settles()
    assert newsletter.inbox_of("unknown@example.org") == []
    assert newsletter.inbox_of("known@example.org")[-1].has_link("manage")


def test_a_forwarded_issue_gives_nothing_but_the_power_to_unsubscribe(
    newsletter: Newsletter, reader: Reader, operator: Operator
) -> None:
    reader.is_confirmed("generous@example.org", ["en"])
    operator.waits_for_end(operator.publishes(an_issue("2024-W21", "en"), "en"))
    (message,) = newsletter.issues_to("generous@example.org")
    assert not message.has_link("manage")
    assert not message.has_link("confirm")
    page = reader.sends("GET", message.link("unsubscribe"))
    assert "generous" not in page.text
    token = message.link("unsubscribe").rpartition("/")[2]
    assert reader.sends("POST", f"/manage/{token}", b"action=download", FORM).status == 404
