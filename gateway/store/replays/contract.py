"""What the keeper of replays promises.

What a call wrote is there for good when it returns. A replay belongs to the run that took it last: the notes of an
earlier one are refused, so that two never go on with the same. Every call may raise StoreUnavailable.
"""
# ruff: noqa: D102 - the line's end says it

from typing import Protocol

from gateway.store.replays.values import ReplayState, StoredReplay


class Replays(Protocol):
    """The replays of all that share a store."""

    async def add(self, replay: StoredReplay) -> None: ...
    async def find(self, beginning: str = "", limit: int = 50) -> list[StoredReplay]: ...  # of the id; newest first
    async def take(
        self, id_: str, owner: str, at: float
    ) -> StoredReplay | None: ...  # None where there is none; its state stays until the first note
    async def note(
        self, id_: str, owner: str, at: float, progress: str, state: ReplayState
    ) -> bool: ...  # False where it belongs to another run by now
    async def close(self) -> None: ...
