"""How long a process that ended by itself waits before it is started again. Pure."""

FIRST = 0.1  # seconds: a request that ends the public process stops the form for a moment
LONGEST = 5.0
STEADY = 10.0  # a process that lived so long was well: the next wait is the first again


def wait_before_restart(failures: int) -> float:
    """Return the seconds to wait after so many ends in a row, each after a short life."""
    return min(FIRST * 2.0 ** min(failures - 1, 30), LONGEST)


def failures_after(failures: int, lived: float) -> int:
    """Count one more end of a process that lived `lived` seconds."""
    return 1 if lived >= STEADY else failures + 1
