"""How long to wait for a relay."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for each reply, in seconds (RFC 5321 §4.5.3.2).

    The wait after the final dot is long on purpose: giving up early makes messages uncertain.
    """

    greeting: float = 300
    command: float = 300
    data: float = 120
    dot: float = 600


PATIENT = Timeouts()
