"""The kinds of letters that take this road."""

from app.subscribers.asking import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK

ISSUE = "issue"
ALERT = "alert"

# Letters that somebody asked for: after a doubt they are repeated, an issue is not.
REPEATED = (CONFIRMATION, MANAGE_LINK, ALREADY_SUBSCRIBED, ALERT)
