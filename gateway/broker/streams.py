"""Streams: queues that keep what was read, so that each reader begins where it left off (RabbitMQ's own queue type).

Read over AMQP 0-9-1: `x-stream-offset` says where to begin, a prefetch is demanded, and each delivery bears its offset
in a header. Measured on RabbitMQ 3.10: who asks for an offset that retention has dropped gets, without a word, the
first that is left; who asks for one beyond the end gets nothing below it; and each new segment file takes an offset
for itself. The broker refuses the argument for other kinds of queues, so reading takes nothing from those. For a moment
after the broker has started, it does not find its streams and routes nothing to them, and refuses to declare them: who
declares them anew before publishing loses nothing.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, Literal

import aiormq.abc
import aiormq.exceptions
from aio_pika.abc import AbstractChannel, AbstractConnection

from gateway.broker._tap import TapTransport
from gateway.broker.delivery import Delivery
from gateway.broker.intake import Intake
from gateway.broker.session import Access, SessionLost, cause, closed, connect, never_called
from gateway.endpoints.amqp import HeaderValue

OFFSET: Final = "x-stream-offset"
_TAG: Final = "cimgate.stream"
_TIMEOUT: Final = 20.0

Position = int | Literal["first", "last"]
"""Where reading begins: at an offset, at the oldest that is kept, or with the latest messages that were stored."""


class NoStream(LookupError):  # noqa: N818 - says the state
    """There is no queue of that name, it is no stream, or the broker has not found it again after a restart."""


@dataclass(frozen=True, slots=True)
class StreamMessage:
    """A message of a stream. `published` is in seconds since 1970, 0 where it is not known."""

    offset: int
    body: bytes
    headers: dict[str, HeaderValue]
    published: float

    @classmethod
    def of(cls, delivery: Delivery) -> "StreamMessage":
        """Read what the broker handed over."""
        headers = delivery.properties().headers
        offset = headers.pop(OFFSET)
        return cls(int(offset), delivery.body, headers, delivery.said[2])


class StreamReader:
    """Reads one stream. The broker sends some `prefetch` messages ahead of what is called done.

    It can be more by those that were stored together with the last of them.
    """

    def __init__(
        self,
        channel: AbstractChannel,
        underlay: aiormq.abc.AbstractChannel,
        tap: TapTransport,
        lost: asyncio.Future[None],
    ) -> None:
        self._channel = channel
        self._underlay = underlay
        self._tap = tap
        self._lost = lost
        self._intake = Intake(tap, underlay.number)
        self._intake.cancelled.add_done_callback(self._on_end)
        underlay.closing.add_done_callback(self._on_end)
        self._handed_out: list[Delivery] = []

    async def begin(self, queue: str, position: Position, prefetch: int) -> None:
        """Start to read. Raises `NoStream`, or the client's own errors."""
        await self._underlay.basic_qos(prefetch_count=prefetch)
        try:
            await self._underlay.basic_consume(queue, never_called, consumer_tag=_TAG, arguments={OFFSET: position})
        except (aiormq.exceptions.ChannelNotFoundEntity, aiormq.exceptions.ChannelPreconditionFailed) as error:
            raise NoStream(f"The broker has no stream {queue}: {cause(error)}.") from error

    async def batch(self, limit: int, seconds: float) -> list[StreamMessage]:
        """Wait for messages and give up to `limit`, in their order; none where none has come in so many seconds.

        Raises `SessionLost` when reading has ended.
        """
        waiting = asyncio.ensure_future(self._intake.batch(limit))
        ends: set[asyncio.Future[Any]] = {waiting, self._lost}
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                self._handed_out += (deliveries := waiting.result())
                return [StreamMessage.of(delivery) for delivery in deliveries]
        finally:
            waiting.cancel()  # what it has not handed over stays at hand
        if self._lost.done():
            self._lost.result()
        return []

    def done(self) -> None:
        """Tell the broker that what was handed out is done with, and that it may send more."""
        for delivery in self._handed_out:
            self._intake.settle(delivery)
        self._handed_out.clear()
        self._intake.acknowledge()

    async def close(self) -> None:
        """End reading; what was read stays in the stream."""
        try:
            await asyncio.wait_for(self._channel.close(), _TIMEOUT)
        except (TimeoutError, ConnectionError, aiormq.exceptions.AMQPError):
            pass  # the connection is gone, and the channel with it
        finally:
            if self._tap.handlers.get(self._underlay.number) is self._intake:  # else another channel has the number
                del self._tap.handlers[self._underlay.number]

    def _on_end(self, future: asyncio.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if not self._lost.done():
            self._lost.set_exception(SessionLost(cause(error) if error else "The channel was closed."))


class Streams:
    """One connection for all readers: opened when the first comes, and anew for the next after it was lost."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._tap = TapTransport()
        self._connection: AbstractConnection | None = None
        self._opening: asyncio.Task[AbstractConnection] | None = None
        self._lost: set[asyncio.Future[None]] = set()

    async def read(self, queue: str, position: Position, *, prefetch: int) -> StreamReader:
        """Begin to read a stream; the reader is to be closed.

        Raises `NoStream`; `BrokerUnreachable`, `LoginRefused` or `SessionLost` where the broker is away.
        """
        connection = await self._connected()
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lost.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._lost.add(lost)
        lost.add_done_callback(self._lost.discard)
        try:
            async with asyncio.timeout(_TIMEOUT):
                channel = await connection.channel(publisher_confirms=False)
                underlay = await channel.get_underlay_channel()
        except (TimeoutError, RuntimeError, ConnectionError, aiormq.exceptions.AMQPError) as error:
            lost.cancel()
            raise SessionLost(f"The stream {queue} cannot be read: {cause(error)}.") from error
        reader = StreamReader(channel, underlay, self._tap, lost)
        try:
            async with asyncio.timeout(_TIMEOUT):
                await reader.begin(queue, position, prefetch)
        except (TimeoutError, ConnectionError, aiormq.exceptions.AMQPError) as error:
            await reader.close()
            raise SessionLost(f"The stream {queue} cannot be read: {cause(error)}.") from error
        except BaseException:
            await reader.close()
            raise
        return reader

    async def close(self) -> None:
        """Close the connection, and with it all readers."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._connection is not None:
            await closed(self._connection)

    async def _connected(self) -> AbstractConnection:
        if self._connection is not None and not self._connection.is_closed:
            return self._connection
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)  # several wait for it, and one that goes must not end it

    async def _open(self) -> AbstractConnection:
        tap = TapTransport()
        connection = await connect(self._access, "streams", tap)
        connection.close_callbacks.add(self._on_closed)
        self._tap, self._connection = tap, connection
        return connection

    def _on_closed(self, _: object, error: BaseException | None) -> None:
        self._connection = None
        for lost in tuple(self._lost):
            if not lost.done():
                lost.set_exception(SessionLost(f"The connection was closed: {cause(error) if error else 'by us'}."))
