"""What the keeper of subscriptions promises.

What a call wrote is there for good when it returns, and each call is done wholly or not at all. Every call may raise
StoreUnavailable.
"""
# ruff: noqa: D102 - the line's end says it

from typing import Protocol

from gateway.store.subscriptions.values import Known, Progress, Reader, StoredSubscription


class Subscriptions(Protocol):
    """The subscriptions of all that share a store."""

    async def add(self, subscription: StoredSubscription) -> int | None: ...  # the version; None: its name is taken
    async def end(self, name: str, *, ended: bool = True) -> int | None: ...  # the version; None where there is none
    async def remove(self, name: str) -> None: ...
    async def version(self) -> int: ...
    async def known(self) -> Known: ...  # by name
    async def one(self, name: str) -> StoredSubscription | None: ...
    async def acts(self, gateway: str, version: int, at: float) -> None: ...  # a gateway says what it acts by
    async def leaves(self, gateway: str) -> None: ...
    async def readers(self) -> list[Reader]: ...
    async def forget_readers(self, before: float) -> None: ...  # those that have said nothing since
    async def note(self, progress: Progress) -> None: ...  # adds up `delivered`; nothing where the name is gone
    async def progress(self) -> dict[str, Progress]: ...
    async def close(self) -> None: ...
