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
    began = time.time() - _SHORTLY if filters.since is None else filters.since
    seen: set[int] = set()

    async def look(since: float) -> None:
        async for page in _pages(journal, filters.within(since=since)):
            show([one for one in page if one.id not in seen])
            seen.update(one.id for one in page)

    if filters.since is None:
        async for page in _pages(journal, filters.within(since=began)):
            seen.update(one.id for one in page)
        last = await find(journal, filters, lines) if lines else []
        seen.update(one.id for one in last)
        show(last[::-1])
    looks, all_of_it, away = 0, True, False
    while True:
        now = time.time()
        back = _SHORTLY if looks % _LOOKS_BETWEEN else _LONG
        try:
            await look(began if all_of_it else max(began, now - back))
        except StoreUnavailable as error:
            if not away:
                complain(str(error), "Looking again until it is there; Ctrl-C ends.")
            away, looks = True, 0  # the next look goes back far
        else:
            if away:
                err.print("The journal is there again.")
            away, all_of_it, looks = False, False, looks + 1
            oldest = id_at(now - 2 * _LONG)
            seen = {id_ for id_ in seen if id_ >= oldest}
        await asyncio.sleep(_EVERY)


async def _pages(journal: "Journal", filters: Filters) -> "AsyncIterator[list[Passage]]":
    after = None
    while True:
        found = await find(journal, filters, _PAGE, after=after, oldest_first=True)
        yield found
        if len(found) < _PAGE:
            return
        after = found[-1].id
