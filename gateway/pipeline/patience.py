"""A database that is away for now is waited for: who uses it stops meanwhile, and the operator sees why."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from gateway.store import StoreUnavailable

T = TypeVar("T")

log = structlog.get_logger(__name__)

_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0


class Patience:
    """Uses something, again and again while it is not there. The log says `away`, and `back` when it is there again."""

    def __init__(self, away: str, back: str) -> None:
        self._away = away
        self._back = back
        self.waiting = ""
        """Why it is not there; empty while it is."""

    async def use(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Give the result of the first attempt that finds it there."""
        pause = _PAUSE
        while True:
            try:
                result = await attempt()
            except StoreUnavailable as error:
                if str(error) != self.waiting:  # a broken connection says less than the attempt to open another
                    log.warning(self._away, reason=str(error), retry_in=pause)
                self.waiting = str(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if self.waiting:
                log.info(self._back)
                self.waiting = ""
            return result
