"""What is kept of a replay. Times are seconds since the epoch."""

from dataclasses import dataclass
from enum import StrEnum


class ReplayState(StrEnum):
    """How a replay stands. One that was killed stays `RUNNING`: nobody wrote down its end."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class StoredReplay:
    """One replay. `owner` is the run that works at it; `plan` (what, whereto, how) and `progress` are documents."""

    id: str
    owner: str
    state: ReplayState
    started: float
    updated: float
    plan: str
    progress: str
