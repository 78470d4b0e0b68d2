"""What the keeper of outages promises.

What a unit wrote is there for good, all of it, once the unit has ended without an error; else none of it. A unit begins
with `holder`, which lets in one unit at a time, of all processes that share the store. Every call may raise
StoreUnavailable; raised at the end of a unit it leaves open whether the unit was stored.
"""
# ruff: noqa: D102 - the line's end says it

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from gateway.store.outages.values import Holder, Standing, StoredBatch, StoredDevice, StoredReport


class OutageUnit(Protocol):
    """One transaction."""

    async def holder(self) -> Holder: ...  # and keeps all others out until the end of the unit
    async def hold(self, owner: str, at: int) -> None: ...
    async def devices(self, keys: Collection[str]) -> dict[str, StoredDevice]: ...  # those that are known
    async def put(self, devices: Sequence[StoredDevice]) -> None: ...  # new ones, and in the place of those known
    async def reports(self) -> list[StoredReport]: ...  # all that wait, in order
    async def batches(self) -> list[StoredBatch]: ...  # all that are not sent, in order
    async def add(self, reports: Sequence[StoredReport], batches: Sequence[StoredBatch]) -> None: ...
    async def drop(self, numbers: Collection[int]) -> None: ...  # reports


class OutageStore(Protocol):
    """The outages of all that share a store."""

    def begin(self) -> AbstractAsyncContextManager[OutageUnit]: ...
    async def sent(self, batch: str) -> None: ...  # it leaves the store
    async def left(self) -> Holder | None: ...  # who works at it, where there is anything to be told
    async def standing(self) -> Standing: ...
    async def listed(
        self, powers: Collection[str], *, source: str = "", told_from: int = 0, limit: int = 50
    ) -> list[StoredDevice]: ...  # those that are out the longest first
    async def find(self, named: str, limit: int = 10) -> list[StoredDevice]: ...  # by key, mRID or name
    async def close(self) -> None: ...
