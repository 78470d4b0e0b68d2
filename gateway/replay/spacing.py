"""How far from their time messages were sent: counted in classes of five per cent, so that memory does not grow."""

import math
from collections.abc import MutableMapping
from typing import Final

_STEP: Final = math.log(1.05)
_UNIT: Final = 1e-5
"""Seconds: what is less is no error that a clock here could tell."""


class Spacing:
    """The errors of many messages, in seconds. `classes` is all of it, for the store; it is added to."""

    def __init__(self, classes: MutableMapping[int, int] | None = None) -> None:
        self.classes: MutableMapping[int, int] = {} if classes is None else classes

    def add(self, error: float) -> None:
        """Count one message that was sent so many seconds off its time."""
        one = _class_of(abs(error))
        self.classes[one] = self.classes.get(one, 0) + 1

    def quantile(self, part: float) -> float | None:
        """Give the error that so large a part of the messages (0.5: half) does not exceed, to five per cent."""
        left = math.ceil(sum(self.classes.values()) * part)
        for one, count in sorted(self.classes.items()):
            left -= count
            if left <= 0:
                return _UNIT * math.exp(one * _STEP)
        return None


def _class_of(error: float) -> int:
    return 0 if error <= _UNIT else math.ceil(math.log(error / _UNIT) / _STEP)
