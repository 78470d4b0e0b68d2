"""What all dotted codes share: from text to numbers and back, comparison with patterns, what is wrong with a text."""

from typing import ClassVar, Final

from gateway.codes.patterns import CodeKind, CodePattern, parse_pattern

CACHED: Final = 4096
"""Texts that each kind of code remembers: a site uses some hundreds; a hostile partner must not fill the memory."""
_MOST_DIGITS: Final = 9
_LONGEST_QUOTE: Final = 30
"""Characters: a text from a partner may have megabytes."""


class BadCode(ValueError):  # noqa: N818 - says what the text is
    """The text is no code of its kind; the message names the part at fault and says why, without a full stop."""


class DottedCode:
    """A code of numbers with dots between them. Each kind is a frozen dataclass of its parts."""

    __slots__ = ()
    kind: ClassVar[CodeKind]

    def __post_init__(self) -> None:
        check_syntax(self.kind, str(self))

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The parts in order."""
        return tuple(getattr(self, field) for field in self.kind.fields)

    @property
    def texts(self) -> dict[str, str]:
        """The parts as text, by the names of their fields."""
        return dict(zip(self.kind.fields, map(str, self.numbers), strict=True))

    def matches(self, pattern: CodePattern | str) -> bool:
        """Tell whether a pattern such as `*.26.*.*` stands for this code. Raises `BadPattern` for a text that is none.

        A pattern of another kind stands for no code of this one.
        """
        wanted = parse_pattern(self.kind, pattern) if isinstance(pattern, str) else pattern
        return wanted.kind is self.kind and wanted.takes(str(self))


def numbers_of(kind: CodeKind, text: str) -> tuple[int, ...]:
    """Give the numbers of a code. Raises `BadCode` where the text is not written as a code of this kind."""
    check_syntax(kind, text)
    return tuple(map(int, text.split(".")))


def check_syntax(kind: CodeKind, text: str) -> None:
    """Refuse a text that is not written as a code of this kind. Raises `BadCode`."""
    if not kind.well_formed(text):
        raise BadCode(_fault(kind, text))


def spoken(field: str) -> str:
    """Give the name of a part in words: `measuring period`."""
    return field.replace("_", " ")


def _fault(kind: CodeKind, text: str) -> str:
    if not text.strip():
        return f"it is empty; {kind.element} has {kind.parts} numbers with dots between them"
    if text != text.strip():
        return "it has spaces around it"
    parts = text.split(".")
    if len(parts) != kind.parts:
        return f"it has {len(parts)} part{'' if len(parts) == 1 else 's'}, and {kind.element} has {kind.parts}"
    faults = ((position, field, _part_fault(kind, field, part)) for position, field, part in _placed(kind, parts))
    return next(f"part {position} ({spoken(field)}) is {fault}" for position, field, fault in faults if fault)


def _placed(kind: CodeKind, parts: list[str]) -> list[tuple[int, str, str]]:
    return [(number + 1, kind.fields[number], part) for number, part in enumerate(parts)]


def _part_fault(kind: CodeKind, field: str, part: str) -> str:
    if not part:
        return "empty"
    quoted = f"'{part[:_LONGEST_QUOTE]}{'...' if len(part) > _LONGEST_QUOTE else ''}'"
    digits = part.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        return f"{quoted}, which is no number"
    if part != digits and not kind.signed(field):
        return f"{quoted}, and only a multiplier may be negative"
    if part == "-0" or (digits != "0" and digits.startswith("0")):
        return f"{quoted}: write the number without leading zeros"
    return f"{quoted}, which has more than {_MOST_DIGITS} digits" if len(digits) > _MOST_DIGITS else ""
