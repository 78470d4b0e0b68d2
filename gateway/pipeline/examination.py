"""Read and check: what is known of a message before anything is decided about it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gateway.dialects import Dialects, Interpreter
from gateway.message import EnvelopeVersion, Finding, Header, Limits, Message, Unreadable
from gateway.validation import Checker


@dataclass(frozen=True, slots=True)
class Examined:
    """A message with the errors found in it; without a message the bytes could not be read, and one error says why."""

    message: Message | None
    errors: tuple[Finding, ...] = ()
    version: EnvelopeVersion = EnvelopeVersion.FINAL

    @property
    def header(self) -> Header | None:
        """The header, where one could be read."""
        return None if self.message is None else self.message.header


def examine(raw: bytes, interpreter: Interpreter, checker: Checker) -> Examined:
    """Read one message in the dialect of its source, and check it."""
    try:
        message = interpreter.read(raw)
    except Unreadable as error:
        return Examined(None, (error.finding,), error.version)
    verdict = checker.check(message)
    return Examined(message, verdict.errors, message.version)


class Examiner:
    """Examines small messages where they are and large ones in a worker thread, which lxml lets run beside the loop.

    Compiled schemas must not be shared by threads (their error logs mix), so each side has its own checker; both are
    made before serving, one after the other, because building them at the same time races.
    """

    def __init__(
        self, make_checker: Callable[[], Checker], dialects: Dialects, limits: Limits, off_loop_bytes: int
    ) -> None:
        self._largest = limits.message_bytes
        self._off_loop_bytes = off_loop_bytes
        self._here = make_checker()
        self._there = make_checker()
        self._interpreter = Interpreter(dialects, self._here.site, limits)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="examine")

    def is_small(self, raw: bytes) -> bool:
        """Tell whether the message is examined on the spot. One over the size limit is: it is refused unread."""
        return len(raw) <= self._off_loop_bytes or len(raw) > self._largest

    def examine(self, raw: bytes) -> Examined:
        """Examine a small message here and now."""
        return examine(raw, self._interpreter, self._here)

    async def examine_large(self, raw: bytes) -> Examined:
        """Examine a large message in the worker thread; one at a time, so that order is kept."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, examine, raw, self._interpreter, self._there)

    def close(self) -> None:
        """End the worker thread."""
        self._worker.shutdown(wait=False, cancel_futures=True)
