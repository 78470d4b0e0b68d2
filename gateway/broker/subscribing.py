"""The queues of subscriptions: what they are, their bindings at `cim.events`, how many events wait in them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, Self

import aiormq.exceptions
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from gateway.broker.session import Access, SessionLost, connect
from gateway.broker.topology import EVENTS, Binding, Queue, Topology, apply
from gateway.subscriptions import Delivery, Subscription, ToFeed, ToFile, ToQueue, ToWebhook, queue_of, selection

_QUORUM: Final = ("x-queue-type", "quorum")
_LARGEST_SEGMENT: Final = 500_000_000
_SMALLEST_SEGMENT: Final = 1_000_000
_SEGMENTS: Final = 4


@dataclass(frozen=True, slots=True)
class Waiting:
    """The broker's count: events that wait (in a stream: that are kept), and consumers.

    What consumers have in hand unacknowledged is in neither: AMQP does not tell it.
    """

    events: int
    consumers: int


def topology_of_subscription(subscription: Subscription) -> Topology:
    """Lay out what a subscription needs on the broker. An exchange that is there already stays as it is."""
    queue = Queue(subscription.queue, f"events for subscription {subscription.name}", _options(subscription.delivery))
    bindings = (
        Binding(EVENTS.name, queue.name, headers=headers) for headers in selection(subscription).bindings
    )  # fmt: skip
    return Topology("", (EVENTS,), (queue,), tuple(bindings))


class SubscriptionQueues:
    """The queues of subscriptions, over a connection of its own. Every call may raise `SessionLost`."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, access: Access) -> AsyncIterator[Self]:
        """Connect for the length of a block. Raises `LoginRefused` or `BrokerUnreachable`."""
        connection = await connect(access, "subscriptions")
        try:
            with _broken():
                yield cls(connection)
        finally:
            await connection.close()

    async def declare(self, subscription: Subscription) -> None:
        """Make queue and bindings; what is there already stays. Raises `TopologyError`."""
        with _broken():
            await apply(self._connection, topology_of_subscription(subscription))

    async def waiting(self, name: str) -> Waiting | None:
        """Count what waits for a subscription; None where its queue is missing."""
        channel = await self._connection.channel()
        try:
            told = (await channel.declare_queue(queue_of(name), passive=True)).declaration_result
        except ChannelNotFoundEntity:
            return None
        await channel.close()
        return Waiting(told.message_count or 0, told.consumer_count or 0)

    async def delete(self, name: str) -> None:
        """Delete the queue with its bindings and whatever waits in it. Nothing happens where there is none."""
        channel = await self._connection.channel()
        await channel.queue_delete(queue_of(name))
        await channel.close()


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except aiormq.exceptions.AMQPError as error:
        raise SessionLost(f"The broker broke off: {str(error).strip() or type(error).__name__}.") from error


def _options(delivery: Delivery) -> tuple[tuple[str, str | int | bool], ...]:
    match delivery:
        case ToQueue():
            return (_QUORUM,)
        case ToWebhook() | ToFile():
            # One of the gateways at a time, and another if it ends: so their order holds.
            return (_QUORUM, ("x-single-active-consumer", True))
        case ToFeed(keep_seconds=seconds, keep_bytes=size):
            # A stream drops whole segments, so they must be smaller than what is kept.
            segment = max(_SMALLEST_SEGMENT, min(_LARGEST_SEGMENT, size // _SEGMENTS))
            return (
                ("x-queue-type", "stream"),
                ("x-max-age", f"{seconds}s"),
                ("x-max-length-bytes", size),
                ("x-stream-max-segment-size-bytes", segment),
            )
