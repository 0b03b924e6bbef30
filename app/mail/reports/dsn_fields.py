"""The groups of a delivery status (RFC 3464 §2.1), one for each recipient, however ill set."""

import re
from dataclasses import dataclass
from enum import StrEnum

from app.mail.reports.addresses import address_of
from app.mail.reports.headers import readable

MOST = 200  # groups of a report that are read

_FIELD = re.compile(r"[ \t]{0,8}([A-Za-z][A-Za-z0-9-]{2,40})[ \t]{0,8}:(.*)")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})")
_TYPE = re.compile(r"\A[ \t]{0,20}[\w.-]{1,30}[ \t]{0,20};")
_OF_RECIPIENT = {"final-recipient", "original-recipient", "action", "status", "diagnostic-code"}
_SAYING = ("diagnostic-code", "x-supplementary-info", "x-diagnostic", "x-error", "x-reason")
_REMARKED = ("status", "action")
_REMARK = re.compile(r"\(([^()]{3,500})\)")  # "5.0.0 (recipient reached disk quota)"
_TELLS_NOTHING = {"2.0.0", "4.0.0", "5.0.0"}


class Action(StrEnum):
    """What a server did (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientFields:
    """What is reported of one recipient. `status` is "" where it tells nothing (x.0.0)."""

    recipient: str
    action: Action | None
    status: str
    said: str


def recipient_fields(text: str) -> list[RecipientFields]:
    """Read the groups that concern recipients, in their order."""
    return [_group(fields) for fields in _sets(text) if _OF_RECIPIENT & fields.keys()]


def envelope_id(text: str) -> str:
    """Read the envelope id that came with the message (RFC 3461 §4.4), decoded; "" if none."""
    found = next(
        (f["original-envelope-id"] for f in _sets(text) if "original-envelope-id" in f), ""
    )
    return re.sub(r"\+([0-9A-F]{2})", lambda each: chr(int(each[1], 16)), found[:400]).strip()


def _sets(text: str) -> list[dict[str, str]]:
    """Cut the text at empty lines and where a second recipient begins; unfold its fields."""
    sets: list[dict[str, str]] = [{}]
    name = ""
    for line in text.split("\n"):
        field = _FIELD.match(line)
        if not line.strip():
            name = ""
            if sets[-1] and _whole(sets[-1]):
                sets.append({})
        elif field and not (line[:1] in " \t" and name):
            name = field[1].lower()
            if name == "final-recipient" and name in sets[-1]:
                sets.append({})
            before = sets[-1].get(name)
            sets[-1][name] = f"{before}\n{field[2]}" if before else field[2]
        elif name:
            sets[-1][name] = f"{sets[-1][name]}\n{line}"[:20_000]
        if len(sets) > MOST:
            break
    return sets


def _whole(fields: dict[str, str]) -> bool:
    """Some servers set an empty line between a recipient and what is said of it."""
    named = "final-recipient" in fields or "original-recipient" in fields
    return not named or bool({"action", "status", "diagnostic-code"} & fields.keys())


def _group(fields: dict[str, str]) -> RecipientFields:
    recipients = (
        fields.get(n, "") for n in ("final-recipient", "original-recipient", "x-actual-recipient")
    )
    found = [address for address in map(address_of, recipients) if address]
    whole = next((address for address in found if "@" in address), found[0] if found else "")
    status = _STATUS.search(fields.get("status", ""))
    said = [_TYPE.sub("", readable(fields[name]), count=1) for name in _SAYING if name in fields]
    said += [found for name in _REMARKED for found in _REMARK.findall(fields.get(name, "")[:2000])]
    return RecipientFields(
        whole,
        _action(fields.get("action", "")),
        status[0] if status and status[0] not in _TELLS_NOTHING else "",
        "\n".join(said).strip(),
    )


def _action(value: str) -> Action | None:
    """Servers write "fail", "failure" and "Failed (expired)", too."""
    word = value.strip().lower()
    return next((action for action in Action if word and word.startswith(action[:4])), None)
