"""What is wrong with a route file: one problem a fault, all of them told at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a route file: where (line 1 is the first line), what is wrong, what to write instead."""

    file: str
    line: int
    text: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.file}:{self.line}: {self.text}{advice}"


class RoutingError(Exception):
    """The route files cannot be used. `problems` holds every fault found, by file and line; the text lists them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that looks most like another one, whatever its case; None where nothing comes near."""
    by_folded = {name.casefold(): name for name in sorted(known)}
    close = get_close_matches(word.strip().casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else None
