"""What a journal promises.

What `write` was given is there, all of it and for good, when it returns. After StoreUnavailable all of it is there or
nothing: write the same again, with the same ids, and each is there once. Reading holds up nobody. An id that was given
later is higher within a process; those of several processes may be stored a moment apart, so who follows the journal
stays some seconds behind. Every call may raise StoreUnavailable.
"""
# ruff: noqa: D102 - the line's end says it

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

from gateway.store.journal.values import Count, JournalSearch, Passage


class Journal(Protocol):
    """Every message that passed the gateway processes that share it."""

    def new_id(self, at: float | None = None) -> int: ...  # for a message of this time; without it, of now
    async def write(self, passages: Sequence[Passage]) -> None: ...  # one commit; ids that are there stay as they are
    async def find(
        self, search: JournalSearch, limit: int = 50, *, after: int | None = None, oldest_first: bool = False
    ) -> list[Passage]: ...  # newest first, without bodies; the next page is after the last id of this one
    async def get(self, id_: int) -> Passage | None: ...  # with its body
    async def bodies(self, ids: Collection[int]) -> dict[int, bytes]: ...  # of those that have one
    def walk(
        self, search: JournalSearch, *, after: int | None = None
    ) -> AsyncIterator[Passage]: ...  # with bodies, oldest first, few at a time in memory
    async def stats(self, search: JournalSearch, per: int = 3600) -> list[Count]: ...  # slots of so many seconds, UTC
    async def purge(
        self, before: float, *, noun: str | None = None, keep: str | None = None, limit: int = 1000
    ) -> int: ...  # how many went; again until it is 0
    async def purge_to(self, size: int, *, limit: int = 1000) -> int: ...  # the oldest, until it takes `size` bytes
    async def size(self) -> int: ...  # bytes on the disk that are in use
    async def close(self) -> None: ...
