"""A partner's HTTP server on loopback: keeps what is posted to it, and answers as the test says."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web
from lxml import etree
from multidict import CIMultiDictProxy

from tests.e2e.harness import PATIENCE


@dataclass(frozen=True)
class Post:
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes

    def text_of(self, name: str) -> str | None:
        return etree.fromstring(self.body).findtext(f".//{{*}}{name}")


class Inbox:
    """`statuses` are those of the next answers by path, then 200. Posts to `hanging` are not answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.posts: list[Post] = []
        self.statuses: dict[str, list[int]] = {}
        self.headers: dict[str, str] = {}
        self.hanging: set[str] = set()
        self._came = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        async with self._came:
            self.posts.append(Post(request.path_qs, request.headers, await request.read()))
            self._came.notify_all()
        if request.path in self.hanging:
            await asyncio.Event().wait()
        left = self.statuses.get(request.path)
        return web.Response(status=left.pop(0) if left else 200, headers=self.headers, text="so it is")

    async def got(self, count: int, path: str = "") -> list[Post]:
        """Wait until so many have been posted to a path that begins so."""
        async with self._came, asyncio.timeout(PATIENCE):
            await self._came.wait_for(lambda: len(self.at(path)) >= count)
        return self.at(path)

    def at(self, path: str) -> list[Post]:
        return [post for post in self.posts if post.path.startswith(path)]

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{any:.*}", self.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            yield
        finally:
            await runner.cleanup()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
