"""A session with the broker: one connection to consume, another to publish, open together and lost together.

Nothing is repaired in place: when any part fails, the whole session is dropped and opened anew, with the topology
applied again. What was not acknowledged comes again from the broker, marked as redelivered.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import aio_pika
import aiormq.abc
import aiormq.exceptions
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ChannelNotFoundEntity,
    ConnectionClosed,
    ProbableAuthenticationError,
)
from yarl import URL

from gateway.broker._tap import BlockedListener, TapTransport
from gateway.broker.intake import BOUND_TAG, UNBOUND_TAG, Intake
from gateway.broker.publisher import Outcomes, Publisher
from gateway.broker.topology import UNBOUND, Topology, apply

log = structlog.get_logger(__name__)

_OPEN_TIMEOUT: Final = 20.0
_NOT_ALLOWED: Final = 530
_CLOSE_TIMEOUT: Final = 5.0
_OUTLET_TAG: Final = "cimgate.outlet."


class BrokerUnreachable(ConnectionError):  # noqa: N818 - says the state
    """No AMQP connection could be opened for now: worth another try."""


class LoginRefused(ConnectionError):  # noqa: N818 - says the state
    """The broker refuses user, password or virtual host: a person has to look at the settings."""


class SessionLost(ConnectionError):  # noqa: N818 - says the state
    """An open session broke; what was in hand comes again."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """A queue of the gateway's own that it consumes for somebody else: what comes from it, and how it is published."""

    intake: Intake
    publisher: Publisher
    channels: tuple[AbstractChannel, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the broker. `url` holds the password and is never logged; heartbeat in seconds."""

    url: str
    name: str
    heartbeat: float = 20.0

    @property
    def shown(self) -> str:
        """The url without its password."""
        url = URL(self.url)
        return str(url.with_password("***")) if url.password else str(url)


class _TappedConnection(aio_pika.Connection):
    """An aio-pika connection whose socket is opened by the tap; nothing else differs."""

    def __init__(self, url: URL, tap: TapTransport) -> None:
        super().__init__(url)
        self.kwargs["transport_factory"] = tap


async def connect(access: Access, purpose: str, tap: TapTransport | None = None) -> AbstractConnection:
    """Open one connection. Raises `LoginRefused` or `BrokerUnreachable`, with a text a person can act on."""
    url = URL(access.url).update_query(heartbeat=str(int(access.heartbeat)), name=f"{access.name} {purpose}")
    connection = _TappedConnection(url, tap or TapTransport())
    try:
        await connection.connect(timeout=_OPEN_TIMEOUT)
    except (ProbableAuthenticationError, AuthenticationError) as error:
        raise LoginRefused(
            f"The broker at {access.shown} refuses the login: check user and password in CIMGATE_AMQP_URL."
        ) from error
    except AMQPConnectionError as error:
        if isinstance(error, ConnectionClosed) and error.args[:1] == (_NOT_ALLOWED,):
            raise LoginRefused(
                f"The broker at {access.shown} refuses the virtual host: create it, or grant the user permissions."
            ) from error
        raise BrokerUnreachable(f"No broker answers at {access.shown}: {cause(error)}.") from error
    except (OSError, TimeoutError) as error:
        raise BrokerUnreachable(f"No broker answers at {access.shown}: {cause(error)}.") from error
    return connection


def cause(error: BaseException) -> str:
    """Give the words of an error, its kind where it has none."""
    return str(error).strip().rstrip(".") or type(error).__name__


class Session:
    """Both connections and their hot channels. `lost` ends with the reason when any part breaks."""

    def __init__(
        self, consuming: AbstractConnection, publishing: AbstractConnection, taps: tuple[TapTransport, TapTransport]
    ) -> None:
        self._connections = (consuming, publishing)
        self._taps = taps
        self._consumers: list[tuple[aiormq.abc.AbstractChannel, str]] = []
        self._channels: list[AbstractChannel] = []
        self._left: set[AbstractChannel] = set()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.intake: Intake
        self.publisher: Publisher

    @classmethod
    async def open(
        cls, access: Access, topology: Topology, outcomes: Outcomes, *, prefetch: int, on_blocked: BlockedListener
    ) -> Self:
        """Connect twice, apply the topology, start to consume.

        Raises `LoginRefused`, `BrokerUnreachable`, `TopologyError`, or `SessionLost` when it breaks on the way.
        """
        consume_tap, publish_tap = TapTransport(), TapTransport(on_blocked)
        consuming = await connect(access, "consumer", consume_tap)
        try:
            publishing = await connect(access, "publisher", publish_tap)
        except BaseException:
            await closed(consuming)
            raise
        session = cls(consuming, publishing, (consume_tap, publish_tap))
        try:
            await asyncio.wait_for(session._start(topology, outcomes, prefetch), _OPEN_TIMEOUT)
        except TimeoutError as error:
            await session.close()
            raise BrokerUnreachable(
                f"The broker at {access.shown} does not answer in {_OPEN_TIMEOUT:.0f} s."
            ) from error
        except BaseException:
            await session.close()
            raise
        return session

    async def _start(self, topology: Topology, outcomes: Outcomes, prefetch: int) -> None:
        for connection in self._connections:
            connection.close_callbacks.add(self._on_closed)
        try:
            await apply(self._connections[1], topology)
            for name in topology.unused:
                await self._warn_of(name)
            self.publisher, _ = await self._open_publisher(outcomes)
            self.intake, _ = await self._open_intake({topology.intake: BOUND_TAG, UNBOUND: UNBOUND_TAG}, prefetch)
        except aiormq.exceptions.AMQPError as error:
            raise SessionLost(f"The broker broke off while the session was opened: {cause(error)}.") from error

    async def _warn_of(self, queue: str) -> None:
        """Say of a queue that nobody empties any more that it is still there."""
        channel = await self._connections[1].channel()
        try:
            found = await channel.declare_queue(queue, passive=True)
        except ChannelNotFoundEntity:
            return
        await channel.close()
        log.warning(
            "a queue of earlier settings gathers messages that nobody takes: delete it, or switch on what reads it",
            queue=queue, waiting=found.declaration_result.message_count,
        )  # fmt: skip

    async def open_outlet(self, queue: str, outcomes: Outcomes, *, prefetch: int) -> Outlet:
        """Consume one more queue, with channels and a prefetch of its own. Raises `SessionLost`."""
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT):
                publisher, publishing = await self._open_publisher(outcomes)
                intake, consuming = await self._open_intake({queue: f"{_OUTLET_TAG}{queue}"}, prefetch)
                return Outlet(intake, publisher, (consuming, publishing))
        except (TimeoutError, aiormq.exceptions.AMQPError) as error:
            self.fail(f"The queue {queue} cannot be consumed: {cause(error)}.")
            raise SessionLost(f"The queue {queue} cannot be consumed: {cause(error)}.") from error

    async def close_outlet(self, outlet: Outlet) -> None:
        """Consume a queue no more; what is not acknowledged goes back to it, in its order."""
        if self.lost.done():
            return
        for channel in outlet.channels:
            self._left.add(channel)
            if channel in self._channels:
                self._channels.remove(channel)
            with contextlib.suppress(TimeoutError, ConnectionError, aiormq.exceptions.AMQPError):
                underlay = await channel.get_underlay_channel()
                self._consumers = [consumer for consumer in self._consumers if consumer[0] is not underlay]
                await asyncio.wait_for(channel.close(), _CLOSE_TIMEOUT)

    async def _open_publisher(self, outcomes: Outcomes) -> tuple[Publisher, AbstractChannel]:
        channel, underlay = await self._channel(self._connections[1])
        frame_max = underlay.connection.connection_tune.frame_max
        publisher = Publisher(self._taps[1], underlay.number, frame_max, outcomes, prefix=secrets.token_hex(8))
        return publisher, channel

    async def _open_intake(self, tags: Mapping[str, str], prefetch: int) -> tuple[Intake, AbstractChannel]:
        """Consume queues, each under its tag, on a channel of their own."""
        channel, underlay = await self._channel(self._connections[0], publisher_confirms=False)
        await underlay.basic_qos(prefetch_count=prefetch)
        intake = Intake(self._taps[0], underlay.number)
        intake.cancelled.add_done_callback(self._on_cancelled)
        for queue, tag in tags.items():
            await underlay.basic_consume(queue, never_called, consumer_tag=tag)
            self._consumers.append((underlay, tag))
        return intake, channel

    async def _channel(
        self, connection: AbstractConnection, *, publisher_confirms: bool = True
    ) -> tuple[AbstractChannel, aiormq.abc.AbstractChannel]:
        channel = await connection.channel(publisher_confirms=publisher_confirms)
        self._channels.append(channel)  # channels are weakly held by the library
        underlay = await channel.get_underlay_channel()
        underlay.closing.add_done_callback(partial(self._on_channel_closed, channel))
        return channel, underlay

    async def stop_consuming(self) -> None:
        """Tell the broker to send no more; what is at hand can still be finished."""
        for channel, tag in self._consumers:
            if not self.lost.done():
                await channel.basic_cancel(tag)

    async def close(self) -> None:
        """Close both connections; unacknowledged messages go back to their queues."""
        self.fail("The session is closed.")
        for connection in self._connections:
            await closed(connection)

    def fail(self, reason: str) -> None:
        """Give the session up for a reason."""
        if not self.lost.done():
            self.lost.set_exception(SessionLost(reason))

    def _on_closed(self, _: object, error: BaseException | None) -> None:
        self.fail(f"The connection was closed: {cause(error) if error else 'by the broker'}.")

    def _on_channel_closed(self, channel: AbstractChannel, future: asyncio.Future[object]) -> None:
        if channel in self._left:
            self._left.discard(channel)
            return
        error = None if future.cancelled() else future.exception()
        self.fail(f"A channel was closed: {cause(error) if error else 'by the broker'}.")

    def _on_cancelled(self, future: asyncio.Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self.fail(str(error))


async def never_called(message: aiormq.abc.DeliveredMessage) -> None:
    """Stand for the consumer that the library wants to call: deliveries take the way of the tap."""
    raise RuntimeError(f"A delivery slipped past the tap: {message.delivery!r}")


async def closed(connection: AbstractConnection) -> None:
    """Close a connection, without an error where it is broken."""
    # A dead peer may not answer; the socket is closed all the same.
    with contextlib.suppress(TimeoutError, ConnectionError, aiormq.exceptions.AMQPError):
        await asyncio.wait_for(connection.close(), _CLOSE_TIMEOUT)
