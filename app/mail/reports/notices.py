"""A notice for people: what of a message the server wrote itself, and what it says of whom.

Old and odd servers have no other form. What they return is cut off first: its words are ours.
"""

import re
from dataclasses import dataclass
from itertools import takewhile

from app.mail.reports.addresses import FOUND, tidy

LONGEST = 12_000  # characters of a notice that are read

_RETURNED = (
    "received return-path mime-version dkim-signature x-mailer content-type message-id"
    " from to subject date delivered-to reply-to sender content-transfer-encoding list-unsubscribe"
)
_HEADER = re.compile(
    rf"[ \t>|]{{0,6}}({'|'.join(_RETURNED.split())}|x-[\w-]{{2,40}})[ \t]?:", re.IGNORECASE
)
_PROVES = frozenset(_RETURNED.split()[:6])  # no notice for people has these
_LINE = re.compile(
    r"[\s*>•<\"'(\[-]{0,12}[^\s<>()\[\],;:\"'@=]{1,128}@[\w-][\w.-]{0,200}[\s>\"')\].:;,-]"
)
_RCPT = re.compile(r"RCPT TO:\s{0,3}<?([^<>\s]{1,320})", re.IGNORECASE)
_HEADING = re.compile(
    r"(?i)(?:following|failed|undeliverable|rejected)\b[^\n]{0,60}(?:recipient|address|user)[^\n]{0,40}"
)
_SUBJECT = re.compile(
    r"[\s>*]{0,9}(subject|тема|тэма|betreff|objet|asunto|oggetto|temat|assunto|onderwerp|件名|主题|主旨)"
    r"\s?[:：]",
    re.IGNORECASE,
)
_STAFF = {
    *("postmaster", "abuse", "support", "helpdesk", "admin", "administrator", "mailer-daemon"),
    *("noreply", "no-reply", "hostmaster", "webmaster", "info", "help", "root", "security"),
}
_CODED = re.compile(r"(?<![\w.])(?:[45][0-7]\d[ \-:#]|#?[45]\.\d{1,3}\.\d{1,3}(?!\.?\d))")


@dataclass(frozen=True, slots=True)
class Notice:
    """What the server wrote, and the returned message from its header on ("" if there is none)."""

    written: str
    returned: str


@dataclass(frozen=True, slots=True)
class Passage:
    """What is written of one address."""

    address: str
    written: str


def notice(text: str) -> Notice:
    """Cut a text where the header of a returned message begins; leave out the message's subject."""
    lines = text[:LONGEST].split("\n")
    starts = (n for n, line in enumerate(lines) if _HEADER.match(line))
    end = next((n for n in starts if _is_header(lines[n : n + 14])), len(lines))
    written = [line for line in lines[:end] if not _SUBJECT.match(line)]
    return Notice("\n".join(written), "\n".join(map(_unquoted, lines[end:])))


def _unquoted(line: str) -> str:
    return line if line[:1].isspace() else line.lstrip(" >|")


def _is_header(lines: list[str]) -> bool:
    block = takewhile(lambda line: line.strip(" \t>|"), lines)
    names = [found[1].lower() for found in map(_HEADER.match, block) if found]
    return len(names) >= 3 and any(each in _PROVES for each in names)


def passages(written: str, not_of: frozenset[str]) -> list[Passage]:
    """Cut a notice at the lines that begin with an address; `not_of` are never recipients."""
    starts: list[tuple[int, str]] = []
    lines = written.split("\n")
    for number, line in enumerate(lines):
        begins = _LINE.match(line[:400] + " ")
        found = FOUND.search(line[:400]) if begins else _RCPT.search(line[:1000])
        if found:
            address = tidy(found[0] if begins else found[1])
            if address.lower() not in not_of and "@" in address:
                starts.append((number, address))
    ends = [*(number for number, _ in starts[1:]), len(lines)][: len(starts)]
    of_whom: dict[str, list[str]] = {}
    for (number, address), end in zip(starts, ends, strict=True):
        of_whom.setdefault(address, []).extend(lines[number:end])
    return [Passage(address, "\n".join(said)) for address, said in of_whom.items()][:200]


def any_addresses(written: str, not_of: frozenset[str]) -> list[str]:
    """List the addresses in a notice: those after "the following recipients", or else all."""
    heading = _HEADING.search(written[:LONGEST])
    after = written[heading.end() : LONGEST] if heading else ""
    found = (tidy(each) for each in FOUND.findall(after) or FOUND.findall(written[:LONGEST]))
    others = (each for each in found if each.lower() not in not_of and not _of_staff(each))
    return list(dict.fromkeys(others))[:50]


def _of_staff(address: str) -> bool:
    """Whether it is where notices tell people to ask."""
    return address.partition("@")[0].lower() in _STAFF


def coded(written: str) -> str:
    """Pick the lines that hold a code, with the one after each: they are what a server said."""
    lines = written.split("\n")
    wanted: list[str] = []
    for number, line in enumerate(lines):
        before = number > 0 and _CODED.search(lines[number - 1][:1000])
        if _CODED.search(line[:1000]) or (before and line.strip()):
            wanted.append(line)
    return "\n".join(wanted)


def passage_of(written: str, address: str) -> str:
    """Pick the passage of one address, or everything if it has none."""
    wanted = address.lower()
    found = (p.written for p in passages(written, frozenset()) if p.address.lower() == wanted)
    return next(found, written)
