"""Messages of the journal a line each: a table, or lines that come one by one."""

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from gateway.cli._columns import fitted
from gateway.cli._journal_words import OPERATOR, is_bad, is_imported, outcome_words, receivers, sender, what
from gateway.cli._journals import short
from gateway.cli._shared import out, printable
from gateway.cli._times import clock, local
from gateway.store.journal import Passage

_OUTCOME: Final = 13
_WORD: Final = re.compile(r"[^ -]+-?")
_LEAST_WHO: Final = 12
_LEAST_WHAT: Final = 16
_WHO: Final = 20
_WHAT: Final = 24
_GOOD: Final = ("delivered", "passed on", "reply taken", "event taken", "sent")


def show_table(passages: Sequence[Passage], now: float, *, exact: bool = False, marked: int | None = None) -> None:
    """Print a table; with `exact` times to the millisecond, and with a mark before one of them."""
    days = {local(one.at).date() for one in passages} | {local(now).date()}
    times = [_exactly(one.at, with_day=len(days) > 1) if exact else clock(one.at, now) for one in passages]
    senders = [_who(one) for one in passages]
    messages = [printable(what(one)) for one in passages]
    outcomes = [printable(outcome_words(one)) for one in passages]
    heads = ["when", "id", "way", f"who {_arrow()} whom", "message", "outcome"]
    ids = [short(one.id) for one in passages]
    ways = [_way(one) for one in passages]
    columns = [
        [head, *cells] for head, cells in zip(heads, (times, ids, ways, senders, messages, outcomes), strict=True)
    ]
    wanted = [max(map(cell_len, column)) for column in columns]
    word = max(cell_len(word) for outcome in ("outcome", *outcomes) for word in _WORD.findall(outcome))
    least = [*wanted[:3], _LEAST_WHO, _LEAST_WHAT, word]
    marks = "" if marked is None else "  "
    room = out.width - len(wanted) + 1 - len(marks)
    if sum(wanted) > room:
        # A long outcome on two lines is read as well; names that are cut are not.
        wanted[-1] = least[-1] = max(word, min(wanted[-1], _OUTCOME))
    widths = fitted(wanted, least, room)
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    if marks:
        rows.add_column("", no_wrap=True, width=1)
    for head, width in zip(heads, widths, strict=True):
        folds = head == "outcome"
        rows.add_column(head, no_wrap=not folds, overflow="fold" if folds else "ellipsis", width=width)
    for at, one in enumerate(passages):
        mark = [">" if one.id == marked else ""] if marks else []
        outcome = Text("\n".join(wrap(outcomes[at], widths[-1])), style=_style(one))
        rows.add_row(*mark, times[at], ids[at], ways[at], senders[at], messages[at], outcome)
    out.print(rows)
    if any(map(is_imported, passages)):
        out.print(Text("imp: imported from a file; it did not pass this gateway.", style="dim"))


def line_of(passage: Passage, now: float, width: int | None) -> Text:
    """Write a message in one line, for who follows them; cut where a width is given."""
    who, told = _who(passage), printable(what(passage))
    line = Text(f"{clock(passage.at, now)} {short(passage.id)} {_way(passage):<4} ")
    line.append(f"{_padded(who, _WHO)} {_padded(told, _WHAT)} ")
    line.append(printable(outcome_words(passage)), style=_style(passage))
    if passage.reason:
        line.append(f"  {printable(passage.reason)}", style="dim")
    if width is not None:
        line.truncate(width, overflow="ellipsis")
    return line


def _exactly(at: float, *, with_day: bool) -> str:
    then = local(at)
    return f"{then:%m-%d %H:%M:%S}" if with_day else f"{then:%H:%M:%S}.{then.microsecond // 1000:03}"


def _way(passage: Passage) -> str:
    way = "hand" if passage.kind == OPERATOR else passage.direction
    return f"{way} imp" if is_imported(passage) else way


def _who(passage: Passage) -> str:
    """Say who sent it and who got it; the gateway's own part in it is what the way says."""
    by, to = sender(passage), receivers(passage)
    said = f"{'' if passage.direction == 'out' else by} {_arrow()} {to}" if to else by
    return printable(said.strip())


def _arrow() -> str:
    return "->" if out.options.ascii_only else "\N{RIGHTWARDS ARROW}"


def _padded(text: str, width: int) -> str:
    return text if cell_len(text) > width else set_cell_size(text, width)


def _style(passage: Passage) -> str:
    if is_bad(passage):
        return "bold red"
    good = outcome_words(passage) in _GOOD and not is_imported(passage)
    return "green" if good else "yellow"
