"""`python -m app.demo.supervised_child …`: the command `vestka …`, ended when its starter is gone.

Standard input is the tether: it closes with the starter, however that ends, also by `kill -9`. So
no trial instance is left behind.
"""

import os
import runpy
import signal
import sys
from threading import Thread


def _hold() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    Thread(target=_hold, daemon=True).start()
    runpy.run_module("app", run_name="__main__")
    sys.exit()
