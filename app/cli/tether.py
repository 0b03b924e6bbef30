"""A process of the supervisor ends with it, however that ends, also by `kill -9`.

The tether is a pipe whose other end only the supervisor holds: it closes with the supervisor. What
then still runs is ended at once, as by `kill -9`: the state in the database and the attempt journal
bear that, and the next start must not wait for a sender that nobody supervises.
"""

import os
import signal
from threading import Thread


def hold(tether: int) -> None:
    """End this process as soon as the other end of the pipe `tether` is closed."""
    os.set_inheritable(tether, False)  # noqa: FBT003 - the library's own order of arguments
    Thread(target=_hold, args=(tether,), name="tether", daemon=True).start()


def _hold(tether: int) -> None:
    while os.read(tether, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
