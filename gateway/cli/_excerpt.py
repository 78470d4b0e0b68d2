"""The line of a message that a finding is about, cut to fit, and which part of it to mark."""

import codecs
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, overload

from rich.cells import cell_len

from gateway.cli._shared import printable

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CUT: Final = "..."
_LEAD: Final = 12
"""Characters shown before the marked part of a line that is cut."""

_LONGEST_LINE: Final = 1_000_000
"""Characters; a longer line would take seconds to search, and shows nothing to a person."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One source line: its number (from 1), its text, and the marker to print under it."""

    number: int
    text: str
    marker: str


def lines_of(raw: bytes) -> list[str]:
    """Split a document into lines as the parser counts them; what is no text in its encoding is replaced."""
    return raw.decode(_encoding(raw), "replace").split("\n")


class SomeLines(Sequence[str]):
    """The lines of a large document by their number from 0, as `lines_of` gives them; all but the wanted are empty."""

    def __init__(self, chunks: Iterable[bytes], wanted: Container[int]) -> None:
        chunks = iter(chunks)
        start = next(chunks, b"")
        texts = codecs.iterdecode(chain((start,), chunks), _encoding(start), "replace")
        self._wanted: dict[int, str] = {}
        self._length = 1
        for text in texts:
            first, *others = text.split("\n")
            self._add(first, wanted)
            for line in others:
                self._length += 1
                self._add(line, wanted)

    def _add(self, text: str, wanted: Container[int]) -> None:
        number = self._length - 1
        if number in wanted and len(known := self._wanted.get(number, "")) <= _LONGEST_LINE:
            self._wanted[number] = known + text

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        return self._wanted.get(index % self._length, "")


def _encoding(start: bytes) -> str:
    return next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")


def excerpt(
    lines: Sequence[str],
    number: int,
    *,
    element: str = "",
    attribute: str = "",
    found: str = "",
    column: int | None = None,
    width: int = 80,
) -> Excerpt | None:
    """Cut out line `number` and mark the column, else the first that is there: attribute, value found, element, line.

    Gives None where the line does not exist, or is too long for `width` characters and nothing in it stands out.
    """
    if not 1 <= number <= len(lines):
        return None
    if len(lines[number - 1]) > _LONGEST_LINE:
        return None
    full = printable(lines[number - 1].rstrip())
    text = full.lstrip()
    if not text:
        return None
    shift = len(full) - len(text)
    at = None if column is None else max(0, min(column - 1 - shift, len(text) - 1))
    span = (at, at + 1) if at is not None else _span(text, element, attribute, found)
    if cell_len(text) <= width:
        start, end = span or (0, len(text))
        return Excerpt(number, text, _marker(text, start, end))
    return None if span is None else _cut(number, text, span, width)


def _span(text: str, element: str, attribute: str, found: str) -> tuple[int, int] | None:
    """Find the one place that is meant; two candidates are none, because the wrong one would mislead."""
    for pattern in (
        rf"(?<=\s)(?:[\w.-]+:)?{re.escape(attribute)}(?=\s*=)" if attribute else "",
        rf"(?<=[>\"']){re.escape(found)}(?=[<\"'])" if found else "",
        rf"<(?:[\w.-]+:)?{re.escape(element)}(?![\w.-])" if element else "",
    ):
        places = [match.span() for match in re.finditer(pattern, text)] if pattern else []
        if len(places) == 1:
            return places[0]
    return None


def _cut(number: int, text: str, span: tuple[int, int], width: int) -> Excerpt:
    start, end = span
    first = max(0, start - _LEAD)
    before = _CUT if first else ""
    room = max(1, width - len(before) - len(_CUT))
    shown = text[first : first + room]
    after = _CUT if first + room < len(text) else ""
    line = before + shown + after
    start, end = start - first + len(before), min(end - first, len(shown)) + len(before)
    return Excerpt(number, line, _marker(line, start, end))


def _marker(text: str, start: int, end: int) -> str:
    return " " * cell_len(text[:start]) + "^" * max(1, cell_len(text[start:end]))
