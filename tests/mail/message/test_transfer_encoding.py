"""Bodies are 7-bit, short-lined, dotless at line starts, and decode to what was written."""

import base64
import quopri

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.mail.message.placeholders import marker
from app.mail.message.transfer_encoding import TextUnsafe, body, in_base64, in_quoted_printable

TEXTS = st.lists(
    st.sampled_from(["a", "Ў", "🌍", " ", "\t", ".", "=", "\n", "From ", "--", marker("a", 30)])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.integers(1, 120).map(lambda n: "w" * n),
    max_size=30,
).map("".join)


def canonical(text: str) -> bytes:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()


def assert_fit_for_the_wire(data: bytes) -> None:
    lines = data.split(b"\r\n")
    assert all(len(line) <= 76 for line in lines)
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert set(data) <= set(range(33, 127)) | set(b" \t\r\n")


@given(TEXTS)
@example("a" * 75 + " ")
@example("a" * 76)
@example("a" * 75 + ".b")
@example("a" * 75 + "From the top of the page")
def test_quoted_printable_decodes_to_the_text(text: str) -> None:
    data = in_quoted_printable(canonical(text)).data
    assert_fit_for_the_wire(data)
    assert quopri.decodestring(data) == canonical(text)


@given(TEXTS)
def test_base64_decodes_to_the_text(text: str) -> None:
    data = in_base64(canonical(text)).data
    assert_fit_for_the_wire(data)
    assert base64.b64decode(data) == canonical(text)


@given(TEXTS)
def test_blocks_never_overlap_and_cover_their_encoded_bytes(text: str) -> None:
    for encoded in (in_base64(canonical(text)), in_quoted_printable(canonical(text))):
        position = 0
        for block in encoded.blocks:
            said = block.encode({"a": marker("a", 30).encode()})
            for start, stop in block.spans:
                assert position <= start < stop <= len(encoded.data)
                position = stop
            assert b"".join(encoded.data[start:stop] for start, stop in block.spans) == said


def test_english_is_quoted_printable_and_cyrillic_base64() -> None:
    assert body("The situation has gotten better — “much” better.\n" * 9)[0] == "quoted-printable"
    assert body("Сітуацыя палепшылася.\n" * 9)[0] == "base64"
    assert body("")[0] == "quoted-printable"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_a_lone_surrogate_is_refused(text: str) -> None:
    with pytest.raises(TextUnsafe):
        body(text)
