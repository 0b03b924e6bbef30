"""The inbox to look into, in a browser: a list of messages; of each its HTML, its text, its source.

A message is shown as a mail program would: its HTML in a frame that may run and load nothing.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.demo.messages import one_click_link, part, read
from app.demo.smtpd import Inbox, ReceivedMessage

LOOKS = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("looks")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action "
)
# Links open in a tab of their own: the pages behind them cannot be framed.
_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_NEW_TAB = '<base target="_blank">'

Part = Literal["html", "text", "source"]


def create_inbox(inbox: Inbox, form: str) -> FastAPI:
    """Make the inbox's pages; `form` is where one can subscribe."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    def messages() -> HTMLResponse:
        rows = [_row(message) for message in reversed(inbox.messages)]
        return _page("messages", rows=rows, form=form)

    @app.get("/letters/{number}")
    def message(
        number: int, show: Annotated[Part | None, Query(description="which part")] = None
    ) -> HTMLResponse:
        found = _find(inbox, number)
        parsed = read(found)
        link = one_click_link(parsed)
        html, text = part(parsed, "html"), part(parsed, "plain")
        origin = "'none'" if link is None else "{0.scheme}://{0.netloc}".format(urlsplit(link))
        return _page(
            "message",
            form_action=origin,
            show=show or ("html" if html else "text"),
            row=_row(found),
            headers=[(name, parsed[name]) for name in _SHOWN if parsed[name]],
            has_html=bool(html),
            text=text,
            source=found.raw.decode("ascii", "backslashreplace"),
            one_click=link,
        )

    @app.get("/letters/{number}/html")
    def framed(number: int) -> HTMLResponse:
        html = part(read(_find(inbox, number)), "html")
        headers = {"Content-Security-Policy": _FRAME_POLICY}
        return HTMLResponse(html.replace("<head>", f"<head>{_NEW_TAB}", 1), headers=headers)

    return app


_SHOWN = ("From", "To", "Date", "List-Id", "Message-ID")


def _find(inbox: Inbox, number: int) -> ReceivedMessage:
    messages = inbox.messages
    if not 1 <= number <= len(messages):
        raise HTTPException(404)
    return messages[number - 1]


def _row(message: ReceivedMessage) -> dict[str, object]:
    parsed = read(message)
    return {
        "number": message.number,
        "to": ", ".join(message.recipients),
        "subject": parsed["Subject"],
        "language": parsed["Content-Language"],
        "kind": _kind(parsed),
        "size": f"{len(message.raw) / 1000:.0f} kB",
    }


def _kind(message: EmailMessage) -> str:
    return "issue" if message["List-Id"] else "service"


def _page(name: str, form_action: str = "'none'", **facts: object) -> HTMLResponse:
    html = LOOKS.get_template(f"{name}.html.j2").render(**facts)
    headers = {"Content-Security-Policy": _POLICY + form_action, "Cache-Control": "no-store"}
    return HTMLResponse(html, headers={**headers, "Referrer-Policy": "no-referrer"})


class _Server(uvicorn.Server):
    """A web server that leaves the signals to the demo."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def showing(inbox: Inbox, form: str, port: int) -> AsyncIterator[None]:
    """Serve the inbox's pages on this port of the loopback host."""
    config = uvicorn.Config(
        create_inbox(inbox, form),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    with socket.create_server(("127.0.0.1", port)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving
