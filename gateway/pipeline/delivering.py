"""Events of subscriptions that the gateway itself hands over: to webhooks and into files, each by a worker of its own.

A worker lives as long as the session and its subscription. Where several gateways run, the broker gives each queue to
one of them at a time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from gateway.broker import Session
from gateway.pipeline.tally import Tally
from gateway.store import StoreUnavailable
from gateway.store.subscriptions import Subscriptions
from gateway.subscriptions import Subscription, ToFile, ToWebhook

log = structlog.get_logger(__name__)

NOTED_EVERY: Final = 2.0
_GRACE: Final = 5.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


class Worker(Protocol):
    """Hands over what waits for one subscription, for the length of one session with the broker."""

    async def run(self, session: Session) -> None:
        """Work until cancelled; then what is in hand has gone back to the queue.

        Raises OSError for what may pass: it is begun anew later.
        """

    async def finish(self) -> None:
        """Begin nothing more, and wait for what is under way."""

    def waiting_for(self) -> float:
        """Seconds since the last confirm of the broker while some are due."""

    def in_hand(self) -> tuple[int, float]:
        """How many events are in hand, and when the oldest was published, in seconds since the epoch, 0 for none."""


Make = Callable[[Subscription, Tally], Worker]
"""Makes the worker for a subscription."""


class Deliverer:
    """Keeps a worker for each subscription that needs one, and writes down how far they have come."""

    def __init__(self, store: Subscriptions, make: Make) -> None:
        self._store = store
        self._make = make
        self._wanted: dict[Subscription, Tally] = {}
        self._workers: dict[Subscription, tuple[Worker, asyncio.Task[None]]] = {}
        self._session: Session | None = None
        self._turn = asyncio.Lock()

    async def take(self, subscriptions: Sequence[Subscription]) -> None:
        """Work for these from now on; when it returns nothing is done any more for the others."""
        async with self._turn:
            wanted = [one for one in subscriptions if isinstance(one.delivery, ToWebhook | ToFile)]
            self._wanted = {one: self._wanted.get(one) or Tally(one.name) for one in wanted}
            for gone in [one for one in self._workers if one not in self._wanted]:
                await self._stop(gone)
            self._start()

    async def serve(self, session: Session) -> None:
        """Work until the session is lost, or until cancelled."""
        async with self._turn:
            self._session = session
            self._start()
        try:
            while not session.lost.done():
                await asyncio.wait({session.lost}, timeout=NOTED_EVERY)
                await self._note()
        finally:
            self._session = None
            workers, self._workers = self._workers, {}
            for _, task in workers.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in workers.values()), return_exceptions=True)

    async def finish(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        await asyncio.gather(*(worker.finish() for worker, _ in self._workers.values()))
        await self._note()

    def waiting_for(self) -> float:
        """Seconds since the last confirm of the broker while some are due, the longest of all workers."""
        return max((worker.waiting_for() for worker, _ in self._workers.values()), default=0.0)

    def _start(self) -> None:
        session = self._session
        if session is None:
            return
        for subscription, tally in self._wanted.items():
            if subscription not in self._workers:
                worker = self._make(subscription, tally)
                task = asyncio.create_task(_run(worker, session, tally), name=f"subscription {subscription.name}")
                self._workers[subscription] = worker, task

    async def _stop(self, subscription: Subscription) -> None:
        worker, task = self._workers.pop(subscription)
        with contextlib.suppress(TimeoutError):
            # What hangs for longer goes back to the queue, and would be marked if it were posted again.
            await asyncio.wait_for(worker.finish(), _GRACE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _note(self) -> None:
        for subscription, tally in self._wanted.items():
            if subscription in self._workers:
                tally.holds(*self._workers[subscription][0].in_hand())
            if (progress := tally.taken_out()) is None:
                continue
            try:
                await self._store.note(progress)
            except StoreUnavailable:  # who reads the subscriptions tells of it; the counts are kept
                tally.put_back(progress)
                return
            except Exception:
                tally.put_back(progress)
                log.exception("the progress of a subscription cannot be written", subscription=tally.name)


async def _run(worker: Worker, session: Session, tally: Tally) -> None:
    """Run a worker, again and again: what stops one must stop neither the others nor itself for ever."""
    pause = _FIRST_PAUSE
    while not session.lost.done():
        began = asyncio.get_running_loop().time()
        try:
            await worker.run(session)
        except ConnectionError:
            return  # the session is lost
        except OSError as error:
            tally.held(str(error))
            log.warning("events of a subscription wait", subscription=tally.name, reason=str(error), retry_in=pause)
        except Exception as error:
            tally.held(f"internal error: {error}")
            log.exception("internal error", subscription=tally.name)
        if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
