"""The installation for a command: settings, database, keys, each opened only when it is used."""

from functools import cached_property
from pathlib import Path

from app.addresses.keyring import Keyring, check_apart
from app.cli.instance_keys import keys_of_database
from app.cli.public_context import PublicContext
from app.deliveries.dispatch.from_settings import dkim_keys_of
from app.errors import DomainError
from app.keys.key_format import key_names
from app.keys.public_key_files import READABLE
from app.mail.dkim.signature import DkimKey
from app.settings import naming


class NotSendersHost(DomainError):
    """This needs the private keys, which this host does not have.

    Run it on the sender's host.
    """


def refuse_public_host(keys_dir: Path) -> None:
    """Refuse a keys directory as the public and the operators' hosts have it."""
    kinds = {name.kind for name in key_names(keys_dir)}
    if kinds and kinds <= set(READABLE):
        raise NotSendersHost(
            "This needs the private keys, which only the sender's host holds; here are public ones"
            " alone. Run it on the sender's host, and copy no key here."
        )


class CommandContext(PublicContext):
    """One installation, as the environment describes it, with all its keys."""

    @cached_property
    def keyring(self) -> Keyring:
        """All keys: those of this database, made now if it has no reader and no keys yet."""
        keys_dir = self.settings.keys_dir
        refuse_public_host(keys_dir)
        with naming("VESTKA_KEYS_DIR"):
            check_apart(keys_dir, self.settings.data_dir)
            return keys_of_database(self.database, keys_dir)

    @cached_property
    def dkim_keys(self) -> list[DkimKey]:
        """The keys that sign emails; none if the relay is to do it."""
        return dkim_keys_of(self.settings)
