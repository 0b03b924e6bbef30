"""The sender as it is, but in a hurry: short leases, rests and waits, so that a test need not wait.

`python -m tests.crashes.hurried` is `vestka serve --role sender` with these numbers.
"""

from datetime import timedelta

from app import sender
from app.cli.roles import Role
from app.cli.serving import serve
from app.deliveries.ledger import backoff, leases
from app.mail.replies import RetryClass

LEASE = 3.0  # seconds


def hurry() -> None:
    """Shorten whatever is a matter of patience."""
    leases.LEASE = timedelta(seconds=LEASE)
    vars(sender).update(LEASE=leases.LEASE, RENEW_EVERY=LEASE / 6, STEP_EVERY=0.1)
    backoff.RESTS = (0.1, 0.2)  # type: ignore[assignment]
    for pace in RetryClass:
        if pace is not RetryClass.NONE:
            backoff.WAITS[pace] = (0.2, 0.4)  # type: ignore[assignment]


if __name__ == "__main__":
    hurry()
    serve(Role.SENDER)
