"""What a port says of itself (OpenAPI): every "no" is in it, and the names that only we know.

Which segments, languages and rubrics there are is known to the newsletter, not to the code; a field
that takes one of them is marked with `names(…)`, and the list stands there when it is asked for.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.newsletter import Newsletter

MARK = "x-vestka-names"
PROBLEM = {
    "title": "Problem",
    "description": "Why not (RFC 9457). What was sent is never repeated.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:vestka:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_AS_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_AS_PAGE = {"text/html": {"schema": {"type": "string"}}}
_REFUSED = {"422": "a field is refused; `errors` names it", "default": "it cannot be done"}
_OF_KEYS = {"401": "there is no valid API key", "403": "the API key may not do that"}


WEEK = {"pattern": r"^[12][0-9]{3}-W(0[1-9]|[1-4][0-9]|5[0-3])$", "examples": ["2025-W04"]}
"""How a week is written (`json_schema_extra`). That its year has it, no pattern tells."""

EMAIL = {"format": "email", "pattern": "^[^-]", "examples": ["reader@example.org"]}
"""How an address is written (`json_schema_extra`): one that begins with a hyphen is an option."""


def names(kind: str) -> dict[str, Any]:
    """Mark a field (`json_schema_extra`) that takes one of the newsletter's own names.

    `kind` is segments (by id or label), ids (of segments), languages or rubrics.
    """
    return {MARK: kind}


def complete_openapi(schema: dict[str, Any], newsletter: Newsletter) -> dict[str, Any]:
    """Complete the description that the framework makes of the routes."""
    parts = schema.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        parts.pop(unused, None)
    parts["Problem"] = PROBLEM
    for operation in _operations(schema):
        _complete(operation)
    known = {
        "segments": [name for each in newsletter.segments for name in (each.id, each.label)],
        "ids": [each.id for each in newsletter.segments],
        "languages": list(newsletter.languages),
        "rubrics": [each.id for each in newsletter.rubrics],
    }
    _fill(schema, known)
    return schema


def methods_of(schema: Mapping[str, Any], path: str) -> list[str]:
    """Return the methods of whatever stands at this path (RFC 9110 §10.2.1)."""
    found = {
        method.upper()
        for template, item in schema["paths"].items()
        if re.fullmatch(re.sub(r"\\\{[^/{}]*\\\}", "[^/]+", re.escape(template)), path)
        for method in item
    }
    return sorted(found | {"HEAD"} if "GET" in found else found)


def _operations(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for item in schema.get("paths", {}).values():
        yield from item.values()


def _complete(operation: dict[str, Any]) -> None:
    """Say of every refusal that it is a problem, and a page for whoever asks for pages."""
    answers: dict[str, Any] = operation["responses"]
    refused = dict(_REFUSED)
    if "security" in operation:
        refused |= _OF_KEYS
    elif "parameters" not in operation and "requestBody" not in operation:
        del refused["422"]
    if "HTTPValidationError" in str(answers.get("422", "")):
        del answers["422"]
    for status, why in refused.items():
        answers.setdefault(status, {"description": why})
    for status, answer in answers.items():
        if (status == "default" or int(status) >= 400) and not answer.get("content"):
            answer["content"] = {**_AS_PROBLEM, **_AS_PAGE}


def _fill(part: Any, known: Mapping[str, list[str]]) -> None:
    if isinstance(part, list):
        for each in part:
            _fill(each, known)
    elif isinstance(part, dict):
        if (kind := part.pop(MARK, None)) is not None:
            part["enum"] = known[kind]
        for each in part.values():
            _fill(each, known)
