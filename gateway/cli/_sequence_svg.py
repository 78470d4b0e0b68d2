"""A story as a picture: the sequence diagram in SVG, of plain lines and selectable text, without any script. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree
from rich.cells import cell_len

from gateway.cli._sequence import offset_of
from gateway.cli._shared import printable
from gateway.cli._story import Lifeline, Moment, Said, Story, Tone
from gateway.durations import lasted

_NAMESPACE: Final = "http://www.w3.org/2000/svg"
_COLOURS: Final = {
    Tone.PLAIN: "#1f2933",
    Tone.GOOD: "#1b6e33",
    Tone.BAD: "#b3261e",
    Tone.DOUBTFUL: "#8a5300",
    Tone.FAINT: "#6b7680",
}
_INK: Final = _COLOURS[Tone.PLAIN]
_SOFT: Final = _COLOURS[Tone.FAINT]
_FAMILY: Final = "system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
_CHARACTER: Final = 7.2
"""Pixels of a character of 12 px, on the wide side."""
_MARGIN: Final = 24
_TIME: Final = 96
_ROW: Final = 46
_NOTE: Final = 15
_LEAST_GAP: Final = 170
_MOST_GAP: Final = 420
_BOX: Final = 28


def svg_of(story: Story, title: str, lines: Sequence[str] = ()) -> bytes:
    """Draw a story as an SVG document, dark on light; `lines` stand under the title."""
    return etree.tostring(_Picture(story, title, lines).root, xml_declaration=True, encoding="utf-8", pretty_print=True)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of text in the picture."""

    text: str
    size: int = 12
    colour: str = _INK
    anchor: str = "start"
    bold: bool = False


class _Picture:
    """The places in one picture."""

    def __init__(self, story: Story, title: str, lines: Sequence[str]) -> None:
        lifelines = story.lifelines
        self._gap = _gap_of(story)
        self._first = _MARGIN + _TIME + _box(lifelines[0]) / 2
        self._last = self._x(len(lifelines) - 1)
        wide = self._last + _box(lifelines[-1]) / 2 + _MARGIN
        wide = max(wide, _MARGIN * 2 + max(cell_len(line) * _CHARACTER for line in (f"{title}    ", *lines)))
        top = _MARGIN + 20 + 18 * len(lines)
        high = sum(_height(one) for one in story.happenings)
        bottom = top + 16 + _BOX + high + 24
        self.root = etree.Element(f"{{{_NAMESPACE}}}svg", nsmap={None: _NAMESPACE})
        self.root.set("width", f"{wide:.0f}")
        self.root.set("height", f"{bottom + _MARGIN:.0f}")
        self.root.set("viewBox", f"0 0 {wide:.0f} {bottom + _MARGIN:.0f}")
        self.root.set("font-family", _FAMILY)
        self._add("title").text = printable(title)
        self._add("rect", width="100%", height="100%", fill="#ffffff")
        self._write(_MARGIN, _MARGIN + 8, _Line(title, 16, bold=True))
        for number, line in enumerate(lines, 1):
            self._write(_MARGIN, _MARGIN + 10 + 18 * number, _Line(line, colour=_SOFT))
        self._draw_lifelines(lifelines, top + 16, bottom)
        y = float(top + 16 + _BOX + 12)
        for one in story.happenings:
            self._draw(one, y)
            y += _height(one)

    def _x(self, number: int) -> float:
        return self._first + number * self._gap

    def _draw_lifelines(self, lifelines: Sequence[Lifeline], top: float, bottom: float) -> None:
        for number, one in enumerate(lifelines):
            x, half = self._x(number), _box(one) / 2
            self._line(x, top + _BOX, x, bottom, "#9aa5b1", dashes="4 4")
            self._add(
                "rect", x=_px(x - half), y=_px(top), width=_px(2 * half), height=_px(_BOX),
                rx="4", fill="#eef2f6", stroke="#52606d",
            )  # fmt: skip
            self._write(x, top + 18, _Line(one.name, 13, anchor="middle", bold=True))

    def _draw(self, one: Said | Moment, y: float) -> None:
        colour = _COLOURS[one.tone]
        baseline = y + _ROW / 2
        self._write(_MARGIN, baseline + 4, _Line(offset_of(one.offset), 11, _SOFT))
        if isinstance(one, Moment):
            self._line(_MARGIN + _TIME - 10, baseline, self._last, baseline, colour, dashes="2 5")
            self._write(_MARGIN + _TIME - 6, baseline - 5, _Line(one.text, colour=colour, bold=True))
            return
        start, end = self._x(one.sender), self._x(one.receiver)
        step = 1 if start < end else -1
        dashes = "6 3" if one.tone is Tone.FAINT else ""
        self._line(start, baseline, end - 6 * step, baseline, colour, dashes=dashes)
        head = [(end, baseline), (end - 9 * step, baseline - 4.5), (end - 9 * step, baseline + 4.5)]
        self._add("polygon", points=" ".join(f"{x:.1f},{at:.1f}" for x, at in head), fill=colour)
        middle = (start + end) / 2
        self._write(middle, baseline - 6, _Line(_label(one), colour=colour, anchor="middle"))
        for number, note in enumerate(_notes(one), 1):
            self._write(middle, baseline + _NOTE * number, _Line(note, 11, _SOFT, anchor="middle"))

    def _line(self, x1: float, y1: float, x2: float, y2: float, colour: str, *, dashes: str = "") -> None:
        line = self._add("line", x1=_px(x1), y1=_px(y1), x2=_px(x2), y2=_px(y2), stroke=colour)
        line.set("stroke-width", "1.2")
        if dashes:
            line.set("stroke-dasharray", dashes)

    def _write(self, x: float, y: float, line: _Line) -> None:
        text = self._add("text", x=_px(x), y=_px(y), fill=line.colour)
        text.set("font-size", str(line.size))
        if line.anchor != "start":
            text.set("text-anchor", line.anchor)
        if line.bold:
            text.set("font-weight", "bold")
        # A halo keeps the words readable where they stand on a lifeline.
        text.set("stroke", "#ffffff")
        text.set("stroke-width", "3")
        text.set("paint-order", "stroke")
        text.text = printable(line.text)

    def _add(self, name: str, **attributes: str) -> etree._Element:
        return etree.SubElement(self.root, f"{{{_NAMESPACE}}}{name}", attributes)


def _label(said: Said) -> str:
    return " ".join(part for part in (said.what, said.result, *said.codes) if part)


def _notes(said: Said) -> tuple[str, ...]:
    return (*((f"after {lasted(said.after)}",) if said.after is not None else ()), *said.notes)


def _height(one: Said | Moment) -> float:
    return _ROW + _NOTE * max(0, len(_notes(one)) - 1) if isinstance(one, Said) else _ROW


def _box(one: Lifeline) -> float:
    return cell_len(printable(one.name)) * 8.6 + 24


def _gap_of(story: Story) -> float:
    """Give the lifelines room for what is written on the arrows between them, within bounds."""
    wide = [_box(one) + 20 for one in story.lifelines]
    for one in story.happenings:
        if isinstance(one, Said):
            longest = max(cell_len(text) for text in (_label(one), *_notes(one)))
            wide.append((longest * _CHARACTER + 24) / max(1, abs(one.receiver - one.sender)))
    return max(_LEAST_GAP, min(_MOST_GAP, max(wide)))


def _px(number: float) -> str:
    return f"{number:.1f}"
