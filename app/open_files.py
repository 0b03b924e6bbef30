"""How many files a process may have open, and how many of them may be connections of clients.

The rest is for what must go on whatever clients do: the database, key files, the log.
"""

import resource

WANTED = 4_096  # open files: enough for every connection that we take, and for the rest
MOST = 1_024  # connections: some 20 kB of memory each
_OURS = 160  # files that a process may need at once: its database's connections above all


def raise_limit() -> int:
    """Raise the soft limit of open files towards the hard one; return what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return WANTED
    aim = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft < aim:
        resource.setrlimit(resource.RLIMIT_NOFILE, (aim, hard))
    return max(soft, aim)


def connections_within(limit: int, ports: int = 1) -> int:
    """Return how many connections each of a process's `ports` may hold under this limit."""
    spare = max(limit - _OURS, limit // 3)
    return max(1, min(MOST, spare // ports))
