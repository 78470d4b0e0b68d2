"""How far from their time messages were sent: counted in classes of five per cent, so that memory does not grow."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

_STEP: Final = math.log(1.05)
_UNIT: Final = 1e-5
"""Seconds: what is less is no error that a clock here could tell."""


class Spacing:
    """The errors of many messages, in seconds. `classes` is all of it, for the store."""

    def __init__(self, classes: Mapping[int, int] | None = None) -> None:
        self.classes: Counter[int] = Counter(classes or {})

    def add(self, error: float) -> None:
        """Count one message that was sent so many seconds off its time."""
        self.classes[_class_of(abs(error))] += 1

    def quantile(self, part: float) -> float | None:
        """Give the error that so large a part of the messages (0.5: half) does not exceed, to five per cent."""
        left = math.ceil(self.classes.total() * part)
        for one, count in sorted(self.classes.items()):
            left -= count
            if left <= 0:
                return _UNIT * math.exp(one * _STEP)
        return None


def _class_of(error: float) -> int:
    return 0 if error <= _UNIT else math.ceil(math.log(error / _UNIT) / _STEP)
