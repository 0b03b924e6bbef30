"""The supervisor of `vestka serve`: one process per role, each a fresh interpreter.

It alone hears the signals. It holds no key and opens no database, so no process inherits one. What
ends by itself is started again, sooner or later; only a refusal (status 2: a wrong setting, keys
that were destroyed) ends them all, because it would come again each time.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from app.cli.backoff import failures_after, wait_before_restart
from app.cli.roles import Role
from app.log import get_logger

log = get_logger("supervisor")

REFUSED = 2  # the exit status of whoever was refused, and said why
KILL_AFTER = 3.0  # seconds over the time that the processes give themselves to stop

# Only the sender may know how to log in to a relay or to the mailbox of bounces.
_SENDERS_ALONE = ("VESTKA_BOUNCE_IMAP", "VESTKA_BOUNCE_IMAP_FILE")
_NOT_PUBLIC = ("VESTKA_RELAYS", "VESTKA_RELAYS_FILE")


def stop_times(stop_within: int) -> dict[Role, int]:
    """Share out the seconds of a stop: the sender is told to stop when the others have ended.

    So its witness still notes who left while the readers' port was answering its last requests.
    """
    web = max(stop_within // 3, 1)
    return {
        Role.PUBLIC: web,
        Role.OPERATORS: web,
        Role.SENDER: max(stop_within - web, 1),
    }


def environment_of(role: Role, environment: Mapping[str, str], stop_within: int) -> dict[str, str]:
    """Return the environment without the secrets that are not for this role, and its stop time."""
    withheld: set[str] = set()
    if role is not Role.SENDER:
        withheld.update(_SENDERS_ALONE)
    if role is Role.PUBLIC:
        withheld.update(_NOT_PUBLIC)
    own = {name: value for name, value in environment.items() if name not in withheld}
    return {**own, "VESTKA_STOP_WITHIN": f"{stop_within}s"}


@dataclass
class Child:
    """One role: its socket, and its process while there is one."""

    role: Role
    socket: socket.socket | None
    stop_within: int  # seconds
    failures: int = 0
    started: float = 0.0
    start_at: float = 0.0  # on the monotonic clock; counts while there is no process
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self, tether: int) -> None:
        """Start the process; it ends when the other end of `tether` does."""
        command = [sys.executable, "-m", "app", "serve", "--role", str(self.role)]
        passed = [tether]
        if self.socket is not None:
            passed.append(self.socket.fileno())
            command += ["--socket", str(self.socket.fileno())]
        self.started = time.monotonic()
        # A process group of its own: Ctrl-C reaches the supervisor alone.
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [*command, "--tether", str(tether)],
            env=environment_of(self.role, os.environ, self.stop_within),
            stdin=subprocess.DEVNULL,
            pass_fds=passed,
            process_group=0,
        )
        log.info("process started", process=str(self.role), pid=self.process.pid)

    def ended(self) -> int | None:
        """Return the exit status of a process that ended since we last looked, else None.

        When it is to be started again is noted.
        """
        status = None if self.process is None else self.process.poll()
        if status is None:
            return None
        now = time.monotonic()
        self.process = None
        self.failures = failures_after(self.failures, now - self.started)
        self.start_at = now + wait_before_restart(self.failures)
        return status


class Supervisor:
    """Runs the roles until it is told to stop."""

    def __init__(self, sockets: Mapping[Role, socket.socket | None], stop_within: int) -> None:
        """Start nothing yet. `sockets` are the roles and where each listens; seconds for a stop."""
        times = stop_times(stop_within)
        self._children = [Child(role, sock, times[role]) for role, sock in sockets.items()]
        self._stopping = False
        self._hung_up = False
        self._alarm, self._wake = socket.socketpair()

    def run(self) -> int:
        """Run all of them until a signal or a refusal, then stop them. Returns the exit status."""
        tether, held = os.pipe()
        with self._signals():
            refused = self._supervise(tether)
            failed = self._stop()
        os.close(held)
        os.close(tether)
        log.info("stopped")
        if refused is not None:
            sys.stderr.write(f"vestka: The {refused} process was refused; why is said above.\n")
            return REFUSED
        return 1 if failed else 0

    def _supervise(self, tether: int) -> Role | None:
        """Start what is due, until we are told to stop; return whose process was refused."""
        while not self._stopping:
            for child in self._children:
                status = child.ended()
                if status == REFUSED:
                    return child.role
                if status is not None:
                    self._tell(child, status)
                if child.process is None and time.monotonic() >= child.start_at:
                    child.start(tether)
            self._wait(self._until_next())
            if self._hung_up:
                self._hung_up = False
                log.info("SIGHUP changes nothing: settings are read at the start")
        return None

    def _tell(self, child: Child, status: int) -> None:
        how = {"signal": signal.Signals(-status).name} if status < 0 else {"status": status}
        wait = round(child.start_at - time.monotonic(), 1)
        log.error("a process ended, starting it again", process=str(child.role), wait=wait, **how)

    def _until_next(self) -> float | None:
        due = [child.start_at for child in self._children if child.process is None]
        return max(min(due) - time.monotonic(), 0.0) if due else None

    def _wait(self, seconds: float | None) -> None:
        """Wait for a signal, also that a process ended, or for so long."""
        ready, _, _ = select.select([self._wake], [], [], seconds)
        if ready:
            self._wake.recv(1024)

    def _stop(self) -> bool:
        """Tell all to stop, the sender last; return whether any went wrong."""
        web = [child for child in self._children if child.role is not Role.SENDER]
        sender = [child for child in self._children if child.role is Role.SENDER]
        return any([_stop_all(web), _stop_all(sender)])

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Hear the signals: each wakes us, TERM and INT stop us, HUP is only noted."""
        self._alarm.settimeout(0)
        before = signal.set_wakeup_fd(self._alarm.fileno(), warn_on_full_buffer=False)
        heard: Sequence[tuple[signal.Signals, object]] = [
            (number, signal.signal(number, self._hear))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        ]
        try:
            yield
        finally:
            for number, handler in heard:
                signal.signal(number, handler)  # type: ignore[arg-type]  # as it was given to us
            signal.set_wakeup_fd(before)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stopping = True
        elif number == signal.SIGHUP:
            self._hung_up = True


def _stop_all(children: Sequence[Child]) -> bool:
    """Tell these to stop, and end what does not in time; return whether any went wrong."""
    running = [(child, child.process) for child in children if child.process is not None]
    for _, process in running:
        process.terminate()
    begun = time.monotonic()
    failed = False
    for child, process in running:
        deadline = begun + child.stop_within + KILL_AFTER
        try:
            status = process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            log.warning("a process did not stop in time, ending it", process=str(child.role))
            process.kill()
            status = process.wait()
        failed = failed or status not in (0, REFUSED, -signal.SIGTERM)
    return failed
