"""Relays, DKIM keys and limits, made from the settings. An error names its setting.

The sender, test messages and the doctor read it here, so what one of them can use, all can.
"""

from app.addresses.keyring import Keyring
from app.deliveries.destinations.limits import DestinationLimits
from app.deliveries.dispatch.relay_selection import check_relays
from app.mail.dkim.dkim_keys import load_dkim_keys
from app.mail.dkim.signature import DkimKey
from app.mail.relay import Relay
from app.newsletter import Newsletter
from app.settings import Settings, naming


def relays_of(settings: Settings, newsletter: Newsletter) -> list[Relay]:
    """Read the relays, in the order in which they are given. Raises SettingWrong."""
    with naming("VESTKA_RELAYS"):
        relays = [Relay.parse(url) for url in settings.relays]
        check_relays(relays, [segment.id for segment in newsletter.segments])
        return relays


def group_limits_of(settings: Settings, keyring: Keyring) -> DestinationLimits:
    """Read what receiving domains are to get. Raises SettingWrong."""
    with naming("VESTKA_DOMAIN_LIMITS"):
        return DestinationLimits.parse(settings.domain_limits, keyring.secret("domain groups"))


def dkim_keys_of(settings: Settings) -> list[DkimKey]:
    """Read the keys that sign messages; none if the relay is to do it. Raises SettingWrong."""
    with naming("VESTKA_KEYS_DIR"):
        return load_dkim_keys(settings.keys_dir, settings.dkim_domain)
