"""Ids that hold the time: a range of time is a range of ids, and new rows go to the end of every table.

63 bits: microseconds since the epoch above 11 bits that tell the processes apart which write to one journal.
"""

import time
from typing import Final

PART_BITS: Final = 11
PARTS: Final = 1 << PART_BITS
"""How many processes can be told apart."""
END: Final = (1 << 63) - 1
"""Above every id that is made, and the highest number that the databases hold."""
_MICROSECONDS: Final = 1_000_000


def id_at(seconds: float) -> int:
    """Give the lowest id of a time; all that was before has lower ones. Times beyond the range give its ends."""
    if seconds <= 0:
        return 0
    microseconds = seconds * _MICROSECONDS
    return round(microseconds) << PART_BITS if microseconds < END >> PART_BITS else END


def time_of(id_: int) -> float:
    """Give the time that an id holds."""
    return (id_ >> PART_BITS) / _MICROSECONDS


class PassageIds:
    """Makes ids, each higher than the one before, also where the clock is set back. `part` is this process's own."""

    def __init__(self, part: int) -> None:
        self._part = part % PARTS
        self._last = 0

    def new(self, at: float | None = None) -> int:
        """Give the id of something that is happening at this time; without it, now."""
        now = time.time_ns() // 1_000 if at is None else round(at * _MICROSECONDS)
        self._last = max(now, self._last + 1)
        return self._last << PART_BITS | self._part
