"""The judge of the trial instance: every message that is missing, too many or wrong is named."""

from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from app.demo.messages import confirm_link, edition_of, faults, one_click_link, part, read
from app.demo.readers import READERS, Reader
from app.demo.smtpd import ReceivedMessage
from app.newsletter import Newsletter

NEWSLETTER = Newsletter.load()
PUBLIC = "http://127.0.0.1:8000"
SUBJECTS = {("en", "en"): "News", ("be-ru", "be"): "Навіны", ("be-ru", "ru"): "Новости"}
ANN = Reader("ann@example.org", ("en", "be-ru"), "ru")
ALES = Reader("ales@example.org", ("be-ru",), "en")


def message(to: str, segment: str, language: str, subject: str = "") -> ReceivedMessage:
    message = EmailMessage()
    message["List-Id"] = f"<{segment}.example.org>"
    message["Content-Language"] = language
    message["Subject"] = subject or SUBJECTS[segment, language]
    return ReceivedMessage("b@example.org", (to,), message.as_bytes(), 1)


def all_right() -> Iterator[ReceivedMessage]:
    yield message(ANN.address, "en", "en")
    yield message(ANN.address, "be-ru", "ru")
    yield message(ALES.address, "be-ru", "be")


def found(*messages: ReceivedMessage) -> list[str]:
    return faults(messages, [ANN, ALES], NEWSLETTER, SUBJECTS)


def test_exactly_the_right_messages_pass() -> None:
    assert found(*all_right()) == []


def test_a_message_that_is_no_mailing_s_is_not_counted() -> None:
    message = EmailMessage()
    message["Subject"] = "Confirm"
    service = ReceivedMessage("b@example.org", (ANN.address,), message.as_bytes(), 9)
    assert found(*all_right(), service) == []


def test_a_missing_message_is_named() -> None:
    first, *rest = all_right()
    assert found(*rest) == [f"missing: en in en for {ANN.address}"]
    assert first.recipients == (ANN.address,)


def test_a_second_copy_is_named() -> None:
    assert found(*all_right(), message(ALES.address, "be-ru", "be")) == [
        f"too many: be-ru in be for {ALES.address}"
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        message(ALES.address, "be-ru", "ru"),
        message(ALES.address, "en", "en"),
        message(ALES.address, "be-ru", "be", "Новости"),
        message("someone@example.net", "be-ru", "be"),
    ],
    ids=["language", "segment", "subject", "reader"],
)
def test_a_wrong_message_is_both_missing_and_too_many(wrong: ReceivedMessage) -> None:
    right = list(all_right())
    heard = found(*right[:2], wrong)
    assert [sentence.partition(":")[0] for sentence in heard] == ["missing", "too many"]


def test_links_and_parts_are_found_in_a_message() -> None:
    message = EmailMessage()
    message["List-Unsubscribe"] = f"<{PUBLIC}/unsubscribe/abc>"
    message.set_content(f"Press here:\n{PUBLIC}/confirm/xyz\n")
    message.add_alternative("<p>Hello</p>", subtype="html")
    parsed = read(ReceivedMessage("", ("ann@example.org",), message.as_bytes(), 1))
    assert confirm_link(parsed, PUBLIC) == f"{PUBLIC}/confirm/xyz"
    assert confirm_link(parsed, "http://127.0.0.1:9") is None
    assert part(parsed, "html").strip() == "<p>Hello</p>"
    assert one_click_link(parsed) is None  # nothing says that one click is enough
    parsed["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    assert one_click_link(parsed) == f"{PUBLIC}/unsubscribe/abc"
    assert edition_of(parsed) is None


def test_the_readers_are_of_every_kind() -> None:
    editions = [edition for reader in READERS for edition in reader.editions(NEWSLETTER)]
    expected = {(s.id, language) for s in NEWSLETTER.segments for language in s.languages}
    assert set(editions) == expected
    assert len({reader.address for reader in READERS}) == len(READERS)
    assert any(len(reader.segments) > 1 for reader in READERS)
