"""What has been kept long enough is removed, a few at a time, so that nobody waits for it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from gateway.store import Store, StoreUnavailable
from gateway.store.journal import Journal

log = structlog.get_logger(__name__)

DAY: Final = 86_400.0
_EVERY: Final = 3_600.0
_AT_ONCE: Final = 200
_BREATH: Final = 0.2


@dataclass(frozen=True, slots=True)
class Retention:
    """How long is kept what: seconds since a conversation was touched, and since a message passed.

    `nouns` have times of their own; `size` is how many bytes the journal may take, the oldest messages going first.
    """

    conversations: float
    messages: float
    nouns: Mapping[str, float]
    size: int | None = None


class House:
    """Removes, every hour, what has been kept long enough. `now` is since the epoch.

    Several processes may do so at the same time: they leave out what the others have in hand.
    """

    def __init__(self, store: Store, journal: Journal, retention: Retention, now: Callable[[], float]) -> None:
        self._store = store
        self._journal = journal
        self._retention = retention
        self._now = now
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask for the end; what is under way is finished first, because a database minds to be broken off."""
        self._stopping.set()

    async def keep(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            await self._clean(self._now())
            await self._pause(_EVERY)

    async def _clean(self, at: float) -> None:
        retention, journal = self._retention, self._journal
        await self._remove("conversations", partial(_purge, self._store, at - retention.conversations))
        # Passages carry the noun as their class where it has a time of its own; a class of earlier settings goes last.
        for kept, seconds in (*retention.nouns.items(), ("", retention.messages)):
            await self._remove(f"messages {kept}".rstrip(), partial(journal.purge, at - seconds, keep=kept))
        longest = max(retention.messages, *retention.nouns.values(), 0.0)
        await self._remove("messages", partial(journal.purge, at - longest))
        if (size := retention.size) is not None:
            await self._remove("messages, the oldest, for their size", partial(journal.purge_to, size))

    async def _remove(self, what: str, some: Callable[[], Awaitable[int]]) -> None:
        """Remove some, again and again until there are none, and tell how many it were."""
        removed = 0
        try:
            while not self._stopping.is_set() and (now_removed := await some()):
                removed += now_removed
                await self._pause(_BREATH)
        except StoreUnavailable as error:  # those who need it now tell of it, and the next hour is as good
            log.info("what is old is not removed this time", what=what, reason=str(error))
        except Exception:
            log.exception("what is old cannot be removed", what=what)  # messages pass all the same
        if removed:
            log.info("old ones removed", what=what, number=removed)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def _purge(store: Store, before: float) -> int:
    async with store.begin() as unit:
        return await unit.purge(before, _AT_ONCE)
