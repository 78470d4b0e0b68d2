"""Conversations that have ended long ago are removed, a few at a time, so that nobody waits for it."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from gateway.store import Store, StoreUnavailable

log = structlog.get_logger(__name__)

DAY: Final = 86_400.0
_EVERY: Final = 3_600.0
_AT_ONCE: Final = 200
_BREATH: Final = 0.2


async def keep_house(store: Store, keep: float, now: Callable[[], float]) -> None:
    """Remove, every hour until cancelled, what nothing has touched for `keep` seconds. `now` is since the epoch.

    Several processes may do so at the same time: they leave out what the others have in hand.
    """
    while True:
        removed = 0
        try:
            while removed_now := await _purge(store, now() - keep):
                removed += removed_now
                await asyncio.sleep(_BREATH)
        except StoreUnavailable as error:  # those who need it now tell of it, and the next hour is as good
            log.info("old conversations are not removed this time", reason=str(error))
        except Exception as error:  # noqa: BLE001 - messages pass all the same; the next hour tries again
            log.error("old conversations cannot be removed", exc_info=error)
        if removed:
            log.info("old conversations removed", conversations=removed, older_than_days=round(keep / DAY, 3))
        await asyncio.sleep(_EVERY)


async def _purge(store: Store, before: float) -> int:
    async with store.begin() as unit:
        return await unit.purge(before, _AT_ONCE)
