"""Interval readings: their times against the measuring period of their reading type, and against each other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from lxml import etree

from gateway.codes import BadCode, ReadingType
from gateway.message import Finding
from gateway.message.instants import END_OF_DAY, SIGNS, wall_clock
from gateway.validation.registry import INTERVAL_GRID, INTERVAL_ORDER, Place
from gateway.validation.rules.site import NOTHING
from gateway.validation.rules.tally import Room
from gateway.validation.vocabulary import Blocks
from gateway.validation.wording import local, namespace

_ROLLING: Final = range(57, 78)
"""Measuring periods of rolling blocks: their readings come once a sub-interval, so the grid is a finer one."""
_HOUR: Final = 60
_MARKS: Final = {
    minutes: frozenset(f"{minute:02}:00" for minute in range(0, _HOUR, minutes)) for minutes in range(1, _HOUR + 1)
}
"""Minute and second of the times on a grid within the hour."""
_ENOUGH: Final = 4
"""Readings from which an even spacing shows that the reading type names another period."""
_A_DAY: Final = 96
"""Times of a block that are remembered, at most: a day in quarters of an hour."""
_HOURS: Final = slice(11, 13)
_MINUTES: Final = slice(14, 16)
_MARK: Final = slice(14, 19)
_REST: Final = slice(19, None)

Path = Callable[[etree._Element], str]


@dataclass(frozen=True, slots=True)
class _Reading:
    """The time of one reading: its element, its text, the clock that it shows, the instant that this is."""

    element: etree._Element
    text: str
    clock: datetime
    instant: datetime


class Intervals:
    """Judges the interval blocks of one schema."""

    def __init__(self, tags: Blocks) -> None:
        self._reading_type = tags.reading_type
        spaces = {"p": namespace(tags.time)}
        steps = f"p:{local(tags.reading)}/p:{local(tags.time)}"
        self._times = etree.XPath(steps, namespaces=spaces)
        # One list of plain texts, made in C: a good block never becomes Python objects for its elements.
        self._texts = etree.XPath(f"{steps}/text()", namespaces=spaces, smart_strings=False)

    def are_regular(self, block: etree._Element) -> bool:
        """Tell, at little cost, that nothing is to be said of a block, nor of any single time in it."""
        texts = self._texts(block)
        return isinstance(texts, list) and _are_regular(texts, self._minutes(block))

    def times(self, block: etree._Element) -> list[etree._Element]:
        """Give the times of a block."""
        found = self._times(block)
        return [time for time in found if isinstance(time, etree._Element)] if isinstance(found, list) else []

    def findings(self, block: etree._Element, path: Path, room: Room) -> tuple[Finding, ...]:
        """Judge a block that is not regular, as far as there is room to tell of it.

        Readings without a time, and reading types that are no code, are left alone.
        """
        minutes = self._minutes(block)
        readings = list(_readings(self.times(block)))
        order = _order(readings, path) if room.has(INTERVAL_ORDER) else NOTHING
        grid = _grid(readings, minutes, path) if minutes is not None and room.has(INTERVAL_GRID) else NOTHING
        return (*order, *grid)

    def _minutes(self, block: etree._Element) -> int | None:
        """Give how many minutes the intervals of a block have; None where its reading type does not say."""
        last = block[-1] if len(block) else None  # where the schemas put it
        kind = last if last is not None and last.tag == self._reading_type else block.find(self._reading_type)
        return None if kind is None else _minutes_of(kind.get("ref"))


@lru_cache(maxsize=1024)
def _minutes_of(code: str | None) -> int | None:
    try:
        kind = ReadingType.parse(code or "")
    except BadCode:
        return None
    return None if kind.measuring_period in _ROLLING else kind.measuring_period_minutes


def _are_regular(texts: list[str], minutes: int | None) -> bool:
    """Tell, at little cost, that the times of a block are in order and on the grid. False means: look closer.

    All meters of a site have the same times in their blocks, so what was said of them is remembered.
    """
    return _seen(tuple(texts), minutes) if len(texts) <= _A_DAY else _is_regular(texts, minutes)


@lru_cache(maxsize=128)
def _seen(texts: tuple[str, ...], minutes: int | None) -> bool:
    return _is_regular(texts, minutes)


def _is_regular(texts: Sequence[str], minutes: int | None) -> bool:
    if len({text[_REST] for text in texts}) > 1:
        return False
    if texts and texts[0][_REST].lstrip(".0")[:1] not in ("Z", *SIGNS):
        return False
    if any(before >= after for before, after in pairwise(texts)) or any(END_OF_DAY in text for text in texts):
        return False
    if minutes is None:
        return True
    if minutes > _HOUR or not _MARKS[minutes].issuperset([text[_MARK] for text in texts]):
        return False
    return len(texts) < _ENOUGH or (_minute(texts[1]) - _minute(texts[0])) % (24 * _HOUR) == minutes


def _minute(text: str) -> int:
    return int(text[_HOURS]) * _HOUR + int(text[_MINUTES])


def _readings(elements: Sequence[etree._Element]) -> Iterator[_Reading]:
    found = [
        (element, text, clock)
        for element in elements
        if (clock := wall_clock(text := (element.text or "").strip())) is not None
    ]
    aware = [item for item in found if item[2].tzinfo is not None]
    # Without any offset, the clock alone tells what there is to tell; that offsets are missing is another rule's.
    for element, text, clock in aware or found:
        yield _Reading(element, text, clock.replace(tzinfo=None), clock.astimezone(UTC) if aware else clock)


def _order(readings: Sequence[_Reading], path: Path) -> Iterator[Finding]:
    seen: set[datetime] = set()
    for reading in readings:
        if reading.instant in seen:
            text = f"Two readings of the block have the time {reading.text}."
            advice = (
                "Send one reading for each time. In the hour that comes twice in autumn the offset tells them apart: "
                "first that of summer, then that of winter."
            )
            yield INTERVAL_ORDER.finding(Place.of(reading.element, path), text, advice, found=reading.text)
            return
        seen.add(reading.instant)
    steps = [(after.instant > before.instant, after) for before, after in pairwise(readings)]
    turn = next((after for forward, after in steps if forward is not steps[0][0]), None)
    if turn is not None:
        text = f"The readings of the block are not in the order of their times; the first out of order is {turn.text}."
        advice = "Sort the readings of each block by timeStamp; many systems take the order for that of the intervals."
        yield INTERVAL_ORDER.finding(Place.of(turn.element, path), text, advice, found=turn.text)


def _grid(readings: Sequence[_Reading], minutes: int, path: Path) -> Iterator[Finding]:
    period = timedelta(minutes=minutes)
    in_order = sorted(readings, key=lambda reading: reading.instant)
    if minutes <= _HOUR:
        off = [reading for reading in readings if _is_off(reading, period)]
    else:
        off = [after for before, after in pairwise(in_order) if not _apart(before, after, period)]
    if off:
        first = off[0]
        count = f"{len(off)} of {len(readings)} readings" if len(readings) > 1 else "The reading"
        text = f"{count} {'is' if len(off) == 1 else 'are'} off the grid of {_spoken(minutes)} that the ReadingType "
        text += f"names: {first.text}" + (" is the first." if len(off) > 1 else ".")
        advice = "Write the times at which the intervals end, or the ReadingType whose third number, the measuring "
        advice += "period, fits them."
        yield INTERVAL_GRID.finding(Place.of(first.element, path), text, advice, found=first.text)
        return
    spacings = {after.instant - before.instant for before, after in pairwise(in_order)}
    if len(in_order) >= _ENOUGH and len(spacings) == 1 and (spacing := spacings.pop()) > period:
        apart = _spoken(int(spacing / timedelta(minutes=1)))
        text = f"All {len(in_order)} readings are {apart} apart, but their ReadingType names {_spoken(minutes)}."
        advice = f"Write the ReadingType whose third number, the measuring period, is {apart}; or send the readings "
        advice += "in between."
        yield INTERVAL_GRID.finding(Place.of(in_order[0].element, path), text, advice, found=in_order[0].text)


def _is_off(reading: _Reading, period: timedelta) -> bool:
    """Tell whether a time is off a grid within the hour, by its own clock and by UTC: some zones are 30 minutes off."""
    return all(bool((clock - _midnight(clock)) % period) for clock in (reading.clock, reading.instant))


def _midnight(clock: datetime) -> datetime:
    return clock.replace(hour=0, minute=0, second=0, microsecond=0)


def _apart(before: _Reading, after: _Reading, period: timedelta) -> bool:
    """Tell whether two times are whole periods apart, in hours that passed or by the clock.

    A day has 23 or 25 hours where the clock changes, and periods of several hours may start at any hour.
    """
    return not (after.instant - before.instant) % period or not (after.clock - before.clock) % period


def _spoken(minutes: int) -> str:
    if minutes % _HOUR == 0 and minutes > _HOUR:
        return f"{minutes // _HOUR} hours"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"
