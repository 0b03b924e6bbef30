"""Delivery reports in fields (RFC 3464): what is said of each recipient, and what was done.

The `Status` field speaks only where the words are silent: Exim and others write 5.0.0 there,
whatever happened, and some write 5.1.1 for everything.
"""

from app.mail.classification import Class, Verdict
from app.mail.reports.dsn_fields import Action, RecipientFields
from app.mail.reports.notices import coded, passage_of
from app.mail.reports.ranking import weighed
from app.mail.reports.report import Recipient

_DONE = {Action.DELIVERED: "delivered", Action.RELAYED: "relayed", Action.EXPANDED: "expanded"}


def recipient_of(group: RecipientFields, written: str, *, delayed: bool) -> Recipient:
    """Judge one group. `delayed`: the message says so, for groups that name no action."""
    action = group.action or _meant(group, delayed=delayed)
    if action in _DONE:
        done = Verdict(Class.DELIVERED, _DONE[action], None, group.status or None)
        return Recipient(group.recipient, done)
    passage = passage_of(written, group.recipient)
    texts = [group.said, coded(passage), passage, coded(written), written]
    if not group.said:
        texts = [coded(passage), "", passage, written]  # "": the status alone
    found = weighed(group.recipient, texts, group.status)
    return found.as_delayed() if action is Action.DELAYED else found


def _meant(group: RecipientFields, *, delayed: bool) -> Action:
    if group.status.startswith("2"):
        return Action.DELIVERED
    return Action.DELAYED if delayed else Action.FAILED
