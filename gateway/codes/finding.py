"""Finds codes by words: in names, meanings and codes, all words must be there, the most telling hits come first."""

import re
from collections.abc import Sequence
from typing import Final

from gateway.codes.index import Item, Registry, items
from gateway.codes.words import in_words

_INSIDE: Final = 4
"""The rank of what has a word only inside another word."""
_WORD: Final = re.compile(r"\w+")


def search(words: Sequence[str], registry: Registry | None = None) -> tuple[Item, ...]:
    """Give what has all the words, whatever their case, in its code, name or meaning.

    First what bears the name or the code itself, then what means it in our own words, then whole words before parts of
    words, codes before the numbers of a part, and short names before long ones.
    """
    wanted = [word.casefold() for word in " ".join(words).split()]
    if not wanted:
        return ()
    ranked = []
    for position, item in enumerate(items()):
        if registry in (None, item.registry):
            rank = _rank(item, wanted)
            if rank is not None:
                ranked.append((rank, not item.whole, _length(item), position, item))
    # Letters inside a word, as sag in message, count only where nothing better is found.
    best = [entry for entry in ranked if entry[0] < _INSIDE] or ranked
    return tuple(entry[-1] for entry in sorted(best, key=lambda entry: entry[:-1]))


def _rank(item: Item, wanted: list[str]) -> int | None:
    spaced = in_words(item.name)
    telling = [item.code, item.shown, item.name, spaced, item.name.rpartition(".")[2]]
    if item.own_words:
        telling.append(item.meaning)
    if " ".join(wanted) in map(str.casefold, telling):
        return 0
    text = " ".join((*telling, item.meaning)).casefold()
    if not all(word in text for word in wanted):
        return None
    if item.own_words and _has(item.meaning, wanted):
        return 1
    if _has(f"{spaced} {item.meaning}", wanted):
        return 2
    return 3 if all(re.search(rf"\b{re.escape(word)}", text) for word in wanted) else _INSIDE


def _has(text: str, wanted: list[str]) -> bool:
    return set(wanted) <= set(_WORD.findall(text.casefold()))


def _length(item: Item) -> tuple[int, int]:
    return len(_WORD.findall(in_words(item.name))), len(_WORD.findall(item.meaning))
