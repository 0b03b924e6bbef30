"""When a message is tried again, by the pace that the relay's reply asked for. Pure.

A mailing's messages retry as long as the mailing lives; nothing is given up after a count of tries.
"""

from datetime import timedelta

from app.mail.replies import RetryClass

_M = 60
_H = 3600

# Seconds to wait after the first, second, … try; the last one repeats.
WAITS: dict[RetryClass, tuple[int, ...]] = {
    RetryClass.CONNECTION: (2, 15, _M, 5 * _M, 15 * _M, 30 * _M),
    RetryClass.GREYLIST: (5 * _M, 15 * _M, 30 * _M, _H),
    RetryClass.FULL: (_H, 3 * _H, 6 * _H),
    RetryClass.LATER: (_M, 5 * _M, 15 * _M, 30 * _M, _H, 2 * _H),
    RetryClass.RATE: (_M, 5 * _M, 15 * _M, 30 * _M),
    # Which messages were refused says nothing: the relay itself rests, and one of them tries it.
    RetryClass.RELAY: (2, 10, 30, _M, 5 * _M),
    RetryClass.OPERATOR: (15 * _M, 30 * _M, _H),
}

# How long a relay rests after the first, second, … failure in a row, in seconds.
RESTS = (1, 2, 5, 10, 20, 30)
# The same for a refused login: tried more often than this, accounts get locked.
LOGIN_RESTS = (10, 30, 60, 300, 900)


def wait(pace: RetryClass, attempts: int, chance: float) -> timedelta:
    """Return how long to wait after try number `attempts` (from 1).

    `chance`, between 0 and 1, spreads the waits by a fifth to either side: messages that failed
    together do not come back together.
    """
    waits = WAITS[pace]
    seconds = waits[min(max(attempts, 1), len(waits)) - 1]
    return timedelta(seconds=seconds * (0.8 + 0.4 * chance))


def rest(failures: int, chance: float) -> float:
    """Return how many seconds a relay rests after so many failures in a row."""
    return RESTS[min(max(failures, 1), len(RESTS)) - 1] * (0.8 + 0.4 * chance)
