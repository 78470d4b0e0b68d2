"""A tap below the client library: frames of hot channels go straight to a handler, all others to aiormq as ever.

aio-pika connects, authenticates, declares, and keeps the heartbeat; this tap only looks at the byte stream between the
socket and it. So no private name of the library is touched: the one hook is aiormq's public transport factory.
A handler is called from the event loop's read, with no task, future or lock for each message.
"""

import asyncio
from typing import Any, Final, Protocol

from aiormq.connection import SSLContextProvider, TransportFactory
from yarl import URL

from gateway.broker import _wire

_KEEP_ALIVE: Final = 5.0


class ChannelHandler(Protocol):
    """Takes the frames of one channel. `frame` tells whether it took the frame or leaves it to the library."""

    def frame(self, kind: int, payload: bytes) -> bool: ...

    def pause(self) -> None:
        """Hear that the bytes at hand are used up: a good moment to write grouped answers."""


class BlockedListener(Protocol):
    """Hears when the broker blocks this connection (memory or disk alarm) and when it lets it go on."""

    def __call__(self, reason: str | None) -> None: ...


class TapTransport(TransportFactory):
    """Opens the connection's socket with the tap in it."""

    def __init__(self, on_blocked: BlockedListener | None = None) -> None:
        self.handlers: dict[int, ChannelHandler] = {}
        self._on_blocked = on_blocked
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:  # noqa: ANN401 - aiormq's signature
        provider: SSLContextProvider = kwargs.pop("ssl_context_provider")
        context = await provider.get_context() if url.scheme == "amqps" else None
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        transport, protocol = await loop.create_connection(
            lambda: _TapProtocol(reader, self), url.host or "localhost", url.port or 5672, ssl=context, **kwargs
        )
        self._writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return reader, self._writer

    @property
    def writer(self) -> asyncio.StreamWriter:
        """The writer that aiormq uses too; what is written must be whole frames."""
        if self._writer is None:
            raise RuntimeError("The connection has not been opened yet.")
        return self._writer

    def watched(self, channel: int, kind: int, payload: bytes) -> bool:
        """Hand a frame to its handler; false leaves it to the library."""
        handler = self.handlers.get(channel)
        if handler is not None:
            return handler.frame(kind, payload)
        if channel == 0 and kind == _wire.METHOD and self._on_blocked is not None:
            match _wire.method_of(payload):
                case _wire.CONNECTION_BLOCKED:
                    self._on_blocked(_wire.reason(payload))
                case _wire.CONNECTION_UNBLOCKED:
                    self._on_blocked(None)
                case _:
                    pass
        return False


class _TapProtocol(asyncio.StreamReaderProtocol):
    def __init__(self, reader: asyncio.StreamReader, tap: TapTransport) -> None:
        self._loop_of_tap = asyncio.get_running_loop()
        super().__init__(reader, loop=self._loop_of_tap)
        self._tap = tap
        self._buffer = bytearray()
        self._started = False
        self._last_passed = self._loop_of_tap.time()

    def data_received(self, data: bytes) -> None:
        if not self._started:
            self._started = True
            if data.startswith(b"AMQP"):  # a refusal of our protocol version is no frame
                super().data_received(data)
                return
        buffer = self._buffer
        buffer += data
        start, end, taken = 0, len(buffer), False
        passed: list[bytes] = []
        watched = self._tap.watched
        while end - start >= _wire.FRAME_OVERHEAD:
            stop = start + _wire.FRAME_OVERHEAD + int.from_bytes(buffer[start + 3 : start + 7], "big")
            if stop > end:
                break
            channel = buffer[start + 1] << 8 | buffer[start + 2]
            if watched(channel, buffer[start], bytes(buffer[start + 7 : stop - 1])):
                taken = True
            else:
                passed.append(bytes(buffer[start:stop]))
            start = stop
        if start:
            del buffer[:start]
        if taken:
            for handler in self._tap.handlers.values():
                handler.pause()
        self._pass_on(passed, taken=taken)

    def _pass_on(self, passed: list[bytes], *, taken: bool) -> None:
        now = self._loop_of_tap.time()
        if passed:
            super().data_received(b"".join(passed))
            self._last_passed = now
        elif taken and now - self._last_passed > _KEEP_ALIVE:
            # On a busy connection the broker sends no heartbeats and aiormq would see nothing: tell it that we live.
            super().data_received(_wire.HEARTBEAT)
            self._last_passed = now
