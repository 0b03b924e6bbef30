"""`python -m tests.support.audited FILE …` is `vestka …`, noting in FILE what it imports and opens.

The notes are made by Python's own audit events (PEP 578), so nothing of the program can hide.
"""

import os
import runpy
import sys

NOTES = os.open(sys.argv.pop(1), os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)


def note(event: str, arguments: tuple[object, ...]) -> None:
    """Write down an import or the opening of a file."""
    if event in ("import", "open"):
        os.write(NOTES, f"{event} {arguments[0]}\n".encode())


if __name__ == "__main__":
    sys.addaudithook(note)
    runpy.run_module("app", run_name="__main__")
