"""Threads that work at a SQLite file, each with a connection of its own."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

import structlog

from gateway.store._trouble import translated
from gateway.store.errors import StoreUnavailable

_log = structlog.get_logger(__name__)
R = TypeVar("R")


class Worker(Protocol):
    """What works on one connection."""

    def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""


W = TypeVar("W", bound=Worker)


class Lane(Generic[W]):
    """Some threads with a worker each. An error of SQLite costs a worker: the next call gets a fresh one.

    `what` names the file in the texts of errors.
    """

    def __init__(self, make: Callable[[], W], threads: int, what: str) -> None:
        self._make = make
        self._what = what
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="journal")
        self._mine = threading.local()
        self._all: set[W] = set()

    async def run(self, work: Callable[[W], R]) -> R:
        """Do it in a thread. Raises StoreUnavailable for what passes."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._do, work)

    def later(self, work: Callable[[W], None]) -> None:
        """Have it done when there is time. What passes is left for another time, by the one who asks for it."""
        self._pool.submit(self._do, work).add_done_callback(_told)

    async def close(self) -> None:
        """Wait for what is under way, and close all connections."""
        await asyncio.to_thread(self._pool.shutdown, wait=True)
        for worker in self._all:
            worker.close()
        self._all.clear()

    def _do(self, work: Callable[[W], R]) -> R:
        with translated(self._what):
            worker: W | None = getattr(self._mine, "worker", None)
            if worker is None:
                worker = self._make()
                self._mine.worker = worker
                self._all.add(worker)
            try:
                return work(worker)
            except sqlite3.Error:
                self._mine.worker = None
                self._all.discard(worker)
                worker.close()
                raise


def _told(done: "Future[None]") -> None:
    problem = done.exception()
    if problem is not None and not isinstance(problem, StoreUnavailable):
        _log.error("the journal could not put its index in order", exc_info=problem)
