"""The kinds of messages that a reader asks for, as their rows name them."""

CONFIRMATION = "confirmation"
MANAGE_LINK = "manage_link"
ALREADY_SUBSCRIBED = "already_subscribed"
