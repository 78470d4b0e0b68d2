"""Intake: deliveries come in, wait at hand, leave in batches, and are acknowledged in groups once settled."""

import asyncio
from collections import deque
from typing import Final

from gateway.broker import _wire
from gateway.broker._tap import TapTransport
from gateway.broker.delivery import Delivery
from gateway.crashpoints import crash_point

BOUND_TAG: Final = "cimgate.bound"
UNBOUND_TAG: Final = "cimgate.unbound"


class ConsumerCancelled(ConnectionError):  # noqa: N818 - the event's name in AMQP
    """The broker ended a consumer (queue deleted, leader lost): the session is opened anew."""


class Intake:
    """The consuming channel. The broker's prefetch bounds how much waits here.

    Acknowledgements: the longest run of settled deliveries is acknowledged at once (`multiple`). A delivery that must
    wait for long (its receiver's queue is full) is set aside; while one is, the others are acknowledged one by one, so
    that it holds up nobody and is never acknowledged by accident.
    """

    def __init__(self, tap: TapTransport, channel: int) -> None:
        self._tap = tap
        self._channel = channel
        self._arrived: deque[Delivery] = deque()
        self._unacknowledged: deque[Delivery] = deque()
        self._set_aside = 0
        self._wake = asyncio.Event()
        self._emptied = asyncio.Event()
        self._method: _wire.Deliver | None = None
        self._header = b""
        self._missing = 0
        self._parts: list[bytes] = []
        self.cancelled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tap.handlers[channel] = self

    @property
    def in_hand(self) -> int:
        """How many deliveries are not acknowledged yet."""
        return len(self._unacknowledged) + self._set_aside

    def frame(self, kind: int, payload: bytes) -> bool:
        """Take the frames of deliveries; the library handles the rest of the channel."""
        if kind == _wire.METHOD:
            method = _wire.method_of(payload)
            if method == _wire.BASIC_DELIVER:
                self._method = _wire.deliver(payload)
                return True
            if method == _wire.BASIC_CANCEL and not self.cancelled.done():
                self.cancelled.set_exception(ConsumerCancelled("The broker cancelled a consumer of the gateway."))
            return False
        if self._method is None:
            return False
        if kind == _wire.HEADER:
            self._header = payload
            self._missing = _wire.body_size(payload)
        else:
            self._parts.append(payload)
            self._missing -= len(payload)
        if self._missing <= 0:
            self._arrive(self._method)
        return True

    def _arrive(self, method: _wire.Deliver) -> None:
        parts = self._parts
        delivery = Delivery(
            tag=method.delivery_tag,
            body=parts[0] if len(parts) == 1 else b"".join(parts),
            redelivered=method.redelivered,
            exchange=method.exchange,
            routing_key=method.routing_key,
            unbound=method.consumer_tag == UNBOUND_TAG,
            content_header=self._header,
        )
        self._method, self._parts = None, []
        self._arrived.append(delivery)
        self._unacknowledged.append(delivery)

    def pause(self) -> None:
        """Wake whoever waits for a batch."""
        if self._arrived:
            self._wake.set()

    async def batch(self, limit: int) -> list[Delivery]:
        """Wait until something is at hand and take up to `limit` deliveries, in the order they came."""
        while not self._arrived:
            self._wake.clear()
            await self._wake.wait()
        arrived = self._arrived
        return [arrived.popleft() for _ in range(min(limit, len(arrived)))]

    async def emptied(self) -> None:
        """Wait until every delivery taken so far has been settled and acknowledged."""
        while self.in_hand:
            self._emptied.clear()
            await self._emptied.wait()

    def settle(self, delivery: Delivery) -> None:
        """Note that nothing is outstanding for a delivery; `acknowledge` tells the broker."""
        delivery.settled = True
        if delivery.set_aside:
            self._set_aside -= 1
            self._write_ack(delivery.tag, multiple=False)
            self._note_emptied()

    def put_aside(self, delivery: Delivery) -> None:
        """Let a delivery wait without holding up those behind it."""
        if not delivery.set_aside:
            delivery.set_aside = True
            self._set_aside += 1
            self.acknowledge()

    def acknowledge(self) -> None:
        """Acknowledge what is settled, in as few frames as are safe."""
        queue = self._unacknowledged
        tags: list[int] = []
        while queue and (queue[0].settled or queue[0].set_aside):
            head = queue.popleft()
            if not head.set_aside:
                tags.append(head.tag)
        if not tags:
            return
        crash_point("acknowledge")
        if self._set_aside == 0:
            self._write_ack(tags[-1], multiple=True)
        else:
            for tag in tags:
                self._write_ack(tag, multiple=False)
        crash_point("acknowledged")
        self._note_emptied()

    def _note_emptied(self) -> None:
        if not self.in_hand:
            self._emptied.set()

    def _write_ack(self, tag: int, *, multiple: bool) -> None:
        if not self._tap.writer.is_closing():  # a closed channel has given the message back: it will come again
            self._tap.writer.write(_wire.ack(self._channel, tag, multiple=multiple))
