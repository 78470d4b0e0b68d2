"""The queue of dead letters, for an operator's hands: read whole without taking away, published again, taken out.

What is read stays unacknowledged, so that all goes back when the connection ends, however it ends: only what was given
to `remove` is gone. A process that has letters in hand hides them from all others, so it holds a lock meanwhile: an
exclusive queue, which the broker removes with the connection.

Letters are read in pages, each by a consumer of its own that is cancelled when its page is full: so only one page is in
memory, however many letters there are. They are put back by closing the channel: tried with 100,000 on RabbitMQ 3.10,
that takes a tenth of a second and keeps their order (up to 32 consumers, by their tags), while basic.nack takes ten.
"""

import asyncio
import contextlib
import hashlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Final, Self

import aio_pika
import aiormq.abc
import aiormq.exceptions
from aio_pika.abc import AbstractConnection, AbstractExchange, HeadersType
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from aiormq.exceptions import ChannelAccessRefused, ChannelLockedResource
from pamqp import commands

from gateway.broker.letter import Letter
from gateway.broker.session import Access, BrokerUnreachable, LoginRefused, SessionLost, connect
from gateway.broker.topology import DEAD, TopologyError
from gateway.endpoints import Publication

LOCK: Final = "cim.dead.lock"
_LOCK_PAUSE: Final = 0.2
_FIRST_PAGE: Final = 50
_GROWTH: Final = 4
_LARGEST_PAGE: Final = 8_000
_PAGE_BYTES: Final = 16 * 1024 * 1024
_SILENCE: Final = 0.5
"""Seconds without a letter after which the broker is asked whether there are more."""
_ROUNDS: Final = 3
"""What is buried while others are read is read too, but not for ever."""
_BACK: Final = 5.0
_FENCES: Final = 5
"""More than are needed: after two, what was kept back is sent, as one command for each page; after three it is done."""


class LettersInUse(RuntimeError):  # noqa: N818 - says the state
    """Another operator's command has had the dead letters in hand for too long."""


class NotTaken(RuntimeError):  # noqa: N818 - says what happened
    """The broker did not take a message that was published again. `unknown`: it may have it all the same."""

    def __init__(self, text: str, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.unknown = unknown


_OURS: Final = (LettersInUse, NotTaken, TopologyError, BrokerUnreachable, LoginRefused, SessionLost)


class DeadQueue:
    """The dead letters, held by this process alone. Every call may raise `SessionLost`: then all of them are back."""

    def __init__(self, access: Access, connection: AbstractConnection, channel: aiormq.abc.AbstractChannel) -> None:
        self._access = access
        self._connection = connection
        self._channel = channel
        self._sending: AbstractConnection | None = None
        self._exchanges: dict[str, AbstractExchange] = {}
        self._opening = asyncio.Lock()
        self._held = 0
        self._removed = False
        self._pages = 0
        self._position = 0
        self.total = 0
        """How many letters there are, as far as is known."""

    @classmethod
    async def open(cls, access: Access, *, patience: float = 30.0, waiting: Callable[[], None] = lambda: None) -> Self:
        """Take the dead letters in hand; while another command has them, wait at most so many seconds.

        `waiting` is told once. Raises `LettersInUse`, `TopologyError` where there is no such queue, `LoginRefused` or
        `BrokerUnreachable`.
        """
        connection = await connect(access, "dead letters")
        try:
            with _broken():
                await _lock(connection, patience, waiting)
                channel = await connection.channel(publisher_confirms=False)
                found = cls(access, connection, await channel.get_underlay_channel())
                found.total = await found.ready()
        except BaseException:
            await connection.close()
            raise
        return found

    @property
    def version(self) -> tuple[int, ...]:
        """The release of the broker."""
        told = str(self._channel.connection.server_properties.get("version", ""))
        return tuple(int(part) for part in told.split(".")[:2] if part.isdecimal())

    async def ready(self) -> int:
        """How many letters the broker has that nobody holds."""
        return (await self._declared()).message_count or 0

    async def readers(self) -> int:
        """How many others take letters from the queue: theirs cannot be seen."""
        return (await self._declared()).consumer_count or 0

    async def _declared(self) -> commands.Queue.DeclareOk:
        channel = await self._connection.channel()
        try:
            result = (await channel.declare_queue(DEAD, passive=True)).declaration_result
        except ChannelNotFoundEntity as error:
            raise TopologyError(
                f"The broker has no queue {DEAD}: start the gateway (cimgate run), or cimgate topology apply."
            ) from error
        await channel.close()
        return result

    async def pages(self) -> AsyncIterator[list[Letter]]:
        """Give all letters that nobody else has in hand, oldest first, a page at a time; each stays held."""
        size, rounds = _FIRST_PAGE, 0
        with _broken():
            while rounds < _ROUNDS and (left := await self.ready()):
                rounds += 1
                self.total = self._position + left
                while left > 0 and (page := await self._page(min(size, left))):
                    left -= len(page)
                    yield page
                    average = sum(len(letter.body) for letter in page) // len(page) + 1
                    size = max(1, min(_LARGEST_PAGE, size * _GROWTH, _PAGE_BYTES // average))

    async def _page(self, size: int) -> list[Letter]:
        arrived: list[Letter] = []
        full, tag = asyncio.Event(), f"page-{self._pages:06}"

        async def take(message: aiormq.abc.DeliveredMessage) -> None:
            self._position += 1
            letter = _letter(message, self._position)
            self._held += 1
            arrived.append(letter)
            if len(arrived) == size:
                full.set()

        await self._channel.basic_qos(prefetch_count=size)
        await self._channel.basic_consume(DEAD, take, consumer_tag=tag)
        before = -1
        while not full.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(full.wait(), _SILENCE)
            if len(arrived) == before and not await self.ready():
                break
            before = len(arrived)
        await self._channel.basic_cancel(tag)
        self._pages += 1
        return arrived

    async def send(self, publication: Publication, timeout: float) -> None:  # noqa: ASYNC109 - for a confirm alone
        """Publish, and wait for the broker's confirm so many seconds. Raises `NotTaken`."""
        given, address = publication.properties, publication.address
        headers: HeadersType = dict(given.headers or {})
        message = aio_pika.Message(
            publication.body,
            headers=headers,
            content_type=given.content_type or None,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(uuid.uuid4()),  # see Properties: fresh for every publish
            timestamp=time.time(),
            correlation_id=given.correlation_id or None,
            reply_to=given.reply_to or None,
            type=given.type or None,
            app_id=given.app_id or None,
        )
        with _broken():
            exchange = await self._exchange(address.exchange)
            try:
                await exchange.publish(message, address.routing_key, mandatory=True, timeout=timeout)
            except (DeliveryError, PublishError) as error:
                raise NotTaken(
                    f"The broker took no message for {address}: no queue is there, or it is full ({error})."
                ) from error
            except TimeoutError as error:
                raise NotTaken(
                    f"The broker did not confirm the message for {address} within {timeout:g} s.", unknown=True
                ) from error

    async def _exchange(self, name: str) -> AbstractExchange:
        async with self._opening:  # many ask at once, and one channel serves them all
            if name not in self._exchanges:
                self._exchanges[name] = await self._opened(name)
            return self._exchanges[name]

    async def _opened(self, name: str) -> AbstractExchange:
        if self._sending is None:
            self._sending = await connect(self._access, "dead letters, retried")  # a blocked one blocks no removal
        channel = await self._sending.channel(on_return_raises=True)
        try:
            return await channel.get_exchange(name, ensure=True) if name else channel.default_exchange
        except ChannelNotFoundEntity as error:
            raise NotTaken(
                f"The broker has no exchange {name}: start the gateway (cimgate run), or cimgate topology apply."
            ) from error

    async def remove(self, letters: Iterable[Letter]) -> None:
        """Take letters out of the queue for good."""
        with _broken():
            for letter in letters:
                await self._channel.basic_ack(letter.tag, wait=False)
                self._held -= 1
                self._removed = True
            await self._channel.basic_qos(prefetch_count=1)  # answered only after what was written before it

    async def give_back(self) -> int:
        """Put back all that is held, and read no more; gives how many letters there are now."""
        with _broken():
            if self._removed:
                await self._applied()
            expected, self._held = await self.ready() + self._held, 0
            await self._channel.close()
            deadline = time.monotonic() + _BACK
            while (ready := await self.ready()) < expected and time.monotonic() < deadline:  # noqa: ASYNC110 - ask it
                await asyncio.sleep(_LOCK_PAUSE / 4)
            return ready

    async def _applied(self) -> None:
        """Wait until the broker has done what `remove` asked for.

        A quorum queue takes acknowledgements in groups: while its disk is slow the channel keeps those that follow the
        first thirty-two back, and drops them with the channel; then letters that are gone would be there again. A
        basic.get is answered only after what was sent before it is on the disk, and so lets the next ones go. What it
        fetches goes back with all that is held.
        """
        for _ in range(_FENCES):
            fetched = await self._channel.basic_get(DEAD)
            self._held += not isinstance(fetched.delivery, commands.Basic.GetEmpty)
        self._removed = False

    async def close(self) -> None:
        """End; what is held goes back to the queue."""
        with contextlib.suppress(SessionLost, TopologyError):
            if self._held or self._removed:
                await self.give_back()
        for connection in (self._sending, self._connection):
            if connection is not None:
                await connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _lock(connection: AbstractConnection, patience: float, waiting: Callable[[], None]) -> None:
    deadline, told = time.monotonic() + patience, False
    while True:
        channel = await connection.channel()
        try:
            await channel.declare_queue(LOCK, exclusive=True)
        except ChannelLockedResource as error:
            if time.monotonic() >= deadline:
                raise LettersInUse(
                    f"Another cimgate dead command has had the dead letters in hand for {patience:g} s (the queue "
                    f"{LOCK} tells): wait until it ends, or end it."
                ) from error
            if not told:
                waiting()
                told = True
            await asyncio.sleep(_LOCK_PAUSE)
        except ChannelAccessRefused as error:
            raise TopologyError(
                f"The broker does not let this user declare the queue {LOCK}, by which two operators keep out of each "
                f"other's way: give it the configure permission for that name ({error})."
            ) from error
        else:
            return


def _letter(message: aiormq.abc.DeliveredMessage, position: int) -> Letter:
    told = message.header.properties
    return Letter(
        # Another program's letter may have none; those that are the same to the byte share one then, and their fate.
        id=told.message_id or f"sha256-{hashlib.sha256(message.body).hexdigest()}",
        position=position,
        tag=message.delivery_tag or 0,
        body=message.body,
        headers={name: value for name, value in (told.headers or {}).items() if isinstance(value, str | int | bool)},
        type=told.message_type or "",
        source=told.app_id or "",
        correlation_id=told.correlation_id or "",
        reply_to=told.reply_to or "",
        content_type=told.content_type or "",
        written=told.timestamp.timestamp() if told.timestamp else 0.0,
    )


@contextlib.contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except _OURS:
        raise
    except (aiormq.exceptions.AMQPError, aiormq.exceptions.ChannelInvalidStateError, ConnectionError) as error:
        raise SessionLost(
            f"The connection to the broker broke: {str(error) or type(error).__name__}. All dead letters that were not "
            "reported as done are in the queue; run the command again."
        ) from error
