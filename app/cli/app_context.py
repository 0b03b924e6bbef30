"""Opening the installation for a command: settings, database, keys, each only when it is used."""

import importlib
import os
from functools import cached_property
from pathlib import Path

from app import log
from app.addresses.keyring import Keyring, PublicKeys, check_apart
from app.cli.instance_keys import keys_of_database, public_keys_of_database
from app.clock import Clock, SystemClock
from app.database import Database, make_private
from app.deliveries.dispatch.from_settings import dkim_keys_of
from app.errors import DomainError
from app.mail.dkim.signature import DkimKey
from app.newsletter import Newsletter
from app.schema import is_current
from app.settings import Settings, naming


class DataDirUnusable(DomainError):
    """The data directory cannot be made or written."""


class CommandContext:
    """One installation, as the environment describes it."""

    def __init__(self, environment: dict[str, str] | None = None, *, strict: bool = True) -> None:
        """Read nothing yet but how to log. Raises SettingUnknown or SettingWrong if `strict`."""
        self.settings = Settings(dict(os.environ) if environment is None else environment)
        if strict and (unknown := self.settings.unknown()):
            raise unknown[0]
        self.clock: Clock = SystemClock()
        # Who is not strict reads each setting by itself, to tell which are wrong.
        log.configure(self.settings.log_format if strict else "text")

    @cached_property
    def database(self) -> Database:
        """The database, its schema up to date."""
        if self.settings.database_url.startswith("sqlite"):
            self.data_dir()
        database = Database(self.settings.database_url)
        if database.is_sqlite and database.url.database:
            make_private(database.url.database)
        if not is_current(database):
            importlib.import_module("app.migration").migrate(database)
        return database

    def data_dir(self) -> Path:
        """Make the data directory, readable by its owner alone. Raises DataDirUnusable."""
        try:
            self.settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            raise DataDirUnusable("VESTKA_DATA_DIR cannot be made") from None
        return self.settings.data_dir

    @cached_property
    def newsletter(self) -> Newsletter:
        """The newsletter's names, segments and rubrics."""
        with naming("VESTKA_NEWSLETTER_PATH"):
            return Newsletter.load(self.settings.newsletter_path)

    @cached_property
    def keyring(self) -> Keyring:
        """All keys: those of this database, made now if it has no reader and no keys yet."""
        keys_dir = self.settings.keys_dir
        with naming("VESTKA_KEYS_DIR"):
            check_apart(keys_dir, self.settings.data_dir)
            return keys_of_database(self.database, keys_dir)

    @cached_property
    def public_keys(self) -> PublicKeys:
        """The keys that a process facing the internet may hold; it never makes any."""
        with naming("VESTKA_KEYS_DIR"):
            return public_keys_of_database(self.database, self.settings.keys_dir)

    @cached_property
    def dkim_keys(self) -> list[DkimKey]:
        """The keys that sign emails; none if the relay is to do it."""
        return dkim_keys_of(self.settings)
