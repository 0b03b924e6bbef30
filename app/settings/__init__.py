"""What an operator decides: the knobs, how their texts are read, and what refuses a wrong one."""

from app.settings.installation import Settings
from app.settings.knob import Knob, SettingWrong, naming
from app.settings.mailboxes import Mailbox, Recipients
from app.settings.places import ImapPlace, Listen, Networks, is_loopback
from app.settings.returns import Consequences, Thresholds
from app.settings.words import LONGEST_WINDOW, Rate

__all__ = [
    "LONGEST_WINDOW",
    "Consequences",
    "ImapPlace",
    "Knob",
    "Listen",
    "Mailbox",
    "Networks",
    "Rate",
    "Recipients",
    "SettingWrong",
    "Settings",
    "Thresholds",
    "is_loopback",
    "naming",
]
