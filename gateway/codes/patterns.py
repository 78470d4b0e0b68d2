"""The kinds of dotted codes of Part 9, and patterns over them: `*.26.*.*` is any event of domain 26 (Power)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

_PATTERN_PART: Final = re.compile(r"\*|-?\d{1,9}", re.ASCII)
_NUMBER: Final = r"(?:0|[1-9][0-9]{0,8})"
_SIGNED: Final = r"(?:0|-?[1-9][0-9]{0,8})"
_SIGNED_FIELDS: Final = frozenset({"multiplier"})
"""Only a multiplier is ever negative: -3 is milli."""


class CodeKind(Enum):
    """A kind of code: the element whose `ref` carries it, the names of its parts (all numbers), how many they are."""

    EVENT = ("EndDeviceEventType", ("device", "domain", "subdomain", "action"))
    CONTROL = ("EndDeviceControlType", ("device", "domain", "subdomain", "action"))
    READING = (
        "ReadingType",
        (
            *("macro_period", "aggregate", "measuring_period", "accumulation", "flow_direction", "commodity"),
            *("measurement_kind", "interharmonic_numerator", "interharmonic_denominator"),
            *("argument_numerator", "argument_denominator", "tou", "cpp", "consumption_tier"),
            *("phases", "multiplier", "unit_of_measure", "currency"),
        ),
    )
    QUALITY = ("ReadingQualityType", ("system", "category", "index"))

    def __init__(self, element: str, fields: tuple[str, ...]) -> None:
        self.element = element
        self.fields = fields
        self.parts = len(fields)
        number = (_SIGNED if field in _SIGNED_FIELDS else _NUMBER for field in fields)
        self._syntax = re.compile(r"\.".join(number))

    def well_formed(self, text: str) -> bool:
        """Tell whether a text is written as a code of this kind is, whatever its numbers mean. Cheap: one regex."""
        return self._syntax.fullmatch(text) is not None

    def signed(self, field: str) -> bool:
        """Tell whether a part may be negative."""
        return field in _SIGNED_FIELDS


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

    def takes(self, code: str) -> bool:
        """Tell whether a code is one of those that the pattern stands for."""
        return re.fullmatch(self.expression, code, re.ASCII) is not None


def parse_pattern(kind: CodeKind, text: str) -> CodePattern:
    """Read a pattern. Raises `BadPattern` for a wrong number of parts, or a part that is no number and not `*`."""
    parts = tuple(text.split("."))
    for position, part in enumerate(parts, start=1):
        if not _PATTERN_PART.fullmatch(part):
            raise BadPattern(f"part {position} is '{part}', neither a number nor *")
    if len(parts) != kind.parts:
        raise BadPattern(f"it has {len(parts)} parts, and {kind.element} has {kind.parts}")
    return CodePattern(kind, parts)


def compile_patterns(patterns: Sequence[CodePattern]) -> re.Pattern[str]:
    """Give one regular expression that takes a code where any of the patterns does."""
    return re.compile("|".join(f"(?:{pattern.expression})" for pattern in patterns), re.ASCII)
