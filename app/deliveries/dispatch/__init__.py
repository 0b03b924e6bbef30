"""Dispatch: a claimed row on its way over a relay to a recorded result."""
