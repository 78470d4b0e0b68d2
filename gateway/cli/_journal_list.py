"""Messages of the journal a line each: a table, or lines that come one by one."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from gateway.cli._columns import fitted
from gateway.cli._journal_words import OPERATOR, is_bad, is_imported, outcome_words, what, whom
from gateway.cli._journals import short
from gateway.cli._shared import out, printable
from gateway.cli._times import clock, local
from gateway.store.journal import Passage

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
    word = max(cell_len(word) for outcome in ("outcome", *outcomes) for word in outcome.split())
    least = [*wanted[:3], _LEAST_WHO, _LEAST_WHAT, word]
    marks = "" if marked is None else "  "
    room = out.width - len(wanted) + 1 - len(marks)
    if sum(wanted) > room:
        wanted[-1] = word  # an outcome on two lines is read as well; names that are cut are not
    widths = fitted(wanted, least, room)
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    if marks:
        rows.add_column("", no_wrap=True, width=1)
    for head, width in zip(heads, widths, strict=True):
        folds = head == "outcome"
        rows.add_column(head, no_wrap=not folds, overflow="fold" if folds else "ellipsis", width=width)
    for at, one in enumerate(passages):
        mark = [">" if one.id == marked else ""] if marks else []
        outcome = Text(outcomes[at], style=_style(one))
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
    sender, receiver = whom(passage)
    return printable(f"{sender} {_arrow()} {receiver}" if receiver else sender)


def _arrow() -> str:
    return "->" if out.options.ascii_only else "\N{RIGHTWARDS ARROW}"


def _padded(text: str, width: int) -> str:
    return text if cell_len(text) > width else set_cell_size(text, width)


def _style(passage: Passage) -> str:
    if is_bad(passage):
        return "bold red"
    good = outcome_words(passage) in _GOOD and not is_imported(passage)
    return "green" if good else "yellow"
