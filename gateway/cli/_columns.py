"""Columns that share a line. Pure."""

from collections.abc import Sequence


def fitted(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Give widths that come to `room` at most: the widest column is narrowed first, none below its least."""
    widths = list(wanted)
    while sum(widths) > room:
        spare = [at for at, width in enumerate(widths) if width > least[at]]
        if not spare:
            break
        widths[max(spare, key=lambda at: widths[at])] -= 1
    return widths
