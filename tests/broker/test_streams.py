"""Streams as the broker has them: where reading begins, what retention does to readers, and how reading ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
import pytest_asyncio

from gateway.broker import Access, SessionLost
from gateway.broker.streams import NoStream, StreamMessage, StreamReader, Streams
from tests.conftest import Broker
from tests.e2e.harness import PATIENCE, until

SMALL = {"x-max-length-bytes": 200_000, "x-stream-max-segment-size-bytes": 50_000}


class Writer:
    """Publishes to a headers exchange from which a stream takes, each with a confirm."""

    def __init__(
        self, channel: aio_pika.abc.AbstractChannel, exchange: aio_pika.abc.AbstractExchange, queue: str
    ) -> None:
        self._channel = channel
        self._exchange = exchange
        self.queue = queue

    async def stream(self, **arguments: Any) -> None:
        queue = await self._channel.declare_queue(
            self.queue, durable=True, arguments={"x-queue-type": "stream", **arguments}
        )
        await queue.bind(self._exchange, arguments={"x-match": "all", "for": self.queue})

    async def write(self, count: int, size: int = 10) -> None:
        headers: dict[str, Any] = {"for": self.queue}
        message = aio_pika.Message(b"x" * size, headers=headers, timestamp=1_700_000_000)
        await asyncio.gather(*(self._exchange.publish(message, "") for _ in range(count)))

    async def delete(self) -> None:
        await self._channel.queue_delete(self.queue)


@pytest_asyncio.fixture
async def writer(amqp_url: str) -> AsyncIterator[Writer]:
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.declare_exchange("events", aio_pika.ExchangeType.HEADERS, durable=True)
        made = Writer(channel, exchange, "cim.sub.test")
        yield made
        if not channel.is_closed:  # a test may close all connections
            await made.delete()
            await channel.exchange_delete("events")


@pytest_asyncio.fixture
async def streams(amqp_url: str) -> AsyncIterator[Streams]:
    opened = Streams(Access(amqp_url, "test"))
    yield opened
    await opened.close()


async def next_of(reader: StreamReader, count: int) -> list[StreamMessage]:
    """Read so many messages, each done with before more are wanted."""
    found: list[StreamMessage] = []
    while len(found) < count:
        batch = await reader.batch(count - len(found), PATIENCE)
        assert batch, f"{len(found)} of {count} have come"
        found += batch
        reader.done()
    return found


async def test_each_reader_begins_where_it_wants_and_takes_nothing_from_the_others(
    writer: Writer, streams: Streams
) -> None:
    await writer.stream()
    await writer.write(30)
    for begin, expected in (("first", range(30)), (12, range(12, 30)), ("first", range(30))):
        reader = await streams.read(writer.queue, begin, prefetch=5)  # type: ignore[arg-type]
        assert [message.offset for message in await next_of(reader, len(expected))] == list(expected)
        assert await reader.batch(1, 0.05) == []
        await reader.close()
    reader = await streams.read(writer.queue, 29, prefetch=5)
    [last] = await next_of(reader, 1)
    assert (last.body, last.headers, last.published) == (b"x" * 10, {"for": writer.queue}, 1_700_000_000)
    await writer.write(1)
    assert [message.offset for message in await next_of(reader, 1)] == [30]


async def test_the_broker_waits_for_one_who_is_not_done(writer: Writer, streams: Streams) -> None:
    await writer.stream()
    for _ in range(20):  # one by one: what is stored together is sent together, beyond the prefetch
        await writer.write(1)
    reader = await streams.read(writer.queue, "first", prefetch=5)
    held: list[StreamMessage] = []
    while batch := await reader.batch(20, 0.3):
        held += batch
    assert 5 <= len(held) < 20
    reader.done()
    assert [message.offset for message in await next_of(reader, 20 - len(held))] == list(range(len(held), 20))


async def test_what_is_no_stream_is_not_read_from(amqp_url: str, writer: Writer, streams: Streams) -> None:
    with pytest.raises(NoStream, match=f"no queue '{writer.queue}'"):
        await streams.read(writer.queue, "first", prefetch=5)
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(writer.queue, durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"for somebody else"), writer.queue)
        with pytest.raises(NoStream, match="invalid arg 'x-stream-offset'"):
            await streams.read(writer.queue, "first", prefetch=5)
        assert (await (await channel.get_queue(writer.queue)).get()).body == b"for somebody else"
        await channel.queue_delete(writer.queue)
    await writer.stream()
    await writer.write(1)
    assert await next_of(await streams.read(writer.queue, "first", prefetch=5), 1)


async def test_a_reader_whose_place_is_gone_or_overtaken_gets_the_first_that_is_left(
    writer: Writer, streams: Streams
) -> None:
    await writer.stream(**SMALL)
    await writer.write(40, 1_000)
    slow = await streams.read(writer.queue, "first", prefetch=2)
    assert [message.offset for message in await slow.batch(2, PATIENCE)] == [0, 1]

    async def much_is_gone() -> bool:
        await writer.write(200, 1_000)
        reader = await streams.read(writer.queue, 0, prefetch=1)
        [message] = await reader.batch(1, PATIENCE)
        await reader.close()
        return message.offset > 1_000  # more than the segment that the slow one still has open

    await until(much_is_gone, "retention drops more than the beginning")
    slow.done()
    before, after = 1, 2
    while after <= before + 2:  # it reads the segment to its end, and is where the stream begins by now
        before = after
        [message] = await next_of(slow, 1)
        after = message.offset
    assert after > before + 500


async def test_reading_ends_with_the_stream_and_with_the_connection_and_can_begin_anew(
    broker: Broker, writer: Writer, streams: Streams
) -> None:
    await writer.stream()
    reader = await streams.read(writer.queue, "first", prefetch=5)
    await writer.delete()
    with pytest.raises(SessionLost, match="cancelled"):
        await reader.batch(1, PATIENCE)
    await writer.stream()
    await writer.write(1)
    reader = await streams.read(writer.queue, "first", prefetch=5)
    assert await next_of(reader, 1)
    await broker.close_connections()
    with pytest.raises(SessionLost, match="closed by a test"):
        await reader.batch(1, PATIENCE)
    assert await next_of(await streams.read(writer.queue, "first", prefetch=5), 1)
