"""Why a message did not go, in the words of the ledger.

A refusal's reason is its scope and its class, such as "reader hard". What is nobody's fault but
the sender's is in `OURS`; it may be sent again as long as the mailing lives.
"""

from app.mail.replies import BounceClass, Disposition, Scope

UNSUBSCRIBED = "unsubscribed"
CANCELLED_BY_OPERATOR = "cancelled"
WITHDRAWN = "withdrawn"
SUPPRESSED = "suppressed"
DAMAGED = "damaged"
NOT_ALLOWED = "not allowed"
EXPIRED = "expired"
UNFIT = "unfit"


def refused(concern: Scope, kind: BounceClass = BounceClass.NONE) -> str:
    """Return the reason of a refusal that concerns this, with a class or without."""
    return concern.value if kind is BounceClass.NONE else f"{concern.value} {kind.value}"


def reason_of(verdict: Disposition) -> str:
    """Return the reason of a refusal."""
    return refused(verdict.concern, verdict.kind)


OURS = tuple(
    refused(concern, kind)
    for concern in (Scope.MESSAGE, Scope.MAILING, Scope.DOMAIN, Scope.RELAY)
    for kind in (BounceClass.NONE, BounceClass.BLOCK)
)
HARD = refused(Scope.READER, BounceClass.HARD)
# What says nothing of the readers if a mailing ends and nothing of it was taken.
SUSPECT = (*OURS, refused(Scope.READER, BounceClass.SOFT))
