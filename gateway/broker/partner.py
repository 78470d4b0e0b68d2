"""A partner of the gateway: sends to it and sees what arrives, for `cimgate send`, the demo and end-to-end tests.

It uses the client library as it comes, a callback a message: it is for people and tests, not for the hot path.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from pamqp.common import FieldTable

from gateway.broker.session import Access, BrokerUnreachable, connect
from gateway.broker.topology import DEAD, QUORUM, Binding
from gateway.endpoints.amqp import IN_EXCHANGE
from gateway.message import Header, MessageKind
from gateway.message.verbs import EVENT_VERBS


class NotTaken(RuntimeError):  # noqa: N818 - says what happened
    """The broker took no message: the gateway's exchange is missing, or a queue is full."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it reached a queue."""

    queue: str
    body: bytes
    routing_key: str
    type: str
    correlation_id: str
    headers: dict[str, str | int | bool]


def intake_key(context: str, header: Header | None, kind: MessageKind | None) -> str:
    """Give the routing key under which a system publishes to the gateway: REQUESTS or EVENTS, noun and verb.

    For what has no readable header the words are `-`: the gateway takes it and says what is wrong.
    """
    if header is None or kind is MessageKind.FAULT:
        return f"{context}.REQUESTS.-.-"
    branch = "EVENTS" if kind is MessageKind.EVENT or (kind is None and header.verb in EVENT_VERBS) else "REQUESTS"
    return f"{context}.{branch}.{_word(header.noun)}.{_word(header.verb)}"


def _word(text: str) -> str:
    return "".join(c for c in text if c.isalnum() or c in "-_")[:60] or "-"


class Partner:
    """One connection of a partner. What arrives at watched queues is collected in `arrivals`, in order."""

    def __init__(self, connection: AbstractConnection, channel: AbstractChannel) -> None:
        self._connection = connection
        self._channel = channel
        self._exchange: AbstractExchange | None = None
        self.reply_queue = ""
        self.arrivals: asyncio.Queue[Arrival] = asyncio.Queue()
        self._lost = asyncio.Event()
        connection.close_callbacks.add(lambda *_: self._lost.set())

    @classmethod
    async def open(cls, access: Access, purpose: str = "partner") -> Self:
        """Connect. Raises `LoginRefused` or `BrokerUnreachable`."""
        connection = await connect(access, purpose)
        channel = await connection.channel(on_return_raises=True)
        return cls(connection, channel)

    async def send(self, body: bytes, key: str, *, reply_to: str = "", correlation_id: str = "") -> None:
        """Publish to the gateway and wait until the broker has the message. Raises `NotTaken`."""
        try:
            if self._exchange is None:
                self._exchange = await self._channel.get_exchange(IN_EXCHANGE, ensure=True)
            await self._exchange.publish(
                aio_pika.Message(
                    body,
                    content_type="application/xml",
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    message_id=str(uuid.uuid4()),
                    correlation_id=correlation_id or None,
                    reply_to=reply_to or None,
                ),
                routing_key=key,
                mandatory=True,
            )
        except ChannelNotFoundEntity as error:
            raise NotTaken(
                f"The broker has no exchange {IN_EXCHANGE}: start the gateway (cimgate run), or cimgate topology apply."
            ) from error
        except (DeliveryError, PublishError) as error:
            raise NotTaken(f"The broker took no message with routing key {key}: {error}.") from error

    async def send_to_queue(self, body: bytes, queue: str) -> None:
        """Publish straight to a queue, as a system does that answers at a ReplyAddress. Raises `NotTaken`."""
        message = aio_pika.Message(body, content_type="application/xml", message_id=str(uuid.uuid4()))
        try:
            await self._channel.default_exchange.publish(message, routing_key=queue, mandatory=True)
        except (DeliveryError, PublishError) as error:
            raise NotTaken(f"The broker took no message for the queue {queue}: {error}.") from error

    async def depth(self, queue: str) -> tuple[int, int] | None:
        """Give how many messages and consumers a queue has; None where there is no such queue."""
        channel = await self._connection.channel()
        try:
            result = (await channel.declare_queue(queue, passive=True)).declaration_result
        except ChannelNotFoundEntity:
            return None
        await channel.close()
        return result.message_count or 0, result.consumer_count or 0

    async def purge(self, queue: str) -> None:
        """Empty a queue."""
        await (await self._channel.get_queue(queue, ensure=True)).purge()

    async def watch(self, queue: str) -> None:
        """Take everything from a queue from now on; acknowledged as it arrives."""
        found = await self._channel.get_queue(queue, ensure=True)
        await self._consume(found.name, found)

    async def watch_dead(self) -> None:
        """See copies of all dead letters from now on, without taking any away."""
        queue = await self._channel.declare_queue(exclusive=True, auto_delete=True)
        await queue.bind(DEAD, "#")
        await self._consume(DEAD, queue)

    async def subscribe(self, bindings: Callable[[str], Sequence[Binding]]) -> None:
        """See copies of what a queue of these bindings takes from now on, without taking any away.

        The queue goes with the connection. Raises `NotTaken` where an exchange is missing.
        """
        queue = await self._channel.declare_queue(exclusive=True, auto_delete=True)
        for binding in bindings(queue.name):
            try:
                await queue.bind(binding.exchange, binding.key, arguments=binding.arguments)
            except ChannelNotFoundEntity as error:
                raise NotTaken(f"The broker has no exchange {binding.exchange}: start the gateway first.") from error
        await self._consume(queue.name, queue)

    async def next(self) -> Arrival:
        """Wait for the next message. Raises `BrokerUnreachable` when the connection is lost."""
        coming, lost = asyncio.ensure_future(self.arrivals.get()), asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({coming, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise BrokerUnreachable("The connection to the broker was lost.")
            return coming.result()
        finally:
            coming.cancel()
            lost.cancel()

    async def make_queue(self, name: str, arguments: FieldTable | None = None) -> None:
        """Declare a durable queue of the partner's own, e.g. one that a ReplyAddress names."""
        await self._channel.declare_queue(name, durable=True, arguments=QUORUM | (arguments or {}))

    async def own_queue(self) -> str:
        """Make a queue of the partner's own for replies, and watch it; it goes with the connection."""
        queue = await self._channel.declare_queue(f"cim.reply.{uuid.uuid4().hex}", exclusive=True, auto_delete=True)
        await self._consume(queue.name, queue)
        self.reply_queue = queue.name
        return queue.name

    async def _consume(self, name: str, queue: aio_pika.abc.AbstractQueue) -> None:
        async def take(message: AbstractIncomingMessage) -> None:
            self.arrivals.put_nowait(
                Arrival(
                    queue=name,
                    body=message.body,
                    routing_key=message.routing_key or "",
                    type=message.type or "",
                    correlation_id=message.correlation_id or "",
                    headers={k: v if isinstance(v, str | int | bool) else repr(v) for k, v in message.headers.items()},
                )
            )
            await message.ack()

        await queue.consume(take)

    async def close(self) -> None:
        """Close the connection; what was not acknowledged goes back to its queue."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
