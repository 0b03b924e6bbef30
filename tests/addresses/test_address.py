"""What is an address, what is none, and that neither is ever shown."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.addresses.address import (
    AddressHasHiddenCharacters,
    AddressHasName,
    AddressLooksLikeOption,
    AddressNotAscii,
    AddressQuoted,
    AddressRefused,
    AddressTooLong,
    AddressUnreachable,
    AddressWithoutDomain,
    EmailAddress,
)

LABEL = "d" * 63
LONGEST = f"{'l' * 64}@{LABEL}.{LABEL}.{'d' * 57}.org"

atoms = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
labels = st.from_regex(r"[a-z0-9]([a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """Draw the plain text of a valid ASCII address."""
    local = ".".join(draw(st.lists(atoms, min_size=1, max_size=3)))
    domain = ".".join(draw(st.lists(labels, min_size=1, max_size=3)))
    return f"x{local}@{domain}.example.org"


@pytest.mark.parametrize(
    ("typed", "wire", "canonical"),
    [
        ("ann@example.org", "ann@example.org", "ann@example.org"),
        ("Ann.B+News@Example.ORG", "Ann.B+News@example.org", "ann.b+news@example.org"),
        ("  ann@example.org ", "ann@example.org", "ann@example.org"),
        ("Postmaster@example.org", "Postmaster@example.org", "postmaster@example.org"),
        ("ann@news.example", "ann@news.example", "ann@news.example"),
        ("ann@почта.example", "ann@xn--80a1acny.example", "ann@xn--80a1acny.example"),
        ("ann@XN--80A1ACNY.example", "ann@xn--80a1acny.example", "ann@xn--80a1acny.example"),
        ("ann@example。org", "ann@example.org", "ann@example.org"),
        ("ann@ＥＸＡＭＰＬＥ.org", "ann@example.org", "ann@example.org"),
        ("a%b!c@example.org", "a%b!c@example.org", "a%b!c@example.org"),
        ("o'neil_{x}@example.com", "o'neil_{x}@example.com", "o'neil_{x}@example.com"),
        (LONGEST, LONGEST, LONGEST),
    ],
)
def test_address_is_kept_as_typed_with_its_domain_in_a_labels(
    typed: str, wire: str, canonical: str
) -> None:
    address = EmailAddress.parse(typed)
    assert (address.wire, address.canonical) == (wire, canonical)
    assert address.domain == wire.split("@")[1]


def test_longest_address_has_254_characters() -> None:
    assert len(LONGEST) == 254


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("ann@example.org\r\nBcc: bob@example.org", AddressHasHiddenCharacters),
        ("ann@example.org\n", AddressHasHiddenCharacters),
        ("\tann@example.org", AddressHasHiddenCharacters),
        ("ann@example.org\x00", AddressHasHiddenCharacters),
        ("ann\u200b@example.org", AddressHasHiddenCharacters),
        ("ann@exam\u00adple.org", AddressHasHiddenCharacters),
        ("ann@example.org\u2028", AddressHasHiddenCharacters),
        ("\u00a0ann@example.org", AddressHasHiddenCharacters),
        ("\u202eann@example.org", AddressHasHiddenCharacters),
        ("ann\ud800@example.org", AddressHasHiddenCharacters),
        ("an n@example.org", AddressHasHiddenCharacters),
        ("Ann <ann@example.org>", AddressHasName),
        ('"Ann" <ann@example.org>', AddressHasName),
        ("<ann@example.org>", AddressHasName),
        ('"an n"@example.org', AddressQuoted),
        ('"ann"@example.org', AddressQuoted),
        ("ann(comment)@example.org", AddressQuoted),
        ("ann@[127.0.0.1]", AddressQuoted),
        ("ann@[IPv6:::1]", AddressQuoted),
        ("", AddressWithoutDomain),
        ("ann", AddressWithoutDomain),
        ("ann@", AddressWithoutDomain),
        ("ann@localhost", AddressWithoutDomain),
        ("ann@example.org,bob@example.org", AddressWithoutDomain),
        ("ann@host.localhost", AddressUnreachable),
        ("ann@host.LOCAL", AddressUnreachable),
        ("ann@host.test", AddressUnreachable),
        ("ann@host.invalid", AddressUnreachable),
        ("ann@host.onion", AddressUnreachable),
        ("ірына@example.org", AddressNotAscii),
        ("aｎn@example.org", AddressNotAscii),
        ("-froot@example.org", AddressLooksLikeOption),
        ("l" * 65 + "@example.org", AddressTooLong),
        (LONGEST.replace(".org", "d.org"), AddressTooLong),
        ("ann@" + "d" * 400 + ".org", AddressTooLong),
        ("ann" * 1000, AddressTooLong),
        ("@example.org", AddressRefused),
        (".ann@example.org", AddressRefused),
        ("ann.@example.org", AddressRefused),
        ("an..n@example.org", AddressRefused),
        ("ann@example..org", AddressRefused),
        ("ann@.example.org", AddressRefused),
        ("ann@example.org.", AddressRefused),
        ("ann@-example.org", AddressRefused),
        ("ann@exam_ple.org", AddressRefused),
        ("ann@127.0.0.1", AddressRefused),
        ("ann@xn--a.org", AddressRefused),
        ("ann@" + "d" * 64 + ".org", AddressRefused),
        ("an,n@example.org", AddressRefused),
        ("ann@\u0338example.org", AddressRefused),
    ],
)
def test_what_is_no_address_is_refused_with_its_reason(
    typed: str, reason: type[AddressRefused]
) -> None:
    with pytest.raises(AddressRefused) as refused:
        EmailAddress.parse(typed)
    assert type(refused.value) is reason
    assert refused.value.__cause__ is None
    if typed:
        assert typed not in str(refused.value)


def test_every_reason_has_words_of_its_own() -> None:
    kinds: list[type[AddressRefused]] = [AddressRefused, *AddressRefused.__subclasses__()]
    assert len({str(kind()) for kind in kinds}) == len(kinds)


@given(addresses())
def test_valid_addresses_pass_and_are_their_own_spelling(typed: str) -> None:
    address = EmailAddress.parse(typed)
    assert address.wire == typed
    assert EmailAddress.parse(address.wire) == address
    assert EmailAddress.parse(typed.upper()).canonical == address.canonical


@given(st.text() | st.tuples(st.text(), st.text()).map("@".join))
@example("a@ß.example")
@example("a@İ.example")
@example("a@\u0345.example")
@example("a@xn--.example")
@example("a@\U0001f4ec.example")
def test_any_text_becomes_an_address_safe_on_the_wire_or_is_refused(typed: str) -> None:
    try:
        wire = EmailAddress.parse(typed).wire
    except AddressRefused:
        return
    assert wire.isascii()
    assert wire.isprintable()
    assert not set(wire) & set(' <>()[]",:;\\')
    assert len(wire) <= 254


@given(st.text())
def test_an_address_made_without_parsing_is_checked_too(text: str) -> None:
    for wire in (text, f"{text}@example.org", f"ann@{text}.org", f"ann@example.org{text}"):
        try:
            address = EmailAddress(wire)
        except AddressRefused:
            continue
        assert EmailAddress(address.wire.lower()).canonical == wire.lower()
        assert wire.isascii()
        assert not set(wire) & set(" \r\n\0<>")


@pytest.mark.parametrize("wire", ["ann@example.org\n", "ann@Example.org", "-a@example.org", "a@b"])
def test_wire_form_is_exact(wire: str) -> None:
    with pytest.raises(AddressRefused):
        EmailAddress(wire)


def test_an_address_never_shows_itself() -> None:
    address = EmailAddress.parse("ann@example.org")
    for shown in (
        str(address),
        repr(address),
        f"{address}",
        f"{address!r}",
        f"{[address]}",
        "%s" % address,  # noqa: UP031 - the log's way of formatting
    ):
        assert "ann" not in shown
        assert "example" not in shown
