"""As much of an IMAP server (RFC 3501) as a collector needs, in a thread of its own."""

import re
import socketserver
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class _Session(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self._say(b"* OK here")
        while line := self.rfile.readline():
            tag, _, rest = line.strip().partition(b" ")
            command = rest.decode()
            if not self._answer(tag, command):
                return

    def _answer(self, tag: bytes, command: str) -> bool:
        acts: tuple[tuple[str, Callable[[re.Match[str]], bytes]], ...] = (
            (r"CAPABILITY", self._capability),
            (r'LOGIN back "se\\"cret"', lambda _: b"OK"),
            (r'SELECT "IN BOX"', lambda _: b"OK"),
            (r"UID SEARCH UNSEEN UNDELETED", self._search),
            (r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.\d+>\)", self._fetch),
            (r"UID STORE (\d+) \+FLAGS\.SILENT \((.*)\)", self._store),
            (r"EXPUNGE", self._expunge),
            (r"LOGOUT", lambda _: b"OK"),
        )
        for pattern, act in acts:
            if found := re.fullmatch(pattern, command):
                self._say(tag + b" " + act(found) + b" done")
                return not command.startswith("LOGOUT")
        self._say(tag + b" NO " + command.encode())
        return True

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def _capability(self, _: re.Match[str]) -> bytes:
        self._say(b"* CAPABILITY IMAP4rev1")
        return b"OK"

    def _search(self, _: re.Match[str]) -> bytes:
        mailbox = self.server.mailbox
        unseen = [uid for uid in sorted(mailbox.messages) if not mailbox.flags[uid]]
        self._say(b"* SEARCH " + " ".join(map(str, unseen)).encode())
        return b"OK"

    def _fetch(self, asked: re.Match[str]) -> bytes:
        raw = self.server.mailbox.messages[int(asked[1])]
        head = f"* 1 FETCH (UID {asked[1]} BODY[]<0> {{{len(raw)}}}\r\n".encode()
        self.wfile.write(head + raw + b")\r\n")
        return b"OK"

    def _store(self, asked: re.Match[str]) -> bytes:
        self.server.mailbox.flags[int(asked[1])] |= set(asked[2].split())
        return b"OK"

    def _expunge(self, _: re.Match[str]) -> bytes:
        mailbox = self.server.mailbox
        for uid in [u for u in mailbox.messages if "\\Deleted" in mailbox.flags[u]]:
            del mailbox.messages[uid]
        return b"OK"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    mailbox: "ImapServer"


class ImapServer:
    """One mailbox by UID; the user is `back`, the folder `IN BOX`."""

    def __init__(self, messages: dict[int, bytes]) -> None:
        self.messages = dict(messages)
        self.flags: dict[int, set[str]] = {uid: set() for uid in messages}
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.mailbox = self
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
