"""A way to a database server that can be cut, as when it is restarted, or fall silent."""

import asyncio
import contextlib
from threading import Event, Thread
from typing import Self


class Proxy:
    """`with Proxy(socket_path) as proxy:` passes `proxy.port` on to a server's Unix socket."""

    def __init__(self, path: str) -> None:
        self.port = 0
        self._path = path
        self._up = True
        self._passing = asyncio.Event()
        self._passing.set()
        self._ready = Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._leave = asyncio.Event()
        self._thread = Thread(target=lambda: self._loop.run_until_complete(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Break every connection, and let no new one through."""
        self._up = False
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def hold(self) -> None:
        """Keep every connection, and pass nothing on: a server that hangs."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def mend(self) -> None:
        """Let connections through again."""
        self._up = True
        self._loop.call_soon_threadsafe(self._passing.set)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._leave.wait()
        server.close()
        talking = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        await asyncio.wait(talking, timeout=5) if talking else None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._up:
            writer.transport.abort()
            return
        await self._passing.wait()
        behind, before = await asyncio.open_unix_connection(self._path)
        self._writers |= {writer, before}
        await asyncio.gather(self._pass(reader, before), self._pass(behind, writer))
        self._writers -= {writer, before}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while octets := await reader.read(65536):
                await self._passing.wait()
                writer.write(octets)
                await writer.drain()
        writer.close()
