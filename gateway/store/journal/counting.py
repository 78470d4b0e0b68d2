"""Counts of messages, by time and by what they have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import cast

from gateway.store.journal.contract import Journal
from gateway.store.journal.values import Count, JournalSearch
from gateway.store.journal.words import STAMPED, Stamp

_COUNTED = ("direction", "noun", "verb", "source", "outcome")
_AT = tuple(STAMPED.index(name) for name in _COUNTED)
_Sort = tuple[int, str, str, str, str, str]


def counted(rows: Iterable[tuple[int, int, int]], stamps: Mapping[int, Stamp], per: int) -> list[Count]:
    """Give counts from how many there are of each stamp in each slot of so many seconds."""
    found: Counter[_Sort] = Counter()
    for number, slot, messages in rows:
        stamp = stamps[number]
        found[cast("_Sort", (slot, *(stamp[at] for at in _AT)))] += messages
    return _sorted(found, per)


async def tallied(journal: Journal, search: JournalSearch, per: int, at_once: int) -> list[Count]:
    """Give counts by looking at each message: for what no index counts."""
    found: Counter[_Sort] = Counter()
    after: int | None = None
    while True:
        some = await journal.find(search, at_once, after=after, oldest_first=True)
        for one in some:
            found[int(one.at // per), one.direction, one.noun, one.verb, one.source, one.outcome] += 1
        if len(some) < at_once:
            return _sorted(found, per)
        after = some[-1].id


def _sorted(found: Counter[_Sort], per: int) -> list[Count]:
    ordered = sorted(found.items(), key=lambda item: (item[0][0], -item[1], item[0]))
    return [Count(float(sort[0] * per), *sort[1:], messages=messages) for sort, messages in ordered]
