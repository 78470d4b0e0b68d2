"""Follows the journal as messages pass."""

import asyncio
import time
from typing import TYPE_CHECKING, Final

from gateway.cli._journal_filters import Filters, find
from gateway.cli._shared import complain, err
from gateway.store import StoreUnavailable
from gateway.store.journal import id_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gateway.store.journal import Journal, Passage

_EVERY: Final = 0.5
_SHORTLY: Final = 5.0
_LONG: Final = 120.0
_LOOKS_BETWEEN: Final = 20
"""A message is written when all is done with it, and by any of several processes: so each look goes some seconds back,
and one in so many goes back far enough for what had to be tried again for long."""
_PAGE: Final = 500


async def follow(journal: "Journal", filters: Filters, show: "Callable[[Sequence[Passage]], None]", lines: int) -> None:
    """Show the last messages, or all from `since` on, then each that passes, until this is cancelled."""
    began = time.time() - _SHORTLY
    seen: set[int] = set()

    async def look(since: float) -> None:
        async for page in _pages(journal, filters.within(since=since)):
            show([one for one in page if one.id not in seen])
            seen.update(one.id for one in page)

    if filters.since is None:
        last = await find(journal, filters, lines) if lines else []
        show(last[::-1])
        async for page in _pages(journal, filters.within(since=began)):
            seen.update(one.id for one in page)
    else:
        await look(filters.since)
        began = max(began, filters.since)
    looks, away = 0, False
    while True:
        await asyncio.sleep(_EVERY)
        looks += 1
        now = time.time()
        try:
            await look(max(began, now - (_SHORTLY if looks % _LOOKS_BETWEEN else _LONG)))
        except StoreUnavailable as error:
            if not away:
                complain(str(error), "Looking again until it is there; Ctrl-C ends.")
            away, looks = True, -1  # the next look goes back far
            continue
        if away:
            err.print("The journal is there again.")
            away = False
        oldest = id_at(now - 2 * _LONG)
        seen = {id_ for id_ in seen if id_ >= oldest}


async def _pages(journal: "Journal", filters: Filters) -> "AsyncIterator[list[Passage]]":
    after = None
    while True:
        found = await find(journal, filters, _PAGE, after=after, oldest_first=True)
        yield found
        if len(found) < _PAGE:
            return
        after = found[-1].id
