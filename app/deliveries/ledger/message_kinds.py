"""The kinds of messages that take this road."""

from app.subscribers.service_message_kinds import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK

ISSUE = "issue"
ALERT = "alert"
TEST = "test"

# Messages that somebody asked for: after a doubt they are repeated, an issue is not.
REPEATED = (CONFIRMATION, MANAGE_LINK, ALREADY_SUBSCRIBED, ALERT)
