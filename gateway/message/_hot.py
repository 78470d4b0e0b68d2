"""Values that are made for every message."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def hot_value(cls: type[T]) -> type[T]:
    """Make a dataclass with slots that is frozen to type checkers, and not at run time.

    A frozen one sets each field by a call; for header and message together that took a tenth of the time of reading.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
