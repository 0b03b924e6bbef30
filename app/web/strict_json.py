"""JSON that can be read in one way only (RFC 8259 §4, RFC 7493); all other JSON is refused.

A repeated key, NaN or Infinity, half of a surrogate pair, endless nesting: two parsers would read
them differently. The flaw names the place, never a value. What is no JSON at all is left to the
parser that follows.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

Path = tuple[str | int, ...]


class JsonFlaw(ValueError):
    """Valid JSON at first sight that another parser would read differently."""

    def __init__(self, path: Path, message: str) -> None:
        """`path` leads to the flaw; `message` repeats no value."""
        super().__init__(message)
        self.path = path
        self.message = message


def check_json(raw: bytes | str) -> None:
    """Raise JsonFlaw if this JSON can be read in more than one way.

    Text that does not parse, or is not UTF-8, passes: the parser that follows says so.
    """
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_number
        )
    except (UnicodeDecodeError, json.JSONDecodeError):
        return
    except JsonFlaw:
        raise
    except ValueError:  # the interpreter's own limit for the digits of an integer
        raise JsonFlaw((), "a number is too long") from None
    except RecursionError:
        raise JsonFlaw((), "this is nested too deeply") from None
    if "\\u" in text or not isinstance(raw, bytes):
        _refuse_surrogates(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonFlaw((key,), "this key may be given once")
            seen.add(key)
    return made


def _refuse_constant(_name: str) -> NoReturn:
    raise JsonFlaw((), "NaN and Infinity are not JSON numbers")


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):  # 1e999: another parser's infinity
        raise JsonFlaw((), "a number is too large")
    return number


def _refuse_surrogates(value: object) -> None:
    """Walk without recursion: what parsed may still be nested deeply."""
    waiting: list[tuple[Path, object]] = [((), value)]
    while waiting:
        path, each = waiting.pop()
        if isinstance(each, str) and _is_torn(each):
            raise JsonFlaw(path, "a character is only half of a surrogate pair")
        if isinstance(each, dict):
            for key, inner in each.items():
                if _is_torn(key):
                    raise JsonFlaw((*path, key), "a character is only half of a surrogate pair")
                waiting.append(((*path, key), inner))
        elif isinstance(each, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(each)]


def _is_torn(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)


def refuse_flawed(raw: bytes) -> None:
    """Raise RequestValidationError for a body whose JSON is flawed: 422 with the field."""
    try:
        check_json(raw)
    except JsonFlaw as flaw:
        where = ("body", *flaw.path)
        error = {"type": "json_flaw", "loc": where, "msg": flaw.message}
        raise RequestValidationError([error]) from None


class StrictRoute(APIRoute):
    """A route whose JSON body is checked before the framework, which takes anything, parses it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check the body, if the route has one, and go on."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def checked(request: Request) -> Response:
            refuse_flawed(await request.body())
            return await handle(request)

        return checked
