"""What any route may ask for: the installation, a session, the time.

The transaction ends before the answer is sent (`scope="function"`): a client that got its 2xx can
rely on the commit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.addresses.public_keys import PublicKeys
from app.clock import Clock
from app.database import Database, Transaction
from app.newsletter import Newsletter
from app.settings import Settings


@dataclass(frozen=True)
class AppContext:
    """What the web processes hold. No private key is among it."""

    settings: Settings
    database: Database
    clock: Clock
    newsletter: Newsletter
    keys: PublicKeys


# Without I/O and so without a thread: a thread for each of these would cost more than the answer.
async def _installation(request: Request) -> AppContext:
    installation: AppContext = request.app.state.installation
    return installation


Here = Annotated[AppContext, Depends(_installation)]


def _transaction(here: Here) -> Iterator[Transaction]:
    with here.database.transaction() as session:
        yield session


def _reading(here: Here) -> Iterator[Session]:
    with here.database.reading() as session:
        yield session


async def _now(here: Here) -> datetime:
    return here.clock.now()


Writing = Annotated[Transaction, Depends(_transaction, scope="function")]
Reading = Annotated[Session, Depends(_reading, scope="function")]
Now = Annotated[datetime, Depends(_now)]
