"""A TCP proxy between gateway and broker that can cut, go silent, or let only little through."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from yarl import URL


class Proxy:
    """Forwards to the broker of `target`; `url` leads through it.

    `silence()` keeps connections open and forwards nothing more: a half-open network. `cut()` resets all connections.
    `slow(seconds)` pauses before each piece that is forwarded.
    """

    def __init__(self, target: str) -> None:
        self._target = URL(target)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._pause = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    def silence(self) -> None:
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def slow(self, seconds: float) -> None:
        self._pause = seconds

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.host, self._target.port)
        self._writers |= {writer, back}
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._forward(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                await self._flowing.wait()
                await asyncio.sleep(self._pause)
                sink.write(data)
                await sink.drain()
        sink.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = str(self._target.with_host("127.0.0.1").with_port(port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
