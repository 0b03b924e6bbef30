"""The self-check: reads a compiled message back with a parser that is not ours.

A mailing starts only if a message of each of its editions differs in nothing from what mailboxes
and their providers demand (RFC 5322, 2045-2047, 2369, 2919, 8058).
"""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from html import unescape
from urllib.parse import urlsplit

from app.mail.message.inline_images import KINDS, LARGEST_ALL

ONCE = ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type")
OF_A_LIST = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post")
AT_MOST_ONCE = (
    *("Reply-To", "Sender", "Content-Language", "Content-Transfer-Encoding", "Feedback-ID"),
    *("List-Help", "List-Subscribe", "List-Owner", "List-Archive", "List-Post"),
    *("Auto-Submitted", "Precedence"),
)
LARGEST_HTML = 95_000  # bytes: Gmail cuts a longer one
LONGEST_LINE = 998
LONGEST_ENCODED_LINE = 76  # RFC 2045 §6.7, §6.8, RFC 2047 §2
LONGEST_ID = 78  # with its header's name still on one line

_ENCODED_WORD = re.compile(rb"=\?[!->@-~]+\?[bq]\?[!->@-~]*\?=", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(rb"^List-Unsubscribe: <(https?://[!-+\--;=?-~]+)>\r$", re.MULTILINE)
_MAY_BE_ENCODED = re.compile(rb"(?:Subject|From|To|Sender|Reply-To):", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>")
_LIST_ID = re.compile(r"(?:[^<>]* )?<[A-Za-z0-9.-]+>")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN = re.compile(r"""["'(]cid:([^"')]*)""")
_MARKER = "vestka-slot-"


def check_message(
    raw: bytes,
    *,
    listed: bool = True,
    subject: str | None = None,
    text: str | None = None,
    html: str | None = None,
) -> tuple[str, ...]:
    """Give what is wrong with a filled message, in sentences without addresses; empty if nothing.

    `listed`: a message of an issue, which must offer one-click unsubscribing. `subject`, `text` and
    `html` are what must be read back, where given.
    """
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what policy.default makes
    return (
        *_lines(raw),
        *_headers(message, listed=listed),
        *_values(message),
        *(_list_headers(raw, message) if listed else ()),
        *_encoded_words(raw),
        *_parts(message, _unsubscribe_uri(raw) if listed else None),
        *_read_back(message, subject, text, html),
    )


def _lines(raw: bytes) -> Iterator[str]:
    if re.search(rb"(?<!\r)\n|\r(?!\n)", raw):
        yield "A line ends with a bare CR or LF."
    if re.search(rb"[^\t\r\n -~]", raw):
        yield "The message is not 7-bit, or holds control characters."
    if any(len(line) > LONGEST_LINE for line in raw.split(b"\r\n")):
        yield f"A line is longer than {LONGEST_LINE} octets."
    if not raw.endswith(b"\r\n"):
        yield "The message does not end with a line end."
    if _MARKER.encode() in raw:
        yield "A slot is not filled."


def _headers(message: EmailMessage, *, listed: bool) -> Iterator[str]:
    needed = (*ONCE, *(OF_A_LIST if listed else ()))
    for name in needed:
        if len(message.get_all(name, [])) != 1:
            yield f"{name} is not there exactly once."
    known = {name.lower() for name in (*ONCE, *OF_A_LIST, *AT_MOST_ONCE)}
    seen = [name.lower() for name in message.keys()]  # noqa: SIM118 - repeats are wanted
    for name in sorted(set(seen) - {needful.lower() for needful in needed}):
        if name not in known and name != "dkim-signature":
            yield "There is a header that no message of ours carries."
        elif seen.count(name) > 1 and name != "dkim-signature":
            yield f"{name} is there more than once."


def _values(message: EmailMessage) -> Iterator[str]:
    for name in ("From", "To"):
        addresses = [address for _, address in getaddresses(message.get_all(name, []))]
        if len(addresses) != 1 or addresses[0].count("@") != 1 or not addresses[0].isascii():
            yield f"{name} is not one address."
    if not _is_a_date(str(message["Date"])):
        yield "Date is not a date with a time zone."
    message_id = str(message["Message-ID"])
    if not _MESSAGE_ID.fullmatch(message_id) or len(message_id) >= LONGEST_ID:
        yield "Message-ID is malformed or too long."
    if not str(message["Subject"] or "").strip():
        yield "Subject is empty."


def _is_a_date(text: str) -> bool:
    try:
        return parsedate_to_datetime(text).tzinfo is not None
    except ValueError:
        return False


def _list_headers(raw: bytes, message: EmailMessage) -> Iterator[str]:
    if not _LIST_ID.fullmatch(str(message["List-Id"])):
        yield "List-Id is malformed."
    if str(message["List-Unsubscribe-Post"]) != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post does not offer one click."
    uri = _unsubscribe_uri(raw)
    if uri is None:
        yield "List-Unsubscribe is not one URI on one line."
    elif not uri.startswith("https://") and urlsplit(uri).hostname not in _LOOPBACK:
        yield "List-Unsubscribe is not https."


def _unsubscribe_uri(raw: bytes) -> str | None:
    """Read the URI from the bytes themselves: what parsers unfold, providers may not."""
    found = _UNSUBSCRIBE.findall(raw.partition(b"\r\n\r\n")[0] + b"\r\n")
    return found[0].decode("ascii") if len(found) == 1 else None


def _encoded_words(raw: bytes) -> Iterator[str]:
    head = raw.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        words = _ENCODED_WORD.findall(line)
        if words and len(line) > LONGEST_ENCODED_LINE:
            yield "A line with an encoded-word is too long."
        if any(len(word) > LONGEST_ENCODED_LINE - 1 for word in words):
            yield "An encoded-word is too long."
        if b"?==?" in line:
            yield "Two encoded-words adjoin."
    for field in re.split(rb"\r\n(?![ \t])", head):
        if _ENCODED_WORD.search(field) and not _MAY_BE_ENCODED.match(field):
            yield "An encoded-word stands where none may."


def _parts(message: EmailMessage, uri: str | None) -> Iterator[str]:
    if message.get_content_type() != "multipart/alternative":
        yield "The message is not multipart/alternative."
        return
    outer = _inside(message)
    related = outer[-1] if outer and outer[-1].get_content_type() == "multipart/related" else None
    inner = _inside(related) if related is not None else []
    parts, pictures = [*(outer[:-1] if related else outer), *inner[:1]], inner[1:]
    if [part.get_content_type() for part in parts] != ["text/plain", "text/html"]:
        yield "The parts are not text/plain, then text/html."
    if any(part.defects for part in (message, *outer, *inner)):
        yield "The parser finds defects."
    if related is not None and related.get_param("type") != "text/html":
        yield "multipart/related does not say the type of its root."
    for part in parts:
        yield from (f"{part.get_content_type()}: {fault}" for fault in _part(part, uri))
    yield from _pictures(pictures, _content(parts[-1]) if parts else "")


def _inside(part: EmailMessage) -> list[EmailMessage]:
    return [each for each in part.iter_parts() if isinstance(each, EmailMessage)]


def _pictures(pictures: list[EmailMessage], html: str) -> Iterator[str]:
    """Check what the HTML shows by `cid:` (RFC 2392) against what travels with it."""
    ids = [str(picture["Content-ID"] or "") for picture in pictures]
    if len(set(ids)) < len(ids) or set(ids) != {f"<{each}>" for each in _SHOWN.findall(html)}:
        yield "The pictures are not those that the HTML shows."
    lines = [line for each in pictures for line in str(each.get_payload()).splitlines()]
    if sum(len(line) + len("\r\n") for line in lines) > LARGEST_ALL:
        yield f"The pictures have more than {LARGEST_ALL} bytes."
    if any(len(line) > LONGEST_ENCODED_LINE for line in lines):
        yield "An encoded line of a picture is too long."
    for picture in pictures:
        coding = picture["Content-Transfer-Encoding"]
        if picture.get_content_type() not in KINDS or coding != "base64":
            yield "A picture is of no kind that a message carries, or not in base64."
        if picture.get_content_disposition() != "inline":
            yield "A picture is not inline."


def _part(part: EmailMessage, uri: str | None) -> Iterator[str]:
    encoded = str(part.get_payload())
    if part["Content-Transfer-Encoding"] not in {"base64", "quoted-printable"}:
        yield "it is neither base64 nor quoted-printable."
    if part.get_content_charset() != "utf-8":
        yield "it is not UTF-8."
    if any(len(line) > LONGEST_ENCODED_LINE for line in encoded.splitlines()):
        yield "an encoded line is too long."
    content = _content(part)
    if not content.strip() or "\N{REPLACEMENT CHARACTER}" in content:
        yield "it is empty or cannot be decoded."
    if _MARKER in content:
        yield "a slot is not filled."
    if uri is not None and uri not in unescape(content):
        yield "the unsubscribe link is missing."
    is_html = part.get_content_subtype() == "html"
    if is_html and max(len(encoded), len(content.encode())) > LARGEST_HTML:
        yield f"it is larger than {LARGEST_HTML} bytes."


def _content(part: EmailMessage) -> str:
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""


def _read_back(
    message: EmailMessage, subject: str | None, text: str | None, html: str | None
) -> Iterator[str]:
    if subject is not None and str(message["Subject"]) != subject.strip():
        yield "Subject is not read back as it was written."
    for subtype, written in (("plain", text), ("html", html)):
        part = message.get_body((subtype,))
        if written is not None and (
            not isinstance(part, EmailMessage) or _lines_of(_content(part)) != _lines_of(written)
        ):
            yield f"text/{subtype} is not read back as it was written."


def _lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
