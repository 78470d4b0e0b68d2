"""A story as a sequence diagram of characters: a row a message, a column a lifeline, the words beside it. Pure."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, chop_cells, set_cell_size

from gateway.cli._shared import printable
from gateway.cli._story import Lifeline, Moment, Said, Story, Tone
from gateway.durations import lasted

_TIME: Final = 11
"""Columns of the time, with what stands between it and the first lifeline."""
_LEAST_WORDS: Final = 26
_LEAST_GAP: Final = 7
_GOOD_GAP: Final = 9
_MOST_GAP: Final = 14
_EDGES: Final = 8
"""Columns beside the outermost lifelines, for their names."""
_MANY: Final = "systems"
_UNIT: Final = re.compile(r"(\d) (ms|s|min|h|d)\b")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What lines are drawn with."""

    line: str = "\N{BOX DRAWINGS LIGHT VERTICAL}"
    dash: str = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
    to_right: str = "\N{BLACK RIGHT-POINTING POINTER}"
    to_left: str = "\N{BLACK LEFT-POINTING POINTER}"
    moment: str = "\N{BOX DRAWINGS LIGHT DOUBLE DASH HORIZONTAL}"
    cut: str = "\N{HORIZONTAL ELLIPSIS}"


UNICODE: Final = Glyphs()
ASCII: Final = Glyphs("|", "-", ">", "<", ".", "~")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the diagram: time, lines and words, each padded to its columns."""

    time: str
    lines: str
    words: str = ""
    tone: Tone = Tone.PLAIN
    head: bool = False

    @property
    def text(self) -> str:
        """The whole line."""
        return f"{self.time}{self.lines}{self.words}".rstrip()


def rows_of(story: Story, width: int, glyphs: Glyphs = UNICODE) -> list[Row]:
    """Draw a story in lines of at most `width` columns (a screen of less than 60 is drawn as one of 60).

    Where the systems are too many for the width they share one lifeline, and the words name them.
    """
    width = max(60, width)
    longest = max((cell_len(one.what) for one in story.happenings if isinstance(one, Said)), default=0)
    room = width - _TIME - min(max(_LEAST_WORDS, longest + 1), width // 2)
    drawing = _Drawing(story, width, room, glyphs)
    return [*drawing.head(), *(row for one in story.happenings for row in drawing.rows(one))]


def offset_of(at: float) -> str:
    """Write how long after the beginning something happened: `+0.012 s`, then `+0:03:05`, `+3 d 4 h`, `+120 d`."""
    if abs(at) < 100:  # noqa: PLR2004 - what fits the column
        return f"{at:+.3f} s"
    if at < 86_400:  # noqa: PLR2004 - a day
        minutes, seconds = divmod(round(at), 60)
        return f"+{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    days, hours = divmod(round(at / 3_600), 24)
    return f"+{days} d {hours} h" if days < 100 else f"+{days} d"  # noqa: PLR2004 - what fits the column


def words_of(said: Said, *, told_before: str = "") -> str:
    """Say a message in words: what, Result and codes, latency, what became of it."""
    words = " ".join(part for part in (said.what, said.result, *said.codes) if part)
    if said.after is not None:
        words += f" after {lasted(said.after)}"
    return printable("; ".join((told_before + words, *said.notes)))


class _Drawing:
    """The columns of one diagram."""

    def __init__(self, story: Story, width: int, room: int, glyphs: Glyphs) -> None:
        together = (len(story.lifelines) - 1) * _LEAST_GAP + _EDGES > room
        self._glyphs = glyphs
        self._together = together
        self._names = [Lifeline(printable(one.name), one.role) for one in story.lifelines]
        shown = [*self._names[:2], Lifeline(_MANY, "system")] if together else self._names
        longest = max(cell_len(one.name) for one in shown)
        self._shown = shown
        most = (room - _EDGES) // max(1, len(shown) - 1)
        self._gap = max(_LEAST_GAP, min(_MOST_GAP, most, max(_GOOD_GAP, longest + 2)))
        self._first = min(cell_len(shown[0].name), self._gap) // 2
        self._columns = [self._first + number * self._gap for number in range(len(shown))]
        self._wide = self._columns[-1] + 1 + max(2, min(cell_len(shown[-1].name), self._gap) // 2 + 2)
        self._words = width - _TIME - self._wide

    def head(self) -> Iterator[Row]:
        line = ""
        for column, one in zip(self._columns, self._shown, strict=True):
            most = self._gap - 1
            name = one.name
            if cell_len(name) > most:
                name = set_cell_size(name, most - 1) + self._glyphs.cut
            start = max(column - cell_len(name) // 2, cell_len(line) + (1 if line else 0))
            line += " " * (start - cell_len(line)) + name
        yield Row(" " * _TIME, set_cell_size(line, max(self._wide, cell_len(line))), head=True)

    def rows(self, happening: Said | Moment) -> Iterator[Row]:
        time = f"{offset_of(happening.offset):<{_TIME - 1}} "
        if isinstance(happening, Moment):
            lines, words = self._moment(), printable(happening.text)
        else:
            lines, words = self._arrow(happening), words_of(happening, told_before=self._named(happening))
        for line in _wrapped(words, self._words):
            yield Row(time, lines, line, happening.tone)
            time, lines = " " * _TIME, self._still()

    def _place(self, number: int) -> int:
        return self._columns[min(number, len(self._columns) - 1)]

    def _named(self, said: Said) -> str:
        """Name the system where the lifeline does not."""
        number = max(said.sender, said.receiver)
        return f"{self._names[number].name}: " if self._together and number > 1 else ""

    def _still(self) -> str:
        cells = [" "] * self._wide
        for column in self._columns:
            cells[column] = self._glyphs.line
        return "".join(cells)

    def _arrow(self, said: Said) -> str:
        cells = list(self._still())
        start, end = self._place(said.sender), self._place(said.receiver)
        for column in range(min(start, end) + 1, max(start, end)):
            cells[column] = self._glyphs.dash
        if start < end:
            cells[end - 1] = self._glyphs.to_right
        else:
            cells[end + 1] = self._glyphs.to_left
        return "".join(cells)

    def _moment(self) -> str:
        cells = [self._glyphs.moment] * (self._columns[-1] + 1)
        return "".join(cells).ljust(self._wide)


def _wrapped(words: str, width: int) -> list[str]:
    """Break a text into lines, never between a number and its unit."""
    held = _UNIT.sub("\\1\N{NO-BREAK SPACE}\\2", words)
    lines = textwrap.wrap(held, width, subsequent_indent="  ", break_on_hyphens=False) or [""]
    # Lines are made by the number of characters; some of them are two columns wide.
    fitting = (part for line in lines for part in (chop_cells(line, width) if cell_len(line) > width else [line]))
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in fitting]
