"""Decides exactly which rows of elements one content model allows and another does not, by their derivatives.

A model is an expression over element names; its derivative by a name is what may still follow after that name. Two
models are walked together, name by name, until one of them would be content and the other would not.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.validation.declarations import Element, Group, Wildcard

_MOST_STATES: Final = 2000
_MOST_REPEATS: Final = 12
"""From here on a number of repetitions counts as without end: the exact number is told of the element itself."""


@dataclass(frozen=True, slots=True)
class Name:
    """One element."""

    name: str


@dataclass(frozen=True, slots=True)
class Anything:
    """One element of any name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One after the other; without parts: nothing."""

    parts: "tuple[Model, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of them; without options: impossible."""

    options: "frozenset[Model]"


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same so many times; a most of None is without end."""

    of: "Model"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class AnyOrder:
    """Each at most once, in any order; those that are required must come."""

    parts: "frozenset[tuple[Model, bool]]"


Model = Name | Anything | Row | Either | Repeated | AnyOrder

_NOTHING: Final = Row(())
_NEVER: Final = Either(frozenset())


def model_of(group: Group | None, name_of: Callable[[Element], str]) -> Model:
    """Give the expression of a group."""
    if group is None:
        return _NOTHING
    parts = [_part(part, name_of) for part in group.parts]
    if group.model == "choice":
        inner: Model = Either(frozenset(parts))
    elif group.model == "all":
        inner = AnyOrder(frozenset((part, not _may_end(part)) for part in parts))
    else:
        inner = _row(*parts)
    return _repeated(inner, group.minimum, group.maximum)


class TooLargeError(Exception):
    """The models have more states than are looked at."""


def witness(own: Model, other: Model, names: Collection[str]) -> tuple[str, ...] | None:
    """Give the shortest row of these names that one allows and the other does not; None where there is none.

    Raises `TooLargeError` where that would take too long to find out.
    """
    if own == other:
        return None
    waiting: deque[tuple[Model, Model, tuple[str, ...]]] = deque([(own, other, ())])
    seen = {(own, other)}
    while waiting:
        if len(seen) > _MOST_STATES:
            raise TooLargeError
        here, there, row = waiting.popleft()
        if _may_end(here) and not _may_end(there):
            return row
        for name in names:
            pair = _after(here, name), _after(there, name)
            if pair[0] != _NEVER and pair not in seen:
                seen.add(pair)
                waiting.append((*pair, (*row, name)))
    return None


def _part(part: "Element | Wildcard | Group", name_of: Callable[[Element], str]) -> Model:
    if isinstance(part, Group):
        return model_of(part, name_of)
    inner: Model = Anything() if isinstance(part, Wildcard) else Name(name_of(part))
    return _repeated(inner, part.minimum, part.maximum)


def _row(*parts: Model) -> Model:
    flat: list[Model] = []
    for part in parts:
        flat += part.parts if isinstance(part, Row) else (part,)
    if _NEVER in flat:
        return _NEVER
    return flat[0] if len(flat) == 1 else Row(tuple(flat))


def _either(*options: Model) -> Model:
    flat: set[Model] = set()
    for option in options:
        flat |= option.options if isinstance(option, Either) else {option}
    return next(iter(flat)) if len(flat) == 1 else Either(frozenset(flat))


def _repeated(of: Model, least: int, most: int | None) -> Model:
    least = min(least, _MOST_REPEATS)
    most = None if most is None or most > _MOST_REPEATS else most
    if most == 0:
        return _NOTHING
    return of if (least, most) == (1, 1) else Repeated(of, least, most)


@lru_cache(maxsize=10_000)
def _may_end(model: Model) -> bool:
    match model:
        case Name() | Anything():
            return False
        case Row(parts):
            return all(map(_may_end, parts))
        case Either(options):
            return any(map(_may_end, options))
        case Repeated(of, least, _):
            return least == 0 or _may_end(of)
        case AnyOrder(parts):
            return not any(required for _, required in parts)


@lru_cache(maxsize=50_000)
def _after(model: Model, name: str) -> Model:
    match model:
        case Name(own):
            return _NOTHING if own == name else _NEVER
        case Anything():
            return _NOTHING
        case Row(parts):
            return _either(*_after_row(parts, name))
        case Either(options):
            return _either(*(_after(option, name) for option in options))
        case Repeated(of, least, most):
            rest = _repeated(of, max(0, least - 1), None if most is None else most - 1)
            return _row(_after(of, name), rest)
        case AnyOrder(parts):
            return _either(*(_row(_after(part, name), AnyOrder(parts - {(part, must)})) for part, must in parts))


def _after_row(parts: tuple[Model, ...], name: str) -> Iterator[Model]:
    for number, part in enumerate(parts):
        yield _row(_after(part, name), *parts[number + 1 :])
        if not _may_end(part):
            return
