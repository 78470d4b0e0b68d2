"""Small pieces of text that several findings share."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

_CLARK: Final = re.compile(r"\{[^{}' ]*\}")
_LONGEST: Final = 120


def local(name: str) -> str:
    """Give the name without its namespace."""
    return name.rpartition("}")[2]


def namespace(name: str) -> str:
    """Give the namespace of `{namespace}local`, empty where there is none."""
    return name[1:].partition("}")[0] if name.startswith("{") else ""


def plain(text: str) -> str:
    """Take the namespaces out of a sentence of libxml2's."""
    return _CLARK.sub("", text)


def shortened(value: str | None) -> str:
    """Give a value as it may be quoted: in one line, at most 120 characters."""
    text = " ".join((value or "").split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Give the candidate that looks most like the word, upper and lower case alike; None where none does."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    matches = get_close_matches(word.strip().lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[matches[0]] if matches else None


def article(word: str) -> str:
    """Put the indefinite article before a word."""
    return f"{'an' if word[:1] in 'AEIOUaeiou' else 'a'} {word}"
