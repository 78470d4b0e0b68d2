"""A feed on a loopback port, the streams it reads, and clients that listen over HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aio_pika
import aiohttp
import pytest_asyncio

from gateway.adapters.subscribers import event_headers
from gateway.broker import Access
from gateway.broker.streams import Streams
from gateway.feed import Feed, Renderer, Terms, Token
from gateway.message import DEFAULT_LIMITS, read
from gateway.message.subjects import subjects_of
from gateway.outages import OutageCodes
from tests.e2e.harness import PATIENCE
from tests.e2e.traffic import parts
from tests.feed.clients import Client

EXCHANGE = "feed-events"
PUBLISHED = 1_772_337_610  # 2026-03-01T04:00:10Z
QUICK = Terms(heartbeat=0.2, patience=PATIENCE, missing=0.3, proof=0.5)


class Subscription:
    """A stream such as a subscription with a feed has, and events for it."""

    def __init__(
        self, channel: aio_pika.abc.AbstractChannel, exchange: aio_pika.abc.AbstractExchange, name: str
    ) -> None:
        self._channel = channel
        self._exchange = exchange
        self.name = name
        self.queue = f"cim.sub.{name}"

    async def make(self, **arguments: Any) -> None:
        """Make the stream, as `cimgate subscriptions create` does."""
        arguments = {"x-queue-type": "stream", **arguments}
        queue = await self._channel.declare_queue(self.queue, durable=True, arguments=arguments)
        await queue.bind(self._exchange, self.name)

    async def delete(self) -> None:
        await self._channel.queue_delete(self.queue)

    async def publish(self, *bodies: bytes, **headers: Any) -> None:
        """Publish events as the gateway does, one after the other."""
        for body in bodies:
            event = read(body)
            told: dict[str, Any] = {**event_headers(event, subjects_of(event)), **headers}
            await self.publish_raw(body, told)

    async def publish_raw(self, body: bytes, headers: dict[str, Any]) -> None:
        await self._exchange.publish(aio_pika.Message(body, headers=headers, timestamp=PUBLISHED), self.name)

    async def outages(self, count: int, padding: int = 0) -> None:
        """Publish so many power failures, at once."""
        made = parts("EndDeviceEvents", "created")
        made.header_end = f"<Property><Name>p</Name><Value>{'x' * padding}</Value></Property>" if padding else ""
        body = made.xml()
        headers = {"cim-noun": "EndDeviceEvents", "cim-verb": "created"}
        await asyncio.gather(*(self.publish_raw(body, headers) for _ in range(count)))


@pytest_asyncio.fixture
async def subscription(amqp_url: str) -> AsyncIterator[Subscription]:
    """A subscription as its publisher sees it, whose stream is deleted in the end."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel(on_return_raises=True)
        made = Subscription(channel, await channel.declare_exchange(EXCHANGE, durable=True), "outages")
        yield made
        await made.delete()
        await channel.exchange_delete(EXCHANGE)


class Served:
    """A running feed and its address."""

    def __init__(self, feed: Feed, session: aiohttp.ClientSession, url: str) -> None:
        self.feed = feed
        self.session = session
        self.url = url

    @contextlib.asynccontextmanager
    async def client(self, name: str, query: str = "", **headers: str) -> AsyncIterator[Client]:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        async with self.session.get(f"{self.url}/subscriptions/{name}/events{query}", headers=named) as response:
            assert response.status == 200, await response.text()
            yield Client(response)

    async def refusal(self, path: str, **headers: str) -> tuple[int, dict[str, str]]:
        """Give status and answer of a request that gets no events."""
        async with self.session.get(self.url + path, headers=headers) as response:
            assert response.status != 200
            return response.status, await response.json()


@contextlib.asynccontextmanager
async def serving(url: str, tokens: Sequence[Token] = (), terms: Terms = QUICK, port: int = 0) -> AsyncIterator[Served]:
    renderer = Renderer(OutageCodes(), DEFAULT_LIMITS, 50_000, lambda: PUBLISHED)
    feed = Feed(Streams(Access(url, "feed test")), renderer, tokens, terms, lambda: True)
    port = await feed.start("127.0.0.1", port)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=PATIENCE)) as session:
            yield Served(feed, session, f"http://127.0.0.1:{port}")
    finally:
        await feed.close()
