"""Python's collector of reference cycles, in processes that make many objects and few cycles."""

import gc


def collect_seldom() -> None:
    """Look for cycles when there are ten thousand new objects, not after each few messages.

    What is there already, modules above all, is never looked at again. In a sender, looking cost
    a twelfth of all its time and found next to nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
