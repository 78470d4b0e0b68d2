"""One reader's place in a stream: it goes on where it left off, and is told of what retention has dropped before."""

import asyncio
from dataclasses import dataclass
from typing import Final

from gateway.broker.streams import Position, StreamMessage, StreamReader, Streams

BEFORE_ALL: Final = -1
"""The place before the first message of a stream."""

_BATCH: Final = 10
"""Few: the loop serves others between two batches."""

_LULL: Final = 1.0
PROOF_SECONDS: Final = 10.0
"""For how long the broker is waited for to show what was read last."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages after the offset `after` are gone, and reading goes on at `next`; at most `missing` of them.

    A segment file takes an offset of its own, so the number can be too large by one for each. `anew` tells that the
    stream has never had `after`: it was made anew, and is read from its beginning.
    """

    after: int
    next: int
    anew: bool = False

    @property
    def missing(self) -> int:
        """How many messages there were, at most; 0 where that is not known."""
        return 0 if self.anew else self.next - self.after - 1


@dataclass(frozen=True, slots=True)
class Empty:
    """The stream has no message yet: reading goes on from before its first."""


class Follower:
    """Follows one stream. What a place tells is proven: the broker itself says nothing of what it skips.

    Reading begins at the message that was read last, to see that it is still there: if it is, so is all that follows.
    """

    def __init__(
        self, streams: Streams, queue: str, begin: Position, *, prefetch: int, proof: float = PROOF_SECONDS
    ) -> None:
        self._streams = streams
        self._queue = queue
        self._begin: Position = begin
        self._prefetch = prefetch
        self._proof = proof
        self._reader: StreamReader | None = None
        self._last: int | None = begin if isinstance(begin, int) else None
        self._empty = False
        self._proven = False
        self._began = 0.0

    async def open(self) -> None:
        """Begin, or begin again where it left off. Raises as `Streams.read` does."""
        await self.close()
        if self._empty and self._last is None:
            self._last = BEFORE_ALL
        at = self._begin if self._last is None else "first" if self._last == BEFORE_ALL else self._last
        self._reader = await self._streams.read(self._queue, at, prefetch=self._prefetch)
        self._proven = self._last is None
        self._began = asyncio.get_running_loop().time()

    async def next(self, seconds: float) -> list[StreamMessage | Gap | Empty]:
        """Give what comes next; nothing where nothing has come in so many seconds.

        What was given before counts as done. Raises `SessionLost`; then `open` begins again, and `NoStream`.
        """
        reader = self._reader
        if reader is None:
            raise RuntimeError("open the follower first")
        reader.done()
        doubtful = not self._proven and self._last != BEFORE_ALL
        unseen = self._last is None and self._begin == "last" and not self._empty
        most = self._proof if doubtful else _LULL if unseen else seconds
        if messages := await reader.batch(_BATCH, min(seconds, most)):
            return self._in_order(messages, await self._dropped(messages))
        waited = asyncio.get_running_loop().time() - self._began
        if doubtful and waited >= self._proof:
            return [await self._start_over()]
        if unseen and waited >= _LULL:
            self._empty = True
            return [Empty()]
        return []

    async def close(self) -> None:
        """Read no more."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await reader.close()

    async def _dropped(self, messages: list[StreamMessage]) -> set[int]:
        """Give the offsets before which retention has dropped something."""
        found: set[int] = set()
        last, proven = self._last, self._proven
        for message in messages:
            if last is not None and message.offset > last + 1 and not (proven and await self._has(last)):
                found.add(message.offset)
            proven, last = True, message.offset
        return found

    def _in_order(self, messages: list[StreamMessage], dropped: set[int]) -> list[StreamMessage | Gap | Empty]:
        found: list[StreamMessage | Gap | Empty] = []
        self._proven = True
        for message in messages:
            last = self._last
            if last is not None and message.offset in dropped:
                found.append(Gap(last, message.offset))
            if last is None or message.offset > last:
                self._last = message.offset
                found.append(message)
        return found

    async def _has(self, offset: int) -> bool:
        """Tell whether the stream still has what was read before: then nothing between was dropped."""
        reader = await self._streams.read(self._queue, offset, prefetch=1)
        try:
            found = await reader.batch(1, self._proof)
        finally:
            await reader.close()
        return bool(found) and found[0].offset == offset

    async def _start_over(self) -> Gap:
        """Read from the beginning: not even what was read last is there, nor anything behind it."""
        reader = await self._streams.read(self._queue, "first", prefetch=self._prefetch)
        await self.close()
        gap = Gap(self._last or 0, 0, anew=True)
        self._reader, self._last, self._begin, self._proven = reader, None, "first", True
        return gap
