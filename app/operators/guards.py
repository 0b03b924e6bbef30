"""Route dependencies: an operator's API key with the scope that the route needs."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import Refusal
from app.operators.api_keys import NotSignedIn, Operator, operator_of
from app.operators.scopes import SCOPES
from app.web.context import Here, Now

_bearer = HTTPBearer(auto_error=False, description="An API key made by `vestka key create`")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


class ScopeMissing(Refusal):
    """This API key may not do that."""


def _signed_in(credentials: _Credentials, here: Here, now: Now) -> Operator:
    if credentials is None:
        raise NotSignedIn
    # A session of its own, closed at once: on SQLite without WAL a request that still reads while
    # it waits for its turn to write, and a writer that waits for readers to end, wait for ever.
    with here.database.reading() as session:
        return operator_of(session, credentials.credentials, today=now.date())


def needs(scope: str) -> Callable[..., Operator]:
    """Make the dependency that lets only keys with `scope` pass."""
    if scope not in SCOPES:
        raise KeyError(scope)

    def allowed(operator: Annotated[Operator, Depends(_signed_in)]) -> Operator:
        if scope not in operator.scopes:
            raise ScopeMissing(f"this needs an API key with the scope {scope}")
        return operator

    return allowed
