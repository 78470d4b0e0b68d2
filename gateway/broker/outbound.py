"""A connection that only publishes, for what is no part of the gateway's own way of messages: a replay.

It declares nothing and consumes nothing. It is lost as a whole, like a session.
"""

import asyncio
import secrets
from typing import Final, Self

import aiormq.exceptions
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from gateway.broker._tap import BlockedListener, TapTransport
from gateway.broker.publisher import Outcomes, Publisher
from gateway.broker.session import Access, SessionLost, closed, connect
from gateway.endpoints import AmqpAddress

_OPEN_TIMEOUT: Final = 20.0


class Outbound:
    """Confirmed publishing on a connection of its own. `lost` ends with `SessionLost` when it breaks."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._channel: AbstractChannel | None = None
        self.publisher: Publisher
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost.add_done_callback(lambda future: future.cancelled() or future.exception())

    @classmethod
    async def open(cls, access: Access, purpose: str, outcomes: Outcomes, on_blocked: BlockedListener) -> Self:
        """Connect. Raises `LoginRefused`, `BrokerUnreachable`, or `SessionLost` when it breaks on the way."""
        tap = TapTransport(on_blocked)
        connection = await connect(access, purpose, tap)
        outbound = cls(connection)
        connection.close_callbacks.add(outbound._on_closed)
        try:
            async with asyncio.timeout(_OPEN_TIMEOUT):
                outbound._channel = await connection.channel()  # held: the library holds it weakly
                channel = await outbound._channel.get_underlay_channel()
        except (TimeoutError, aiormq.exceptions.AMQPError) as error:
            await closed(connection)
            raise SessionLost(f"The broker opened no channel: {str(error) or 'no answer'}.") from error
        channel.closing.add_done_callback(lambda _: outbound.fail("The broker closed the channel."))
        frame_max = channel.connection.connection_tune.frame_max
        outbound.publisher = Publisher(tap, channel.number, frame_max, outcomes, prefix=secrets.token_hex(8))
        return outbound

    def fail(self, reason: str) -> None:
        """Give the connection up for a reason."""
        if not self.lost.done():
            self.lost.set_exception(SessionLost(reason))

    async def close(self) -> None:
        """Close the connection."""
        self.fail("The connection is closed.")
        await closed(self._connection)

    def _on_closed(self, _: object, error: BaseException | None) -> None:
        self.fail(f"The connection was closed: {error or 'by the broker'}.")


async def is_there(access: Access, address: AmqpAddress) -> bool:
    """Tell whether the queue, or the exchange of a topic, is on the broker.

    Raises `LoginRefused` or `BrokerUnreachable`.
    """
    connection = await connect(access, "replay")
    try:
        channel = await connection.channel()
        if address.exchange:
            await channel.get_exchange(address.exchange, ensure=True)
        else:
            await channel.get_queue(address.routing_key, ensure=True)
    except ChannelNotFoundEntity:
        return False
    finally:
        await closed(connection)
    return True
