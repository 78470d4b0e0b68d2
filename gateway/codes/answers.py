"""Which event tells that a control has succeeded or failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from gateway.codes.device_codes import ANY, name_of, with_device
from gateway.codes.patterns import CodeKind
from gateway.codes.tables import Entry, table

Outcome = Literal["success", "failure"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One end of a control and the event that reports it. `code` is the other side's: a code, or a pattern with `*`."""

    outcome: Outcome
    code: str
    name: str
    confidence: str


def answers_of(parts: tuple[str, ...]) -> tuple[Answer, ...]:
    """Give the events that answer a control, of its own device; none where no source names them."""
    row = table("controls").get(_open(parts))
    return () if row is None else tuple(_events(row, parts[0]))


def answered_by(parts: tuple[str, ...]) -> tuple[Answer, ...]:
    """Give the controls that an event answers, of its own device."""
    return tuple(
        Answer(outcome, with_device(row.key, parts[0]), row.name, row.confidence)
        for outcome, row in _controls().get(_open(parts), ())
    )


def _open(parts: tuple[str, ...]) -> str:
    return ".".join((ANY, *parts[1:]))


def _events(row: Entry, device: str) -> Iterator[Answer]:
    outcomes: tuple[Outcome, ...] = ("success", "failure")
    for outcome in outcomes:
        if pattern := row.columns[outcome]:
            name = name_of(CodeKind.EVENT, tuple(pattern.split(".")))
            yield Answer(outcome, with_device(pattern, device), name, row.confidence)


@cache
def _controls() -> dict[str, tuple[tuple[Outcome, Entry], ...]]:
    found: dict[str, tuple[tuple[Outcome, Entry], ...]] = {}
    for row in table("controls").values():
        for answer in _events(row, ANY):
            found[answer.code] = (*found.get(answer.code, ()), (answer.outcome, row))
    return found
