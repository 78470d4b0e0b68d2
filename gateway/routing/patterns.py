"""Patterns over the codes of Part 9: `*.26.*.*` is any event of domain 26 (Power), whatever the device."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

_PART: Final = re.compile(r"\*|-?\d+")


class CodeKind(Enum):
    """A kind of code: the key that asks for it, the element whose `ref` carries it, how many parts it has."""

    EVENT = ("events", "EndDeviceEventType", 4)
    CONTROL = ("controls", "EndDeviceControlType", 4)
    READING = ("readings", "ReadingType", 18)

    def __init__(self, key: str, element: str, parts: int) -> None:
        self.key = key
        self.element = element
        self.parts = parts


class BadPattern(ValueError):  # noqa: N818 - says what the text is
    """The text is no pattern of its kind; the message says why."""


@dataclass(frozen=True, slots=True)
class CodePattern:
    """A code with numbers or `*` as its parts; `*` stands for any number."""

    kind: CodeKind
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.parts)

    @property
    def expression(self) -> str:
        """The pattern as a regular expression over a whole code."""
        return r"\.".join(r"-?\d+" if part == "*" else re.escape(part) for part in self.parts)

    def covers(self, other: "CodePattern") -> bool:
        """Tell whether every code that the other pattern takes is taken by this one too."""
        return self.kind is other.kind and all(
            mine in ("*", theirs) for mine, theirs in zip(self.parts, other.parts, strict=True)
        )


def parse_pattern(kind: CodeKind, text: str) -> CodePattern:
    """Read a pattern. Raises `BadPattern` for a wrong number of parts, or a part that is no number and not `*`."""
    parts = tuple(text.split("."))
    for position, part in enumerate(parts, start=1):
        if not _PART.fullmatch(part):
            raise BadPattern(f"part {position} is '{part}', neither a number nor *")
    if len(parts) != kind.parts:
        raise BadPattern(f"it has {len(parts)} parts, and {kind.element} has {kind.parts}")
    return CodePattern(kind, parts)


def compile_patterns(patterns: Sequence[CodePattern]) -> re.Pattern[str]:
    """Give one regular expression that takes a code where any of the patterns does."""
    return re.compile("|".join(f"(?:{pattern.expression})" for pattern in patterns), re.ASCII)
