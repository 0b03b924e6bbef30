"""Vestka: a newsletter whose list cannot leak and whose books balance.

The folders tell the story in order, and later may know earlier, never the reverse:

    addresses    an e-mail address as a value, and sealed at rest
    mail         a message and how it leaves
    web          what any route may ask for
    operators    who runs the service
    subscribers  who asked for the newsletter, and how they leave it
    issues       what is said this week
    editions     an issue rendered for one segment, and frozen
    mailings     sending an issue to a segment, by calendar or by hand
    deliveries   one message to one subscriber: the ledger and the engine
    archive      what was sent, for everyone to read
"""
