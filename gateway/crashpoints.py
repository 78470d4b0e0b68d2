"""Places at which a test can have this process killed, as by a power cut.

CIMGATE_CRASH says where: `NAME:N` the N-th time the point of this name is passed, `any:N` at the N-th point of all,
`count` nowhere: how many points were passed is then written to standard error at the end. Without it nothing happens.
"""

import atexit
import os
import signal
from typing import Final

VARIABLE: Final = "CIMGATE_CRASH"
ANY: Final = "any"
COUNT: Final = "count"


class _Trap:
    """Counts the points that are passed, and kills this process at the one that was named."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._number = number
        self._passed: list[str] = []

    def passed(self, name: str) -> None:
        if self._name in (ANY, name):
            self._passed.append(name)
            if len(self._passed) == self._number:
                os.write(2, f"crash point {self._number} {name}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)

    def tell(self) -> None:
        os.write(2, f"crash points passed {len(self._passed)}\n".encode())


def _armed(text: str) -> _Trap | None:
    if not text:
        return None
    if text == COUNT:
        trap = _Trap(ANY, 0)
        atexit.register(trap.tell)
        return trap
    name, _, number = text.rpartition(":")
    if not (name and number.isascii() and number.isdigit() and int(number)):
        raise ValueError(f"{VARIABLE} is '{text}': NAME:N, {ANY}:N or {COUNT} is wanted, N from 1.")
    return _Trap(name, int(number))


_trap: Final = _armed(os.environ.get(VARIABLE, ""))


def crash_point(name: str) -> None:
    """End this process here, by SIGKILL, if a test asked for it."""
    if _trap is not None:
        _trap.passed(name)
