"""Tokens open for what they were made for, in the one spelling they were made in."""

import re
import string
from base64 import b32encode, urlsafe_b64decode
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.newsletter import MOST_NUMBERED
from app.tokens import (
    LANGUAGE_BITS,
    LinkFacts,
    LinkTokens,
    LinkUnknown,
    derive_token,
    fingerprint,
    message_id,
    new_id,
    new_link_id,
    segment_code,
)

LINKS = LinkTokens({1: b"a" * 32 + b"b" * 32}, 1)
ROTATED = LinkTokens({1: b"a" * 32 + b"b" * 32, 7: b"c" * 32 + b"d" * 32}, 7)
FOREIGN = LinkTokens({1: b"x" * 32 + b"y" * 32}, 1)
LINK = bytes(range(8))
TOKEN = LINKS.unsubscribe(LINK, 202504, "be-ru")
PATH = LINKS.return_path(LINK, 202504, "be-ru")
SECRET = b"s" * 32
DERIVED = derive_token(SECRET, "confirm", b"nonce")

BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
BASE32 = string.ascii_lowercase + "234567"

link_ids = st.binary(min_size=8, max_size=8)
weeks = st.integers(0, 0xFFFFF)
languages = st.integers(0, 15)


@given(link_ids, weeks, st.text(), languages)
def test_link_tokens_tell_what_they_were_made_of(
    link_id: bytes, week: int, segment: str, language: int
) -> None:
    facts = LinkFacts(link_id, week, segment_code(segment))
    for links in (LINKS, ROTATED):
        token = links.unsubscribe(link_id, week, segment, language)
        assert links.open_unsubscribe(token) == facts._replace(language=language)
        assert links.open_return_path(links.return_path(link_id, week, segment)) == facts


@given(link_ids, weeks, st.text())
def test_link_tokens_have_one_length_and_plain_characters(
    link_id: bytes, week: int, segment: str
) -> None:
    """No hyphen at the end of a link: some mail programs leave it out when they mark up text."""
    token = LINKS.unsubscribe(link_id, week, segment)
    assert re.fullmatch(r"[A-Za-z0-9_-]{39}[A-Za-z0-9]", token, re.ASCII)
    path = LINKS.return_path(link_id, week, segment)
    assert re.fullmatch(r"b-[a-z2-7]{48}", path, re.ASCII)


def test_link_tokens_repeat_and_share_nothing() -> None:
    assert LINKS.unsubscribe(LINK, 202504, "be-ru") == TOKEN
    others = {
        LINKS.unsubscribe(LINK, 202505, "be-ru"),
        LINKS.unsubscribe(LINK, 202504, "en"),
        LINKS.unsubscribe(LINK[::-1], 202504, "be-ru"),
        ROTATED.unsubscribe(LINK, 202504, "be-ru"),
        TOKEN,
    }
    assert len(others) == 5
    # Beside the key's id in the last characters, nothing in one place is alike.
    assert len({token[:8] for token in others} | {token[20:28] for token in others}) == 10


def test_links_of_old_messages_open_after_a_rotation() -> None:
    assert ROTATED.open_unsubscribe(TOKEN) == LINKS.open_unsubscribe(TOKEN)
    assert ROTATED.open_return_path(PATH) == LINKS.open_return_path(PATH)
    with pytest.raises(LinkUnknown):
        LINKS.open_unsubscribe(ROTATED.unsubscribe(LINK, 202504, "be-ru"))


def test_another_installation_opens_nothing() -> None:
    with pytest.raises(LinkUnknown):
        FOREIGN.open_unsubscribe(TOKEN)
    with pytest.raises(LinkUnknown):
        FOREIGN.open_return_path(PATH)


def with_one_other_character(text: str, alphabet: str) -> Iterator[str]:
    """Yield every text that differs from `text` in one place."""
    for at, character in enumerate(text):
        for other in set(alphabet) - {character}:
            yield text[:at] + other + text[at + 1 :]


def test_every_character_of_an_unsubscribe_token_counts() -> None:
    for token in with_one_other_character(TOKEN, BASE64 + "=+/ .é\n"):
        with pytest.raises(LinkUnknown):
            LINKS.open_unsubscribe(token)


def test_every_character_of_a_return_path_counts() -> None:
    for path in with_one_other_character(PATH, BASE32 + string.ascii_uppercase + "01=-.é\n"):
        with pytest.raises(LinkUnknown):
            LINKS.open_return_path(path)


def test_every_bit_counts() -> None:
    for bit in range(30 * 8):
        changed = bytearray(LINKS._made(b"unsubscribe", LINK, 202504, "en"))
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(LinkUnknown):
            LINKS._opened(b"unsubscribe", bytes(changed))


def test_purposes_never_cross() -> None:
    """The same bytes in the other's spelling are refused: the purpose is in the encryption."""
    as_unsubscribe = LINKS._made(b"unsubscribe", LINK, 202504, "en")
    with pytest.raises(LinkUnknown):
        LINKS._opened(b"return-path", as_unsubscribe)
    for text in (TOKEN, PATH, PATH[2:], DERIVED, DERIVED[:40]):
        if text != TOKEN:
            with pytest.raises(LinkUnknown):
                LINKS.open_unsubscribe(text)
        if text != PATH:
            with pytest.raises(LinkUnknown):
                LINKS.open_return_path(text)
    assert fingerprint("confirm", DERIVED) != fingerprint("manage", DERIVED)
    assert derive_token(SECRET, "manage", b"nonce") != DERIVED


@given(st.text() | st.text(BASE64, min_size=38, max_size=44) | st.text(BASE32 + "-", min_size=48))
def test_no_text_raises_anything_but_an_unknown_link(text: str) -> None:
    for candidate in (
        text,
        TOKEN + text,
        text + TOKEN,
        PATH + text,
        "b-" + text,
        TOKEN[:-1] + text,
    ):
        if candidate not in (TOKEN, PATH):
            with pytest.raises(LinkUnknown):
                LINKS.open_unsubscribe(candidate)
            with pytest.raises(LinkUnknown):
                LINKS.open_return_path(candidate)
    if len(text) != 43:
        with pytest.raises(LinkUnknown):
            fingerprint("confirm", text)


@pytest.mark.parametrize(
    ("link_id", "week"), [(b"", 202504), (b"l" * 9, 202504), (LINK, -1), (LINK, 1 << 24)]
)
def test_only_what_fits_is_put_into_a_token(link_id: bytes, week: int) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        LINKS.return_path(link_id, week, "en")


@pytest.mark.parametrize(("week", "language"), [(-1, 0), (1 << 20, 0), (202504, -1), (202504, 16)])
def test_an_unsubscribe_token_has_room_for_a_week_and_a_language(week: int, language: int) -> None:
    assert LINKS.open_unsubscribe(LINKS.unsubscribe(LINK, 999953, "en", 15)).week == 999953
    with pytest.raises(ValueError, match="20 bits"):
        LINKS.unsubscribe(LINK, week, "en", language)


@given(st.binary(), st.text(), st.binary())
def test_derived_tokens_repeat_and_have_a_fingerprint(
    secret: bytes, purpose: str, nonce: bytes
) -> None:
    token = derive_token(secret, purpose, nonce)
    assert token == derive_token(secret, purpose, nonce)
    assert re.fullmatch(r"[A-Za-z0-9_-]{42}[A-Za-z0-9]", token, re.ASCII)
    assert len(fingerprint(purpose, token)) == 32
    assert fingerprint(purpose, token) == fingerprint(purpose, token)


def test_derived_tokens_depend_on_all_they_are_derived_from() -> None:
    tokens = {
        DERIVED,
        derive_token(b"t" * 32, "confirm", b"nonce"),
        derive_token(SECRET, "confirm", b"other"),
        derive_token(SECRET, "confir", b"mnonce"),
        derive_token(SECRET, "confirmn", b"once"),
    }
    assert len(tokens) == 5
    assert len({fingerprint("confirm", token) for token in tokens}) == 5


def test_a_derived_token_has_one_spelling() -> None:
    """base64 ignores the last two bits, so three other spellings would decode to the same."""
    for last in set(BASE64) - {DERIVED[-1]}:
        token = DERIVED[:-1] + last
        if BASE64.index(last) % 4:
            with pytest.raises(LinkUnknown):
                fingerprint("confirm", token)
        else:
            assert fingerprint("confirm", token) != fingerprint("confirm", DERIVED)


@pytest.mark.parametrize("text", ["", DERIVED[:-1], DERIVED + "A", DERIVED[:-1] + "=", "é" * 43])
def test_what_is_no_derived_token_has_no_fingerprint(text: str) -> None:
    with pytest.raises(LinkUnknown):
        fingerprint("confirm", text)


def test_a_message_id_repeats_and_tells_nothing() -> None:
    first = message_id(SECRET, "delivery", b"\1" * 16)
    assert first == message_id(SECRET, "delivery", b"\1" * 16)
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    others = {
        first,
        message_id(b"t" * 32, "delivery", b"\1" * 16),
        message_id(SECRET, "delivery", b"\2" * 16),
        message_id(SECRET, "deliver", b"y" + b"\1" * 16),
        message_id(SECRET, b"delivery" + b"\1" * 16),
        message_id(SECRET, b"\1" * 16, "delivery"),
    }
    assert len(others) == 6


def test_a_message_id_in_another_spelling_is_no_return_path() -> None:
    """Every forward carries it: it must not prove what only the envelope can."""
    made = urlsafe_b64decode(LINKS.message_id(LINK, 202504, "be-ru"))
    with pytest.raises(LinkUnknown):
        LINKS.open_return_path("b-" + b32encode(made).decode("ascii").lower())


def test_an_unknown_link_says_nothing_of_what_was_tried() -> None:
    with pytest.raises(LinkUnknown) as unknown:
        LINKS.open_unsubscribe("a-token-somebody-tried")
    assert str(unknown.value) == "This link is not valid."
    assert unknown.value.__cause__ is None


def test_ids_are_random() -> None:
    assert {len(new_id()), len(new_link_id())} == {16, 8}
    assert len({new_id() for _ in range(100)}) == 100
    assert len({new_link_id() for _ in range(100)}) == 100


@given(link_ids, st.binary(min_size=16, max_size=16), st.binary(min_size=33, max_size=33))
def test_never_again_tells_whose_it_is_and_what_to_keep(
    link_id: bytes, nonce: bytes, index: bytes
) -> None:
    token = LINKS.never(link_id, nonce, index)
    assert re.fullmatch(r"[A-Za-z0-9_-]{81}[A-Za-z0-9]", token, re.ASCII)
    for links in (LINKS, ROTATED):
        assert links.open_never(token) == (link_id, index)
    assert LINKS.never(link_id, nonce, index) == token
    assert LINKS.never(link_id, bytes(3) if nonce[:3] != bytes(3) else b"abc", index) != token


NEVER = LINKS.never(LINK, b"nonce", b"i" * 33)


@pytest.mark.parametrize(
    "token", ["", TOKEN, PATH, DERIVED, NEVER[:-1], NEVER + "A", "é" * 82, "A" * 82]
)
def test_never_again_takes_nothing_else(token: str) -> None:
    with pytest.raises(LinkUnknown):
        LINKS.open_never(token)
    with pytest.raises(LinkUnknown):
        FOREIGN.open_never(NEVER)
    for other in (LINKS.open_unsubscribe, LINKS.open_return_path):
        with pytest.raises(LinkUnknown):
            other(NEVER)


def test_every_language_that_a_newsletter_numbers_fits_into_a_token() -> None:
    assert MOST_NUMBERED < 1 << LANGUAGE_BITS
