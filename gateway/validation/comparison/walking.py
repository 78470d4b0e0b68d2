"""Walks two schemas from the root, element by element; a type that is used in many places is compared once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.validation.comparison.content import content_differences, layout
from gateway.validation.comparison.differences import Difference, Said, Side
from gateway.validation.comparison.values import attribute_differences, in_words, value_differences
from gateway.validation.declarations import Element, Type
from gateway.validation.wording import namespace

_Pair = tuple[int, int]

_MOST_PLACES: Final = 1_000_000


@dataclass(slots=True)
class _Visit:
    """A pair of types: where it was met first, what is said of it, and from which pairs it is reached how often."""

    path: str
    said: list[Said] = field(default_factory=list)
    parents: dict[_Pair, int] = field(default_factory=dict)


def compare(theirs: Element, ours: Element) -> list[Difference]:
    """Tell what one schema allows and the other does not, from the root elements on, in the order of theirs.

    Names are compared without the schema's own namespace, so that versions in different namespaces can be compared.
    What stands below an element that only one of them has is not looked into.
    """
    visits = _walk(theirs, ours)
    places = _Places(visits)
    return [
        Difference(said.side, said.kind, _join(visit.path, said.name), said.text, places.of(pair))
        for pair, visit in visits.items()
        for said in visit.said
    ]


def _walk(theirs: Element, ours: Element) -> dict[_Pair, _Visit]:
    homes = namespace(theirs.name), namespace(ours.name)
    root = _pair(theirs.type, ours.type)
    visits = {root: _Visit(ours.local)}
    waiting = [(root, theirs.type, ours.type)]
    while waiting:
        pair, their_type, our_type = waiting.pop(0)
        visit = visits[pair]
        their_layout, our_layout = layout(their_type, homes[0]), layout(our_type, homes[1])
        visit.said += _of_types(their_type, our_type, *homes)
        for name, place in their_layout.places.items():
            other = our_layout.places.get(name)
            if other is None:
                continue
            if _is_builtin(place.element.type) or _is_builtin(other.element.type):
                # All dates of a schema are one type, but each place in which one is wanted is a matter of its own.
                said = _of_types(place.element.type, other.element.type, *homes)
                visit.said += [replace(one, name=_join(name, one.name)) for one in said]
                continue
            below = _pair(place.element.type, other.element.type)
            if below not in visits:
                visits[below] = _Visit(_join(visit.path, name))
                waiting.append((below, place.element.type, other.element.type))
            parents = visits[below].parents
            parents[pair] = parents.get(pair, 0) + 1
    return visits


def _of_types(theirs: Type, ours: Type, their_home: str, our_home: str) -> Iterator[Said]:
    if theirs.value is not None and ours.value is not None:
        yield from value_differences(theirs.value, ours.value)
    elif (theirs.value is None) != (ours.value is None):
        for side, kind in ((Side.THEIRS, theirs), (Side.OURS, ours)):
            yield Said(side, "content", _content(kind, side))
    else:
        yield from content_differences(layout(theirs, their_home), layout(ours, our_home))
    yield from attribute_differences(theirs.attributes, ours.attributes)
    for side, own, other in ((Side.THEIRS, theirs, ours), (Side.OURS, ours, theirs)):
        if own.any_attribute and not other.any_attribute:
            yield Said(side, "wildcard", "attributes that the schema does not name")
        if own.mixed and not other.mixed:
            yield Said(side, "content", "text between the elements")


def _content(kind: Type, side: Side) -> str:
    what = "elements" if kind.content is not None else "nothing" if kind.value is None else in_words(kind.value)
    return f"holds {what}, unlike {side.other}"


def _is_builtin(kind: Type) -> bool:
    return kind.name.startswith("xs:")


def _pair(theirs: Type, ours: Type) -> _Pair:
    return theirs.identity, ours.identity


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if name else path


class _Places:
    """Counts the paths from the root to each pair, a path that runs in a circle once."""

    def __init__(self, visits: dict[_Pair, _Visit]) -> None:
        self._visits = visits
        self._known: dict[_Pair, int] = {}
        self._open: set[_Pair] = set()

    def of(self, pair: _Pair) -> int:
        if pair in self._open:
            return 0
        if pair not in self._known:
            self._open.add(pair)
            parents = self._visits[pair].parents
            paths = sum(self.of(parent) * times for parent, times in parents.items())
            self._known[pair] = min(_MOST_PLACES, max(1, paths))
            self._open.discard(pair)
        return self._known[pair]
