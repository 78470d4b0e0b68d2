"""Going through a journal: page after page, so that memory does not grow with it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Final

from gateway.store.journal.values import Passage

PAGE: Final = 100
Page = tuple[list[Passage], set[int]]
"""Messages with their bodies, and the ids of those whose body is large and must be read by itself."""


async def walked(
    page: Callable[[int | None], Awaitable[Page]],
    large_body: Callable[[int], Awaitable[bytes | None]],
    after: int | None,
) -> AsyncIterator[Passage]:
    """Give all messages that the pages hold, each page from after the last id of the one before.

    Large bodies are read one at a time.
    """
    while True:
        found, large = await page(after)
        for passage in found:
            yield replace(passage, body=await large_body(passage.id)) if passage.id in large else passage
        if len(found) < PAGE:
            return
        after = found[-1].id
