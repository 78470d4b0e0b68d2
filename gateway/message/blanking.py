"""Takes values out of texts: what a reason, a log line or an error quotes of a masked value is replaced by a mark."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

MARK: Final = "***"
"""What stands in the place of a masked value."""

_SHORT: Final = 4
"""Characters: a shorter value is blanked as a word of its own only; it would take every text apart."""
_CUT: Final = re.compile(r"\.\.\.|\u2026")
_LEAST_CUT: Final = 4
"""Characters of a quotation cut short by `...` from which on it is taken for the beginning of a value."""
_LONGEST_CUT: Final = 1_000
"""Characters that a quotation cut short has at most."""


def blank(text: str, values: Collection[str]) -> str:
    """Put the mark in the place of every masked value that a text quotes.

    Also found are values with their white space drawn together, escaped as in XML, and cut short by `...`. It hides
    rather too much than too little. Linear in the number of values.
    """
    if not text or not values:
        return text
    told = _folded(text)
    present = {form for value in values for form in _forms(value) if _folded(form) in told}
    # A look-ahead, because values may overlap: none may leave its end behind.
    spans = [match.span(1) for form in present for match in re.finditer(f"(?=({_pattern(form)}))", text)]
    spans += _cut_short(text, values)
    return _marked(text, sorted(spans)) if spans else text


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    pieces: list[str] = []
    end = 0
    for start, stop in spans:
        if start >= end:
            pieces += (text[end:start], MARK)
        end = max(end, stop)
    return "".join((*pieces, text[end:]))


def _forms(value: str) -> Iterator[str]:
    value = value.strip()
    if not value:
        return
    yield value
    escaped = escape(value)
    if escaped != value:
        yield escaped
        yield escape(value, {'"': "&quot;", "'": "&apos;"})


def _folded(text: str) -> str:
    return " ".join(text.split())


def _pattern(value: str) -> str:
    pattern = r"\s+".join(map(re.escape, value.split()))
    return rf"(?<!\w){pattern}(?!\w)" if len(value) < _SHORT else pattern


def _cut_short(text: str, values: Collection[str]) -> list[tuple[int, int]]:
    """Find what stands before `...` and begins a value."""
    cuts = [cut.start() for cut in _CUT.finditer(text)]
    if not cuts:
        return []
    beginnings = {_folded(value) for value in values}
    lengths = ((cut, _longest_beginning(text[max(0, cut - _LONGEST_CUT) : cut], beginnings)) for cut in cuts)
    return [(cut - length, cut) for cut, length in lengths if length]


def _longest_beginning(before: str, values: Collection[str]) -> int:
    """Give the length of the longest end of a text with which a value begins."""
    last = before[-_LEAST_CUT:]
    best = 0
    for value in values:
        place = value.find(last)
        while place >= 0:  # the text's end stands there in the value: does all before it agree?
            length = place + len(last)
            if length > best and before.endswith(value[:length]):
                best = length
            place = value.find(last, place + 1)
    return best
