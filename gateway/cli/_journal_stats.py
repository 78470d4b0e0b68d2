"""Counts of messages by the time, with bars and lines that read without colour."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from gateway.cli._columns import fitted
from gateway.cli._journal_filters import DEAD, OF_IMPORTED, Filters, find
from gateway.cli._shared import counted, out, printable, show_indented
from gateway.cli._times import local

if TYPE_CHECKING:
    from gateway.store.journal import Journal

ASKED_PER: Final = 900
"""Seconds of the slots that the journal is asked for: hours and days of every time zone are made of them."""
_PAGE: Final = 500
_HOUR: Final = 3_600
_LEVELS: Final = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_ASCII_LEVELS: Final = ".:-=+*#@"
_FULL: Final = "\u2588"
_NONE: Final = "\N{MIDDLE DOT}"
_BESIDE: Final = 30
"""Characters that stand beside a bar."""
_SHORTEST_LINE: Final = 8
_LONGEST_LINE: Final = 12
_LEAST: Final = 9
BY_HAND: Final = frozenset({"retried", "discarded", "edited", "replayed"})
"""Outcomes of what operators did: these are no messages."""
_NAMELESS: Final = {**dict.fromkeys(BY_HAND, "(of a message)"), "replayed": "(many messages)"}


class Per(StrEnum):
    """What a slot is, on the clock of this machine."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots from the first message to the end, also those without any, by the second at which they begin."""

    per: Per
    starts: tuple[float, ...]

    def name(self, start: float) -> str:
        """Write a slot."""
        return f"{local(start):%Y-%m-%d}" if self.per is Per.DAY else f"{local(start):%m-%d %H:%M}"


Found = dict[tuple[float, str, str, str, str, str], int]
"""How many messages, by slot, direction, noun, verb, source and outcome."""


async def ask(journal: "Journal", filters: Filters, per: Per) -> Found:
    """Count by slots of this machine's clock."""
    found: Counter[tuple[float, str, str, str, str, str]] = Counter()
    for search in filters.searches:
        for one in await journal.stats(search, ASKED_PER):
            found[_start(one.start, per), one.direction, one.noun, one.verb, one.source, one.outcome] += one.messages
    handed_on, after = replace(filters, searches=()), None
    while filters.handovers:
        page = await find(journal, handed_on, _PAGE, after=after)
        for passage in page:
            sort = (passage.direction, passage.noun, passage.verb, passage.source, passage.outcome)
            found[_start(passage.at, per), *sort] += 1
        if len(page) < _PAGE:
            break
        after = page[-1].id
    return dict(found)


def slots_of(found: Found, per: Per, end: float) -> Slots:
    """Give the slots of what was found, up to a time."""
    start = min(key[0] for key in found)
    last = max(_start(end, per), *(key[0] for key in found))
    starts = [start]
    while starts[-1] < last:
        starts.append(_next(starts[-1], per))
    return Slots(per, tuple(starts))


def show_times(found: Found, slots: Slots) -> None:
    """Print a line for each slot: how many passed, how many of these are dead, and a bar."""
    every = Counter[float]()
    dead = Counter[float]()
    for (start, *_, outcome), messages in found.items():
        every[start] += 0 if outcome.removeprefix(OF_IMPORTED) in BY_HAND else messages
        dead[start] += messages if _is_dead(outcome) else 0
    most = max(1, *every.values())
    width = max(_SHORTEST_LINE, out.width - _BESIDE)
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    rows.add_column(slots.per.value, no_wrap=True)
    rows.add_column("messages", no_wrap=True, justify="right")
    rows.add_column("dead", no_wrap=True, justify="right", style="red")
    rows.add_column("", no_wrap=True)
    for start in slots.starts:
        bar = ("#" if out.options.ascii_only else _FULL) * math.ceil(every[start] / most * width)
        rows.add_row(slots.name(start), f"{every[start]:,}", f"{dead[start]:,}" if dead[start] else "", bar)
    out.print(rows)


def show_sorts(found: Found, slots: Slots, by: Sequence[str], limit: int) -> None:
    """Print a line for each sort of message: how many, and when, as a line of small bars."""
    sorts: dict[tuple[str, ...], Counter[float]] = {}
    for (start, *key), messages in found.items():
        sorts.setdefault(_sort(key, by), Counter())[start] += messages
    heads = _heads(by)
    ordered = sorted(sorts.items(), key=lambda item: (-item[1].total(), item[0]))
    shown = ordered[:limit]
    columns = [[head, *(printable(sort[at]) or "-" for sort, _ in shown)] for at, head in enumerate(heads)]
    numbers = max(len("messages"), *(len(f"{counts.total():,}") for _, counts in shown))
    room = out.width - numbers - len(heads) - 1
    wanted = [max(map(cell_len, column)) for column in columns]
    widths = fitted(wanted, [_LEAST] * len(heads), room - min(_LONGEST_LINE, len(slots.starts)))
    each = math.ceil(len(slots.starts) / max(_SHORTEST_LINE, room - sum(widths)))
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for head, width in zip(heads, widths, strict=True):
        rows.add_column(head, no_wrap=True, overflow="ellipsis", width=width)
    rows.add_column("messages", no_wrap=True, justify="right")
    rows.add_column("when", no_wrap=True)
    for sort, counts in shown:
        cells = [Text(printable(text) or "-", style="red" if _is_dead(text) else "") for text in sort]
        rows.add_row(*cells, f"{counts.total():,}", line_of([counts[start] for start in slots.starts], each))
    out.print(rows)
    if len(ordered) > limit:
        out.print(
            Text(f"and {counted(len(ordered) - limit, 'sort')} more; --limit {limit * 4} shows them", style="dim")
        )
    unit = counted(each, slots.per.value).removeprefix("1 ")
    show_indented(
        f"when: a sign for each {unit} from {slots.name(slots.starts[0])} on; the highest stands for the most of its "
        "own line.",
        indent=0,
        style="dim",
    )


def line_of(counts: Iterable[int], each: int = 1) -> str:
    """Draw numbers as small bars, the highest for the most; `each` neighbours are one bar."""
    numbers = list(counts)
    sums = [sum(numbers[at : at + each]) for at in range(0, len(numbers), each)]
    most = max(sums, default=0)
    levels, none = (_ASCII_LEVELS, "_") if out.options.ascii_only else (_LEVELS, _NONE)
    return "".join(levels[math.ceil(one / most * len(levels)) - 1] if one else none for one in sums)


def _sort(key: Sequence[str], by: Sequence[str]) -> tuple[str, ...]:
    direction, noun, verb, source, outcome = key
    named = {"direction": direction, "noun": noun, "verb": verb, "source": source, "outcome": outcome}
    if "noun" in by and "verb" in by:
        message = f"{verb or '?'}({noun or '?'})" if noun or verb else _NAMELESS.get(outcome, "(unreadable)")
        return (message, *(named[one] for one in by if one not in ("noun", "verb")))
    return tuple(named[one] for one in by)


def _heads(by: Sequence[str]) -> list[str]:
    if "noun" in by and "verb" in by:
        return ["message", *(one for one in by if one not in ("noun", "verb"))]
    return [*by]


def _is_dead(outcome: str) -> bool:
    return outcome.removeprefix(OF_IMPORTED).startswith(DEAD)


def _start(at: float, per: Per) -> float:
    then = local(at)
    if per is Per.DAY:
        return datetime.combine(then.date(), time()).astimezone().timestamp()
    return at // 1 - then.minute * 60 - then.second


def _next(start: float, per: Per) -> float:
    if per is Per.HOUR:
        return start + _HOUR
    tomorrow = local(start).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time()).astimezone().timestamp()
