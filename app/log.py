"""Structured log lines: facts and ids in, never an address, a token or a secret.

Every line of the process passes here, our own and the libraries'; whatever looks like an address or
a link's token is blotted out, also in exceptions.
"""

import atexit
import logging
import re
import sys
from contextlib import nullcontext
from typing import Any, TextIO

from app.lean_imports import without

with without("rich"):  # structlog takes it wherever it is installed: 6 MB in each process
    import structlog
    from structlog.typing import EventDict, Processor, WrappedLogger

from app.log_repeats import RepeatLimit

# A run that may hold an address. An apostrophe and = may stand before an @ (RFC 5322 §3.2.3), so
# rather too much goes than too little. Each run is looked at once: a pattern that also looked for
# the @ would begin anew at every character of a long run without one.
_RUN = re.compile(r"[^\s<>\":;,()\[\]]+")
_DOMAIN = re.compile(r"[^\s<>\"'=;,()\[\]]+")
_TOKEN = re.compile(r"/(confirm|unsubscribe|manage|never)/[^\s\"'?]+")
_KEY = re.compile(r"\bvk_[A-Za-z0-9_-]{8,}")
_LONGEST = 16_000  # characters of a value that are read, and written


def redact(text: str) -> str:
    """Return `text` without anything that looks like an address, a link's token or an API key."""
    text = _TOKEN.sub(r"/\1/…", text)
    text = _KEY.sub("vk_…", text)
    return _RUN.sub(_without_address, text) if "@" in text or "%40" in text else text


def _without_address(run: re.Match[str]) -> str:
    """Hide what ends with the domain after the last @ that has one."""
    text = run[0].replace("%40", "@")
    at = text.rfind("@")
    while at > 0:
        domain = _DOMAIN.match(text, at + 1)
        if domain is not None:
            return "…@…" + text[domain.end() :]
        at = text.rfind("@", 0, at)
    # An address literal (RFC 5321 §4.1.3): its bracket ends the run, and the mailbox stands in it.
    if len(text) > 1 and text.endswith("@") and run.string.startswith("[", run.end()):
        return "…@"
    return run[0]


def _blot_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if not isinstance(value, int | float | bool | None):
            event[name] = redact(_cut(value if isinstance(value, str) else str(value)))
    return event


def _cut(text: str) -> str:
    """Cut a text that is too long; where a word ends, so that no address is cut in two."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rpartition(' ')[0]} …"


def _name_plainly(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Uvicorn tells of its starts and stops, too, under a name that looks like trouble."""
    if event.get("logger") == "uvicorn.error":
        event["logger"] = "uvicorn"
    return event


def configure(log_format: str, stream: TextIO | None = None, *, role: str | None = None) -> None:
    """Send all log records of the process to `stream` (standard error), as `json` or `text`.

    `role` is said in each line: the processes of one service share one stream.
    """

    def say_role(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return event if role is None else {"role": role, **event}

    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        say_role,
        structlog.stdlib.add_logger_name,
        _name_plainly,
        structlog.stdlib.add_log_level,
        stamp,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _blot_event,
                renderer,
            ],
        )
    )

    def write(record: logging.LogRecord) -> None:
        with handler.lock or nullcontext():
            if not handler.stream.closed:  # at the very end of a process it may be
                handler.emit(record)

    handler.addFilter(RepeatLimit(write))
    root = logging.getLogger()
    tell_what_was_left_out()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for loud in ("uvicorn.access", "aiosmtplib", "alembic", "sqlalchemy"):
        logging.getLogger(loud).setLevel(logging.WARNING)
    # It warns of each odd byte that a client sends; the client gets its answer.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def tell_what_was_left_out() -> None:
    """Write how many repeated lines were left out until now; for the end of a process."""
    _tell(all_of_it=True)


def tell_what_is_due() -> None:
    """Write it for the kinds of lines whose minute is over; to be called now and then."""
    _tell(all_of_it=False)


def _tell(*, all_of_it: bool) -> None:
    for handler in logging.getLogger().handlers:
        for each in handler.filters:
            if isinstance(each, RepeatLimit):
                each.tell(all_of_it=all_of_it)


def get_logger(name: str) -> Any:
    """Return the logger of one part; call it as `log.info("event", count=3)`."""
    return structlog.stdlib.get_logger(name)


atexit.register(tell_what_was_left_out)
