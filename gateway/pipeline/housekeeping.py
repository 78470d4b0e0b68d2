"""What has been kept long enough is removed, a few at a time, so that nobody waits for it."""

import asyncio
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


async def keep_house(store: Store, journal: Journal, retention: Retention, now: Callable[[], float]) -> None:
    """Remove, every hour until cancelled, what has been kept long enough. `now` is since the epoch.

    Several processes may do so at the same time: they leave out what the others have in hand.
    """
    while True:
        at = now()
        await _removed("conversations", partial(_purge, store, at - retention.conversations))
        # Passages carry the noun as their class where it has a time of its own; a class of earlier settings goes last.
        for kept, seconds in (*retention.nouns.items(), ("", retention.messages)):
            await _removed(f"messages {kept}".rstrip(), partial(journal.purge, at - seconds, keep=kept))
        longest = max(retention.messages, *retention.nouns.values(), 0.0)
        await _removed("messages", partial(journal.purge, at - longest))
        if (size := retention.size) is not None:
            await _removed("messages, the oldest, for their size", partial(journal.purge_to, size))
        await asyncio.sleep(_EVERY)


async def _removed(what: str, some: Callable[[], Awaitable[int]]) -> None:
    """Remove some, again and again until there are none, and tell how many it were."""
    removed = 0
    try:
        while now_removed := await some():
            removed += now_removed
            await asyncio.sleep(_BREATH)
    except StoreUnavailable as error:  # those who need it now tell of it, and the next hour is as good
        log.info("what is old is not removed this time", what=what, reason=str(error))
    except Exception:
        log.exception("what is old cannot be removed", what=what)  # messages pass all the same
    if removed:
        log.info("old ones removed", what=what, number=removed)


async def _purge(store: Store, before: float) -> int:
    async with store.begin() as unit:
        return await unit.purge(before, _AT_ONCE)
