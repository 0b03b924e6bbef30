"""What letters go with, read from the settings: relays, DKIM keys. What is wrong names its setting.

The sender, test letters and the doctor read it here, so what one of them can use, all can.
"""

from app.addresses.keys import Keyring
from app.deliveries.choosing import check_relays
from app.deliveries.groups.limits import GroupLimits
from app.mail.dkim import DkimKey
from app.mail.dkim_keys import load_dkim_keys
from app.mail.relay import Relay
from app.newsletter import Newsletter
from app.settings import Settings, naming


def relays_of(settings: Settings, newsletter: Newsletter) -> list[Relay]:
    """Read the relays, in the order in which they are given. Raises SettingWrong."""
    with naming("VESTKA_RELAYS"):
        relays = [Relay.parse(url) for url in settings.relays]
        check_relays(relays, [segment.id for segment in newsletter.segments])
        return relays


def group_limits_of(settings: Settings, keyring: Keyring) -> GroupLimits:
    """Read what receiving domains are to get. Raises SettingWrong."""
    with naming("VESTKA_DOMAIN_LIMITS"):
        return GroupLimits.parse(settings.domain_limits, keyring.secret("domain groups"))


def dkim_keys_of(settings: Settings) -> list[DkimKey]:
    """Read the keys that sign letters; none if the relay is to do it. Raises SettingWrong."""
    with naming("VESTKA_KEYS_DIR"):
        return load_dkim_keys(settings.keys_dir, settings.dkim_domain)
