"""What an operator decides: the knobs, how their texts are read, and what refuses a wrong one."""

from app.settings.bounce_settings import BouncePolicy, Thresholds
from app.settings.installation import Settings
from app.settings.locations import ImapPlace, Listen, Networks, is_loopback
from app.settings.mailboxes import Mailbox, Recipients
from app.settings.setting import Setting, SettingWrong, naming
from app.settings.values import LONGEST_WINDOW, Rate

__all__ = [
    "LONGEST_WINDOW",
    "BouncePolicy",
    "ImapPlace",
    "Listen",
    "Mailbox",
    "Networks",
    "Rate",
    "Recipients",
    "Setting",
    "SettingWrong",
    "Settings",
    "Thresholds",
    "is_loopback",
    "naming",
]
