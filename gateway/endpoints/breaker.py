"""A circuit breaker: an endpoint that fails is tried by one attempt at a time, ever later, until one succeeds."""

from dataclasses import dataclass
from typing import Final

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 60.0
_MOST_DOUBLINGS: Final = 10


def pause_after(failures: int, jitter: float) -> float:
    """Give the seconds to wait after so many failures in a row; `jitter` is a factor around 1."""
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), LONGEST_PAUSE) * jitter


@dataclass(slots=True)
class Breaker:
    """The state of one endpoint. Times are seconds of a clock that never jumps.

    `dead` tells that the last attempt reached nobody at all, so that what waits need not be tried one by one.
    """

    failures: int = 0
    since: float = 0.0
    failed_at: float = 0.0
    closed_until: float = 0.0
    dead: bool = False

    def room(self, now: float, at_once: int) -> int:
        """How many attempts may be under way at this time, of `at_once` when all is well."""
        if now < self.closed_until:
            return 0
        return 1 if self.failures else at_once

    def succeeded(self) -> float | None:
        """Note an attempt that was answered; gives when the trouble began, if there was any."""
        since = self.since if self.failures else None
        self.failures, self.closed_until, self.dead = 0, 0.0, False
        return since

    def failed(self, began: float, now: float, jitter: float, *, dead: bool, wait: float = 0.0) -> bool:
        """Note that an attempt which began then failed now; `wait` is the pause that the endpoint asked for.

        Those that were under way beside another that failed tell nothing new. Tells whether the trouble is new.
        """
        if self.failures and began < self.failed_at:
            self.closed_until = max(self.closed_until, now + wait)
            return False
        new = not self.failures
        if new:
            self.since = now
        self.failures += 1
        self.failed_at, self.dead = now, dead
        self.closed_until = now + max(pause_after(self.failures, jitter), wait)
        return new
