"""Importing a library without an optional part of it that costs memory and that nobody uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let the module `name` seem not to be installed, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the import system's own mark for it
    try:
        yield
    finally:
        del sys.modules[name]
