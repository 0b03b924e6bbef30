"""What DNS says of a domain's mail: what is missing is written as it would have to be published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.mail.dkim.dkim_keys import create_dkim_key
from app.mail.dns_records import Grade, bounces, dkim, dmarc, spf


@dataclass
class Zone:
    """A small DNS."""

    txt: Mapping[str, Sequence[str]] = field(default_factory=dict)
    mx: Mapping[str, Sequence[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        self.asked.append(name)
        return list(self.txt.get(name, ()))

    def exchangers(self, name: str) -> list[str]:
        return list(self.mx.get(name, ()))


DEEP = {
    f"s{number}.example.org": [f"v=spf1 include:s{number + 1}.example.org"] for number in range(20)
}


def test_a_relay_on_this_machine_has_an_address_to_fill_in() -> None:
    said = spf(Zone({}), "example.org", [])
    assert 'example.org TXT "v=spf1 ip4:ADDRESS_OF_YOUR_SERVER ~all"' in said.sentence


@pytest.mark.parametrize(
    ("records", "grade", "words"),
    [
        ([], Grade.MISSING, 'example.org TXT "v=spf1 a:relay.example.net ~all"'),
        (["google-site-verification=x", "v=spf10 -all"], Grade.MISSING, "no SPF record"),
        (["v=spf1 mx -all"], Grade.GOOD, ""),
        (["V=SPF1 include:_spf.example.net ~all"], Grade.GOOD, ""),
        (["v=spf1 -all", "v=spf1 ~all"], Grade.WRONG, "2 SPF records"),
        (["v=spf1 +all"], Grade.WRONG, "everyone"),
        (["v=spf1 mx all"], Grade.WRONG, "everyone"),
        (["v=spf1 include:s0.example.org -all"], Grade.WRONG, "over 10"),
        (["v=spf1 include:loop.example.org -all"], Grade.GOOD, ""),
    ],
)
def test_spf(records: list[str], grade: Grade, words: str) -> None:
    loop = {"loop.example.org": ["v=spf1 include:loop.example.org"]}
    said = spf(Zone({"example.org": records, **DEEP, **loop}), "example.org", ["relay.example.net"])
    assert said.grade is grade
    assert words in said.sentence


def test_spf_that_never_ends_is_not_followed_for_ever() -> None:
    zone = Zone({"example.org": ["v=spf1 include:s0.example.org"], **DEEP})
    spf(zone, "example.org", [])
    assert len(zone.asked) < 15


@pytest.mark.parametrize(
    ("records", "grade", "words"),
    [
        ({}, Grade.MISSING, '_dmarc.news.example.org TXT "v=DMARC1; p=none;'),
        ({"_dmarc.news.example.org": ["v=DMARC1; p=reject"]}, Grade.GOOD, "p=reject"),
        (
            {"_dmarc.example.org": ["v=DMARC1;p=quarantine;sp=none"]},
            Grade.GOOD,
            "_dmarc.example.org",
        ),
        ({"_dmarc.example.org": ["v=DMARC1; p=maybe"]}, Grade.WRONG, "no valid p="),
        ({"_dmarc.example.org": ["v=DMARC1; p=none"] * 2}, Grade.WRONG, "several"),
        ({"_dmarc.org": ["v=DMARC1; p=none"]}, Grade.MISSING, ""),
        ({"_dmarc.example.org": ["v=DMARC10; p=none"]}, Grade.MISSING, ""),
    ],
)
def test_dmarc_is_looked_for_up_the_tree(
    records: dict[str, list[str]], grade: Grade, words: str
) -> None:
    said = dmarc(Zone(records), "news.example.org")
    assert said.grade is grade
    assert words in said.sentence


def test_a_name_of_many_labels_is_not_asked_for_ever() -> None:
    zone = Zone()
    dmarc(zone, ".".join(["a"] * 30) + ".example.org")
    assert len(zone.asked) <= 8


def test_our_dkim_keys_are_compared_with_what_is_published(tmp_path: Path) -> None:
    key = create_dkim_key(tmp_path, "a1", "rsa", "example.org")
    other = create_dkim_key(tmp_path, "a2", "rsa", "example.org")
    parted = key.record.replace("p=", "p= ").replace("; ", ";")
    grades = {
        None: Grade.MISSING,
        key.record: Grade.GOOD,
        parted: Grade.GOOD,
        other.record: Grade.WRONG,
        "v=DKIM1; p=": Grade.WRONG,
    }
    for record, grade in grades.items():
        zone = Zone({key.record_name: [record]} if record else {})
        said = dkim(zone, key)
        assert said.grade is grade
        assert (key.record in said.sentence) is (grade is not Grade.GOOD)


@pytest.mark.parametrize(
    ("hosts", "grade"),
    [([], Grade.MISSING), (["."], Grade.WRONG), (["mx.example.org."], Grade.GOOD)],
)
def test_bounces_need_a_way_back(hosts: list[str], grade: Grade) -> None:
    assert bounces(Zone(mx={"example.org": hosts}), "example.org").grade is grade
