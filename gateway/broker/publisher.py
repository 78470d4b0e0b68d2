"""Confirmed publishing without a task or a future for each message."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.broker import _wire
from gateway.broker._tap import TapTransport
from gateway.broker.delivery import Delivery
from gateway.crashpoints import crash_point
from gateway.endpoints import AmqpAddress, Publication
from gateway.endpoints.amqp import SHORT_STRING

_WRITE_AT_ONCE: Final = 262_144


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a publication reached no queue. `unroutable`: no queue is bound there; else the broker refused it for now."""

    unroutable: bool
    text: str


class Outcomes(Protocol):
    """Who is told what became of publications."""

    def settled(self, delivery: Delivery) -> None:
        """Everything published for this delivery is confirmed."""

    def failed(self, delivery: Delivery, publication: Publication, failure: Failure) -> None:
        """One publication reached no queue; it stays outstanding until it is `forgotten`."""

    def progressed(self) -> None:
        """Hear that the confirms at hand have been told: a good moment to acknowledge."""


class Publisher:
    """The publishing channel. `publish` only queues; `flush` writes all of a batch in one go.

    A confirm says that a queue has the message on disk; RabbitMQ confirms unroutable ones too, after returning them,
    so a return is remembered until its confirm. Each publish gets a fresh message_id, which also tells a return's
    publication.
    """

    def __init__(
        self, tap: TapTransport, channel: int, frame_max: int, outcomes: Outcomes, *, prefix: str,
        clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._tap = tap
        self._channel = channel
        self._frame_max = frame_max
        self._outcomes = outcomes
        self._prefix = prefix
        self._clock = clock
        self._monotonic = monotonic
        self._sent = 0
        self._oldest = 1
        self._pending: dict[int, tuple[Delivery, Publication]] = {}
        self._returned: dict[int, str] = {}
        self._methods: dict[tuple[AmqpAddress, bool], bytes] = {}
        self._parts: list[bytes] = []
        self._size = 0
        self._return: _wire.Returned | None = None
        self._return_missing = 0
        self._return_id = ""
        self._progress_at = monotonic()
        tap.handlers[channel] = self

    @property
    def pending(self) -> int:
        """How many publications wait for their confirm."""
        return len(self._pending)

    def waiting_for(self) -> float:
        """Seconds since the last confirm while some are due; 0 when none is."""
        return self._monotonic() - self._progress_at if self._pending else 0.0

    def publish(self, publication: Publication, delivery: Delivery) -> None:
        """Queue one publication on behalf of a delivery."""
        if not self._pending:
            self._progress_at = self._monotonic()
        self._sent += 1
        address = publication.address
        kept = address, publication.mandatory
        method = self._methods.get(kept)
        if method is None:
            method = self._methods[kept] = _wire.publish_method(
                self._channel, address.exchange, address.routing_key, mandatory=publication.mandatory
            )
        given = publication.properties
        encoded = _wire.properties(
            message_id=f"{self._prefix}-{self._sent}",
            timestamp=int(self._clock()),
            content_type=given.content_type,
            correlation_id=_fitting(given.correlation_id),
            reply_to=_fitting(given.reply_to),
            message_type=_fitting(given.type),
            app_id=_fitting(given.app_id),
            headers=given.headers,
        )
        self._parts.append(method)
        self._parts.extend(_wire.content(self._channel, encoded, publication.body, self._frame_max))
        self._size += len(publication.body)
        delivery.outstanding += 1
        self._pending[self._sent] = (delivery, publication)
        if self._size > _WRITE_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write what is queued. Raises ConnectionResetError where the connection is being closed."""
        if self._parts:
            crash_point("write")
            try:
                self._tap.writer.write(b"".join(self._parts))
            except RuntimeError as error:  # what asyncio says of a socket whose end is written
                raise ConnectionResetError("The connection is being closed.") from error
            self._parts, self._size = [], 0
            crash_point("written")

    async def drain(self) -> None:
        """Wait while the socket takes no more: the broker is slow or blocks us."""
        await self._tap.writer.drain()

    def forget(self, delivery: Delivery) -> None:
        """Take a failed publication off a delivery's account: it has been replaced, or given up for good."""
        delivery.outstanding -= 1
        if delivery.outstanding == 0:
            self._outcomes.settled(delivery)

    def frame(self, kind: int, payload: bytes) -> bool:
        """Take confirms and returns; the library handles the rest of the channel."""
        if kind == _wire.METHOD:
            match _wire.method_of(payload):
                case _wire.BASIC_ACK:
                    self._confirm(*_wire.confirmation(payload), refused=False)
                case _wire.BASIC_NACK:
                    self._confirm(*_wire.confirmation(payload), refused=True)
                case _wire.BASIC_RETURN:
                    self._return = _wire.returned(payload)
                case _:
                    return False
            return True
        if self._return is None:
            return False
        if kind == _wire.HEADER:
            self._return_id = _wire.content_header(payload).properties.message_id or ""
            self._return_missing = _wire.body_size(payload)
        else:
            self._return_missing -= len(payload)
        if self._return_missing <= 0:
            self._returned[int(self._return_id.rpartition("-")[2])] = (
                f"{self._return.text} ({self._return.code}): no queue takes messages at exchange "
                f"'{self._return.exchange}', routing key '{self._return.routing_key}'."
            )
            self._return = None
        return True

    def pause(self) -> None:
        """Tell that the confirms at hand have been worked off."""
        self._outcomes.progressed()

    def _confirm(self, sequence: int, multiple: bool, *, refused: bool) -> None:  # noqa: FBT001 - as on the wire
        self._progress_at = self._monotonic()
        for number in range(self._oldest, sequence + 1) if multiple else (sequence,):
            entry = self._pending.pop(number, None)
            if entry is not None:
                self._tell(number, *entry, refused=refused)
        if multiple:
            self._oldest = max(self._oldest, sequence + 1)

    def _tell(self, number: int, delivery: Delivery, publication: Publication, *, refused: bool) -> None:
        if refused:
            text = f"The broker refused the message for {publication.address} (a queue at its limit, or a lost leader)."
            self._outcomes.failed(delivery, publication, Failure(unroutable=False, text=text))
        elif self._returned and (text := self._returned.pop(number, "")):
            self._outcomes.failed(delivery, publication, Failure(unroutable=True, text=text))
        else:
            delivery.outstanding -= 1
            if delivery.outstanding == 0:
                self._outcomes.settled(delivery)


def _fitting(text: str) -> str:
    # A longer id does not fit an AMQP property; the envelope, which is the authority, carries it all the same.
    return text if len(text) <= SHORT_STRING // 4 or len(text.encode()) <= SHORT_STRING else ""
