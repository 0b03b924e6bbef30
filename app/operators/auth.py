"""Route dependencies: an operator's API key with the scope that the route needs."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import (
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
)

from app.errors import DomainError
from app.operators.api_keys import NotSignedIn, Operator, operator_of
from app.operators.scopes import SCOPES
from app.web.context import Here, Now

_bearer = HTTPBearer(auto_error=False, description="An API key made by `vestka key create`")
_basic = HTTPBasic(auto_error=False, description="The same key as the password of any user")
_Pair = Annotated[HTTPBasicCredentials | None, Security(_basic)]
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


class ScopeMissing(DomainError):
    """This API key may not do that."""


def _signed_in(credentials: _Credentials, here: Here, now: Now) -> Operator:
    if credentials is None:
        raise NotSignedIn
    return _holder(credentials.credentials, here, now)


def _signed_in_any_way(credentials: _Credentials, pair: _Pair, here: Here, now: Now) -> Operator:
    if credentials is None and pair is not None:
        return _holder(pair.password, here, now)
    return _signed_in(credentials, here, now)


def _holder(key: str, here: Here, now: datetime) -> Operator:
    # A session of its own, closed at once: on SQLite without WAL a request that still reads while
    # it waits for its turn to write, and a writer that waits for readers to end, wait for ever.
    with here.database.reading() as session:
        return operator_of(session, key, today=now.date())


def needs(scope: str) -> Callable[..., Operator]:
    """Make the dependency that lets only keys with `scope` pass."""
    return _needs(scope, _signed_in)


def needs_in_any_way(scope: str) -> Callable[..., Operator]:
    """Make the same, also for a key that comes as a password (RFC 7617): some webhooks can no more.

    Only for calls that no browser makes: it would send a password along by itself.
    """
    return _needs(scope, _signed_in_any_way)


def _needs(scope: str, signed_in: Callable[..., Operator]) -> Callable[..., Operator]:
    if scope not in SCOPES:
        raise KeyError(scope)

    def allowed(operator: Annotated[Operator, Depends(signed_in)]) -> Operator:
        if scope not in operator.scopes:
            raise ScopeMissing(f"this needs an API key with the scope {scope}")
        return operator

    return allowed
