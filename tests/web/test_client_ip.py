"""Whose request it is: told by the connection and by our own proxies, and by nobody else."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from app.settings import Networks
from app.web.client_ip import Callers, prefix

LOOPBACK = Networks((ip_network("127.0.0.0/8"), ip_network("::1")))
PROXIES = Networks((ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")))
BEHIND = Callers(PROXIES, "X-Forwarded-For", LOOPBACK)
BEHIND_FORWARDED = Callers(PROXIES, "Forwarded", LOOPBACK)
ALONE = Callers(Networks(), "X-Forwarded-For", LOOPBACK)

addresses = st.ip_addresses().filter(lambda a: not PROXIES.hold(a)).map(str)
proxies = st.sampled_from(["10.0.0.1", "10.9.9.9", "2001:db8:1::7", "::ffff:10.0.0.2"])
junk = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=","))


def request(peer: str | None, *headers: tuple[str, str]) -> Scope:
    return {
        "type": "http",
        "client": None if peer is None else (peer, 4711),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }


def client(callers: Callers, peer: str | None, *headers: tuple[str, str]) -> str:
    return prefix(callers.client(request(peer, *headers)))


def test_without_a_proxy_it_is_the_peer_whatever_it_says() -> None:
    said = [("X-Forwarded-For", "198.51.100.1"), ("Forwarded", "for=198.51.100.2")]
    assert client(ALONE, "203.0.113.9", *said) == "203.0.113.9"
    assert client(BEHIND, "203.0.113.9", *said) == "203.0.113.9"


@given(st.lists(st.one_of(addresses, proxies, junk), max_size=4), addresses, proxies)
def test_whatever_the_client_wrote_it_is_whom_the_proxy_saw(
    written: Sequence[str], seen: str, proxy: str
) -> None:
    hops = ", ".join([*written, seen])
    expected = prefix(ip_address(seen))
    mapped = getattr(ip_address(seen), "ipv4_mapped", None)
    if mapped:
        expected = str(mapped)
        if PROXIES.hold(mapped):
            return
    assert client(BEHIND, proxy, ("X-Forwarded-For", hops)) == expected
    other = ("Forwarded", f"for={'[' + seen + ']' if ':' in seen else seen}")
    assert client(BEHIND, proxy, other, ("X-Forwarded-For", hops)) == expected


@pytest.mark.parametrize(
    ("hops", "seen"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["1.1.1.1", "198.51.100.7", "10.2.2.2"], "198.51.100.7"),
        (["198.51.100.7, 10.2.2.2", "10.3.3.3"], "198.51.100.7"),
        (["198.51.100.7:5555"], "198.51.100.7"),
        (["[2001:db8:2::1]:443"], "2001:db8:2::/56"),
        (["2001:db8:2:1ff:ffff::1"], "2001:db8:2:100::/56"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["fe80::1%eth0"], "fe80::/56"),
        (["10.2.2.2"], "10.2.2.2"),  # our own machines all the way
        ([], "10.0.0.1"),
        ([""], "10.0.0.1"),
        (["198.51.100.7, unknown"], "None"),  # what cannot be told is counted together
        (["198.51.100.7, "], "None"),
        (["127.0.0.1, x'y"], "None"),
    ],
)
def test_the_first_hop_from_the_right_that_is_no_proxy(hops: list[str], seen: str) -> None:
    headers = [("X-Forwarded-For", line) for line in hops]
    assert client(BEHIND, "10.0.0.1", *headers) == seen


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("for=198.51.100.7", "198.51.100.7"),
        ('For="[2001:db8:2::1]:47011";proto=https;by=10.0.0.1', "2001:db8:2::/56"),
        ('for=1.1.1.1, for="198.51.100.7:80";host="a,b"', "198.51.100.7"),
        ("for=198.51.100.7, for=10.2.2.2", "198.51.100.7"),
        ("for=198.51.100.7, for=_hidden", "None"),
        ("for=198.51.100.7, for=unknown", "None"),
        ("for=198.51.100.7, proto=https", "None"),
        ('for="198.51.100.7', "None"),
    ],
)
def test_the_standard_header_is_read_the_same_way(forwarded: str, seen: str) -> None:
    assert client(BEHIND_FORWARDED, "10.0.0.1", ("Forwarded", forwarded)) == seen


def test_only_the_header_that_the_proxy_writes_is_read() -> None:
    forged = ("X-Forwarded-For", "127.0.0.1")
    said = ("Forwarded", "for=198.51.100.7")
    assert client(BEHIND_FORWARDED, "10.0.0.1", forged, said) == "198.51.100.7"
    assert client(BEHIND_FORWARDED, "10.0.0.1", forged) == "10.0.0.1"


def test_one_household_is_one_client_and_two_are_two() -> None:
    assert client(ALONE, "2001:db8:2:0:1::1") == client(ALONE, "2001:db8:2:ff:2::2")
    assert client(ALONE, "2001:db8:2:0:1::1") != client(ALONE, "2001:db8:2:100:1::1")
    assert client(ALONE, "198.51.100.7") != client(ALONE, "198.51.100.8")
    assert client(ALONE, None) == client(ALONE, "@") == "None"


def trusted(callers: Callers, peer: str | None, *headers: tuple[str, str]) -> bool:
    scope = request(peer, *headers)
    return callers.is_trusted(scope, callers.client(scope))


def test_trust_is_in_the_client_and_not_in_what_it_says() -> None:
    assert trusted(ALONE, "127.0.0.1")
    assert trusted(ALONE, "::1")
    assert not trusted(ALONE, "198.51.100.7")
    assert not trusted(ALONE, None)
    assert not trusted(ALONE, "198.51.100.7", ("X-Forwarded-For", "127.0.0.1"))
    assert not trusted(BEHIND, "10.0.0.1", ("X-Forwarded-For", "127.0.0.1, 198.51.100.7"))
    assert trusted(BEHIND, "10.0.0.1", ("X-Forwarded-For", "198.51.100.7, 127.0.0.1"))


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_proxy_that_nobody_told_us_of_trusts_nobody_into_it(header: str) -> None:
    assert not trusted(ALONE, "127.0.0.1", (header, "for=198.51.100.7"))


@pytest.mark.parametrize(
    "headers", [(), (("X-Forwarded-For", ""),), (("X-Forwarded-For", "127.0.0.1"),)]
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_proxy_is_never_a_trusted_client_itself(
    peer: str, headers: tuple[tuple[str, str], ...]
) -> None:
    """Whoever it forgot to name would be served as a trusted program of this machine."""
    callers = Callers(LOOPBACK, "X-Forwarded-For", LOOPBACK)
    assert not trusted(callers, peer, *headers)
    website = Networks((*LOOPBACK, ip_network("192.0.2.7")))
    callers = Callers(LOOPBACK, "X-Forwarded-For", website)
    assert trusted(callers, peer, ("X-Forwarded-For", "192.0.2.7"))
