"""When each message of a replay is due: the spacing that was recorded, faster or slower, under a ceiling."""

import math
from dataclasses import dataclass
from typing import Final

AS_RECORDED: Final = "as-recorded"
MAX: Final = "max"


class BadPace(ValueError):  # noqa: N818 - says what it is
    """A speed or a rate that cannot be kept; the text says what to write."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast. `speed` 10 means a tenth of the recorded pauses, None none at all; `rate` is messages a second at most.

    The ceiling delays what would be too much; what comes after a rush is on the recorded time again.
    """

    speed: float | None = 1.0
    rate: float | None = None

    @classmethod
    def read(cls, speed: str, rate: str | None = None) -> "Pace":
        """Read `as-recorded`, `1x`, `10x`, `0.5x` or `max`, and `200` or `200/s`. Raises `BadPace`."""
        return cls(_speed(speed.strip().lower()), None if rate is None else _rate(rate.strip().lower()))

    @property
    def has_times(self) -> bool:
        """Whether there is a time at which a message is due."""
        return self.speed is not None or self.rate is not None

    @property
    def stalled(self) -> float:
        """Seconds by which a message may be late and be caught up with; more moves all that follow.

        Short under a ceiling, which catching up would break.
        """
        return 1.0 if self.rate is None else 0.1


def _speed(text: str) -> float | None:
    if text == MAX:
        return None
    number = _number(text.removesuffix("x")) if text != AS_RECORDED else 1.0
    if number is None or not (text == AS_RECORDED or text.endswith("x")):
        raise BadPace(f"{text!r} is no speed: write as-recorded, 1x, 10x, 0.5x or max.")
    return number


def _rate(text: str) -> float:
    number = _number(text.removesuffix("/s"))
    if number is None:
        raise BadPace(f"{text!r} is no rate: write how many messages a second at most, such as 200/s.")
    return number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number > 0 and math.isfinite(number) else None


class Timetable:
    """Gives when each message is due, in seconds after the first; they are handed in, in their order, one by one.

    One that was recorded before its predecessor is due with it.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._first: float | None = None
        self._on_time = 0.0
        self._due = 0.0

    def due(self, at: float) -> float:
        """Give when the next message is due that was recorded at this time, in seconds since the epoch."""
        if self._first is None:
            self._first = at
            return 0.0
        if self._pace.speed is not None:
            self._on_time = max(self._on_time, (at - self._first) / self._pace.speed)
        least = self._due if self._pace.rate is None else self._due + 1 / self._pace.rate
        self._due = max(self._on_time, least)
        return self._due
