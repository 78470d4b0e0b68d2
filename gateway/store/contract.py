"""What a store promises.

What a unit wrote is there, all of it and for good, once its `async with` ended without an error: it survives a kill, a
power cut and the loss of the connection. After an error nothing of it is there; only StoreUnavailable from the commit
leaves that open. What a writing unit reads by key is its own until it ends: other processes that ask for the same
wait. So a unit is short: nothing but the store is awaited in it. Every call may raise StoreUnavailable.
"""
# ruff: noqa: D102 - the line's end says it

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gateway.store.values import Entry, Key, Search, Stored, StoredLeg, Tie


class Reader(Protocol):
    """Looks, and holds up nobody. What is not found is not in the answer."""

    async def conversations(self, ids: Collection[str]) -> dict[str, Stored]: ...  # by their own ids
    async def conversations_of_legs(self, leg_ids: Collection[str]) -> dict[str, Stored]: ...  # by leg id
    async def requests(self, keys: Collection[Key]) -> dict[Key, Stored]: ...  # by source and MessageID
    async def by_echoed(self, keys: Collection[Key]) -> dict[Key, Stored]: ...  # of several the one opened last
    async def by_ties(self, keys: Collection[str]) -> dict[str, Stored]: ...  # of several the one opened last
    async def open_legs(self, system: str, noun: str, limit: int = 2) -> list[StoredLeg]: ...  # in the order of ids
    async def search(self, search: Search, limit: int = 50) -> list[Stored]: ...  # newest first
    async def stuck(self, now: float, silent: float, limit: int = 50) -> list[Stored]: ...  # see SqlReader
    async def bodies(self, keys: Collection[str]) -> dict[str, bytes]: ...  # of entries, by their keys
    async def entries(self, conversation_id: str) -> list[Entry]: ...  # in the order of time


class Unit(Reader, Protocol):
    """Reads and writes in one transaction, many rows at once.

    `insert` gives the ids it refused, because their source and MessageID are there already: read them with `requests`.
    `update` gives the ids it refused, because their version is no longer the stored one: read, step and update again.
    Legs and ties of refused conversations are left out; other legs are added, or replace the one with their id.
    """

    async def due(self, now: float, limit: int) -> list[Stored]: ...  # oldest deadline first, none that others hold
    async def insert(
        self, rows: Sequence[Stored], legs: Sequence[StoredLeg] = (), ties: Sequence[Tie] = ()
    ) -> frozenset[str]: ...
    async def update(self, rows: Sequence[Stored], legs: Sequence[StoredLeg] = ()) -> frozenset[str]: ...
    async def add_entries(self, entries: Sequence[Entry]) -> None: ...
    async def purge(self, before: float, limit: int = 1000) -> int: ...  # how many went; again until it is 0


class Store(Protocol):
    """The conversations of all gateway processes that share it."""

    def begin(self) -> AbstractAsyncContextManager[Unit]: ...  # commits at its end, rolls back after an error
    def look(self) -> AbstractAsyncContextManager[Reader]: ...
    async def close(self) -> None: ...
