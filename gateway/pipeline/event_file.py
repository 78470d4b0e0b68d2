"""A subscription whose events go into a file: written and flushed to the disk, then acknowledged.

What was written when the gateway was killed and not yet acknowledged comes again and is marked as repeated.
"""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec

from gateway.broker import Delivery, Failure, Outlet, Session
from gateway.crashpoints import crash_point
from gateway.endpoints import Publication
from gateway.pipeline.sinks import Sink
from gateway.pipeline.tally import Tally

P = ParamSpec("P")

AT_ONCE: Final = 200
"""So many events are written between two flushes to the disk, at most."""


class EventFile:
    """Writes the events of one subscription."""

    def __init__(self, queue: str, sink: Sink, tally: Tally) -> None:
        self._queue = queue
        self._sink = sink
        self._tally = tally
        self._stopping = False
        self._batch: list[Delivery] = []
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, session: Session) -> None:
        """Write until cancelled; then what is in hand has gone back to the queue. Raises OSError."""
        try:
            await _whole(self._sink.open)
            outlet = await session.open_outlet(self._queue, self, prefetch=AT_ONCE)
            try:
                while True:
                    await self._next(outlet)
            finally:
                self._batch = []
                self._idle.set()
                await session.close_outlet(outlet)
        finally:
            await _whole(self._sink.close)

    async def finish(self) -> None:
        """Write no more, and wait for what is being written."""
        self._stopping = True
        await self._idle.wait()

    def waiting_for(self) -> float:
        """Give 0: nothing is published here."""
        return 0.0

    def in_hand(self) -> tuple[int, float]:
        """How many events are being written, and when the oldest was published."""
        return len(self._batch), self._batch[0].said[2] if self._batch else 0.0

    async def _next(self, outlet: Outlet) -> None:
        batch = await outlet.intake.batch(AT_ONCE)
        if self._stopping:
            await asyncio.Event().wait()  # until cancelled
        self._batch = batch
        self._idle.clear()
        await _whole(self._sink.write, batch)
        crash_point("event-written")
        for delivery in batch:
            outlet.intake.settle(delivery)
        outlet.intake.acknowledge()
        self._batch = []
        self._tally.delivered(len(batch), batch[-1].said[2])
        self._idle.set()

    # Nothing is published here: gateway.broker.publisher.Outcomes.

    def settled(self, delivery: Delivery) -> None:
        """Hear of nothing."""

    def failed(self, delivery: Delivery, publication: Publication, failure: Failure) -> None:
        """Hear of nothing."""

    def progressed(self) -> None:
        """Hear of nothing."""


async def _whole(work: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    """Do something in a thread, to its end even where the task is cancelled meanwhile: nobody else may use the file."""
    thread = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.gather(thread, return_exceptions=True)
        raise
