"""One difference between two schemas, as a statement about what one of them allows and the other does not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Kind = Literal["element", "occurrence", "order", "choice", "content", "value", "attribute", "wildcard", "namespace"]


class Side(StrEnum):
    """Which schema allows it: the partner's or ours."""

    THEIRS = "theirs"
    OURS = "ours"

    @property
    def other(self) -> "Side":
        """The other one, which does not allow it."""
        return Side.OURS if self is Side.THEIRS else Side.THEIRS


@dataclass(frozen=True, slots=True)
class Said:
    """What `side` allows and the other does not, at `name`: an element, `@attribute`, or empty for where we stand."""

    side: Side
    kind: Kind
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that `side` allows and the other does not.

    `path` leads from the root element to the first place (`MeterReadings/MeterReading/Meter/@ref`), `places` counts all
    places where it is so, because a type may be used in many.
    """

    side: Side
    kind: Kind
    path: str
    text: str
    places: int = 1
