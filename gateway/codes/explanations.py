"""What is said of a code: a sentence, its parts, what answers it, what is to be known besides."""

from dataclasses import dataclass

from gateway.codes.answers import Answer
from gateway.codes.index import Registry


@dataclass(frozen=True, slots=True)
class Part:
    """One number of a code. `name` and `meaning` are empty where the number is not known, 0 or open (`*`)."""

    position: int
    part: str
    value: str
    name: str
    meaning: str
    note: str = ""

    @property
    def is_none(self) -> bool:
        """Whether the number says that the part does not apply."""
        return self.value == "0"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reading of what was asked. `answers` are a control's events, or the controls that an event answers.

    `known` is False where no table names the code, or a part of it; `confidence` is that of its row: A three or more
    sources, B two, C one; empty where it has no row.
    """

    registry: Registry
    code: str
    name: str
    sentence: str
    known: bool
    confidence: str = ""
    parts: tuple[Part, ...] = ()
    answers: tuple[Answer, ...] = ()
    notes: tuple[str, ...] = ()
