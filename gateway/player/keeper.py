"""Writes down how far a run has come, and stops the run once another has taken the replay."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway.player.documents import Progress, progress_to_json
from gateway.player.troubles import Trouble, Troubles
from gateway.store import StoreUnavailable
from gateway.store.replays import Replays, ReplayState

_PAUSE: Final = 1.0
_HOLDS: Final = 1.5
"""Seconds for which a note lets a run send."""

UNTIL_SILENT: Final = 2.0
"""Seconds after which a run that is alive sends no more, once another has taken its replay."""


class TakenOver(RuntimeError):  # noqa: N818 - says what happened
    """Another run goes on with this replay; this one must send no more."""


class Keeper:
    """Keeps the progress of one run of one replay, and its troubles.

    Where the store is away a note waits, for `patience` seconds at most.
    """

    def __init__(
        self, replays: Replays, id_: str, owner: str, progress: Progress, now: Callable[[], float], patience: float
    ) -> None:
        self.progress = progress
        self.troubles = Troubles()
        self._replays = replays
        self._id = id_
        self._owner = owner
        self._now = now
        self._patience = patience
        self._turn = asyncio.Lock()
        self._until = 0.0
        self._noted = ""

    @property
    def holds(self) -> bool:
        """Whether the replay is surely this run's still. Without it nothing may be sent: another may be at it."""
        return time.monotonic() < self._until

    async def note(self, state: ReplayState = ReplayState.RUNNING) -> None:
        """Write down the progress as it is now, for good. Raises `TakenOver`, or StoreUnavailable after the patience.

        What is the same as before is not written again.
        """
        async with self._turn:
            began = self._now()
            while True:
                told = progress_to_json(self.progress)
                if told == self._noted and state is ReplayState.RUNNING and self.holds:
                    return
                asked = time.monotonic()
                try:
                    ours = await self._replays.note(self._id, self._owner, self._now(), told, state)
                except StoreUnavailable as error:
                    self.troubles.begins(Trouble.STORE, f"{error}. Trying again.")
                    if self._now() - began > self._patience:
                        raise
                    await asyncio.sleep(_PAUSE)
                    continue
                break
            self.troubles.ends(Trouble.STORE)
            if not ours:
                raise TakenOver(f"Another run goes on with replay {self._id}; this one has stopped.")
            self._noted, self._until = told, asked + _HOLDS
