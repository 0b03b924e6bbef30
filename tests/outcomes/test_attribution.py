"""Whose it is: what we signed belongs to us, in whatever case and place; nothing else does."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.ledger.message_kinds import ISSUE
from app.mail.classification import Class, Verdict
from app.mail.reports import Report
from app.outcomes.attribution import Attribution, Message, TokenReader
from app.outcomes.evidence import Evidence
from app.tokens import LinkTokens
from tests.support.builders import NEWSLETTER

LINKS = LinkTokens({1: b"a" * 32 + b"b" * 32}, 1)
FOREIGN = LinkTokens({1: b"x" * 32 + b"y" * 32}, 1)
SIGNS = TokenReader(LINKS, "back.example.org", "lists.example.org", NEWSLETTER)
LINK = bytes(range(8))
MESSAGE = Message(LINK, ISSUE, "be-ru", 202504)
PATH = LINKS.return_path(LINK, 202504, "be-ru")
MESSAGE_ID = LINKS.message_id(LINK, 202504, "be-ru")
BARE = Report(Verdict(Class.HARD, "unknown"))


def of(**places: tuple[str, ...]) -> Message | None:
    found = attribution(**places)
    return found.message if found else None


def attribution(**places: tuple[str, ...]) -> Attribution | None:
    return SIGNS.attribute(dataclasses.replace(BARE, **places))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "report",
    [
        {"return_paths": (f"{PATH}@back.example.org",)},
        {"return_paths": ("news@example.org", f"{PATH.upper()}@BACK.example.org")},
        {"envelope_ids": (PATH,)},
        {"envelope_ids": (f"{PATH}@back.example.org",)},
        {"message_ids": (f"<{MESSAGE_ID}@lists.example.org>",)},
        {"message_ids": ("<other@example.com>", f"<{MESSAGE_ID}@Lists.example.org>")},
    ],
)
def test_what_we_signed_is_ours(report: dict[str, tuple[str, ...]]) -> None:
    assert of(**report) == MESSAGE


def test_the_return_path_comes_first() -> None:
    other = LINKS.return_path(b"another!", 202505, "en")
    found = of(
        message_ids=(f"<{MESSAGE_ID}@lists.example.org>",),
        return_paths=(f"{other}@back.example.org",),
    )
    assert found == Message(b"another!", ISSUE, "en", 202505)


def test_each_place_proves_what_it_can() -> None:
    path, forwarded = f"{PATH}@back.example.org", f"<{MESSAGE_ID}@lists.example.org>"
    assert attribution(return_paths=(path,)) == (MESSAGE, Evidence.RETURN_PATH)
    assert attribution(envelope_ids=(PATH,)) == (MESSAGE, Evidence.RETURN_PATH)
    assert attribution(message_ids=(forwarded,)) == (MESSAGE, Evidence.MESSAGE_ID)
    both = attribution(return_paths=(path,), message_ids=(forwarded,))
    assert both == (MESSAGE, Evidence.RETURN_PATH)


def test_a_service_message_has_its_kind() -> None:
    path = LINKS.return_path(LINK, 0xABCDEF, "confirmation")
    found = of(return_paths=(f"{path}@back.example.org",))
    assert found == Message(LINK, "confirmation", "confirmation", 0xABCDEF)


FORGED = FOREIGN.return_path(LINK, 202504, "be-ru")


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"return_paths": (f"{PATH}@example.org",)},
        {"return_paths": (f"{FORGED}@back.example.org",)},
        {"return_paths": (f"{PATH[:-1]}@back.example.org", "@", "", "b-@back.example.org")},
        {"return_paths": (f"{LINKS.return_path(LINK, 202504, 'gone')}@back.example.org",)},
        {"return_paths": (f"{LINKS.return_path(LINK, 202499, 'en')}@back.example.org",)},
        {"message_ids": (f"<{FOREIGN.message_id(LINK, 202504, 'en')}@lists.example.org>",)},
        {"message_ids": (f"<{MESSAGE_ID}@lists.example.com>", "<>", "@")},
        # One purpose each: what stands in a link or a header is no return path, and no other way.
        {"return_paths": (f"{MESSAGE_ID}@back.example.org",)},
        {"message_ids": (f"<{LINKS.unsubscribe(LINK, 202504, 'be-ru')}@lists.example.org>",)},
    ],
)
def test_everything_else_is_foreign(report: dict[str, tuple[str, ...]]) -> None:
    assert of(**report) is None


@given(st.lists(st.text()), st.lists(st.text()), st.lists(st.text()))
def test_nothing_that_is_guessed_is_ours(
    paths: list[str], envelopes: list[str], ids: list[str]
) -> None:
    found = of(
        return_paths=(*paths, *(f"{each}@back.example.org" for each in paths)),
        envelope_ids=tuple(envelopes),
        message_ids=tuple(f"<{each}@lists.example.org>" for each in ids),
    )
    assert found is None
