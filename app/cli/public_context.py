"""The installation with public keys alone: all that a process facing the internet needs.

Nothing here can read a private key; `app_context` adds that for the sender and the commands.
"""

import importlib
import os
from functools import cached_property
from pathlib import Path

from app import log
from app.addresses.public_keys import PublicKeys
from app.cli.data_dir_lock import make_data_dir
from app.cli.public_instance_keys import public_keys_of_database
from app.clock import Clock, SystemClock
from app.database import Database, make_private
from app.database_clock import clock_of
from app.newsletter import Newsletter
from app.schema import is_current
from app.settings import Settings, naming


class PublicContext:
    """One installation, as the environment describes it."""

    def __init__(
        self,
        environment: dict[str, str] | None = None,
        *,
        strict: bool = True,
        role: str | None = None,
    ) -> None:
        """Read nothing yet but how to log. Raises SettingUnknown or SettingWrong if `strict`.

        `role` is what the process does; its log lines say it.
        """
        self.settings = Settings(dict(os.environ) if environment is None else environment)
        if strict and (unknown := self.settings.unknown()):
            raise unknown[0]
        self.clock: Clock = SystemClock()
        # Who is not strict reads each setting by itself, to tell which are wrong.
        log.configure(self.settings.log_format if strict else "text", role=role)

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is a file."""
        return self.settings.database_url.startswith("sqlite")

    @cached_property
    def database(self) -> Database:
        """The database, its schema up to date; from now on, its clock is the one to go by."""
        if self.uses_sqlite:
            self.data_dir()
        database = Database(self.settings.database_url)
        if database.is_sqlite and database.url.database:
            make_private(database.url.database)
        if not is_current(database):
            importlib.import_module("app.migration").migrate(database)
        self.clock = clock_of(database)
        return database

    def data_dir(self) -> Path:
        """Make the data directory, readable by its owner alone. Raises DataDirUnusable."""
        return make_data_dir(self.settings.data_dir)

    @cached_property
    def newsletter(self) -> Newsletter:
        """The newsletter's names, segments and rubrics."""
        with naming("VESTKA_NEWSLETTER_PATH"):
            return Newsletter.load(self.settings.newsletter_path)

    @cached_property
    def public_keys(self) -> PublicKeys:
        """The keys that a process facing the internet may hold; it never makes any."""
        with naming("VESTKA_KEYS_DIR"):
            return public_keys_of_database(self.database, self.settings.keys_dir)
