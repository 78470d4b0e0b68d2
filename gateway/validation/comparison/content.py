"""Compares which elements may stand in another one: which, how often, in what order, together or one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from gateway.validation.comparison.differences import Said, Side
from gateway.validation.comparison.rows import Model, TooLargeError, model_of, witness
from gateway.validation.comparison.values import in_words
from gateway.validation.declarations import Element, Group, Type, Wildcard
from gateway.validation.wording import listed, local, namespace

_SHOWN: Final = 4
_MOVED: Final = 6

Bond = Literal["one of them", "mixed", "repeated"]


@dataclass(frozen=True, slots=True)
class Place:
    """An element with how often it may stand in its parent, whatever group it is in."""

    name: str
    qualified: bool
    minimum: int
    maximum: int | None
    element: Element


@dataclass(frozen=True, slots=True)
class Layout:
    """The content of a type laid flat: its elements in order, which of them hang together, whether others may come."""

    places: Mapping[str, Place]
    bonds: tuple[tuple[Bond, frozenset[str]], ...]
    open: bool
    rows: Model


def layout(kind: Type, home: str) -> Layout:
    """Lay the content of a type flat. `home` is the schema's own namespace: names in it are given without."""
    places: dict[str, Place] = {}
    bonds: list[tuple[Bond, frozenset[str]]] = []
    open_to_others = False
    if kind.content is not None:
        open_to_others = _lay(kind.content, 1, 1, home, places, bonds)
    rows = model_of(kind.content, lambda element: _place_name(element, home))
    return Layout(places, tuple(bonds), open_to_others, rows)


def content_differences(theirs: Layout, ours: Layout) -> Iterator[Said]:
    """Tell which elements one allows, or does without, and the other does not."""
    sides = {Side.THEIRS: theirs, Side.OURS: ours}
    present = [said for side in Side for said in _present(side, sides[side], sides[side.other])]
    yield from present
    common = [name for name in theirs.places if name in ours.places]
    arranged = [
        *_order(common, _aligned([name for name in ours.places if name in theirs.places], common, theirs, ours))
    ]
    for side in Side:
        arranged += _bonds(side, sides[side], sides[side.other])
    for side in Side:
        looser = any(said.side is side and said.kind == "occurrence" for said in present)
        mine = [said for said in arranged if said.side is side]
        yield from _exactly(side, sides[side], sides[side.other], common, mine, told=looser)
    if any(theirs.places[name].qualified != ours.places[name].qualified for name in common):
        qualified = next(theirs.places[name].qualified for name in common)
        for side in Side:
            with_it = qualified == (side is Side.THEIRS)
            yield Said(side, "namespace", f"elements {'in the namespace' if with_it else 'without a namespace'}")


def _present(side: Side, own: Layout, other: Layout) -> Iterator[Said]:
    for name, place in own.places.items():
        if name in other.places:
            yield from _occurrence(side, place, other.places[name])
            continue
        yield Said(side, "element", f"an element that {side.other} does not have: {_about(place)}", name)
        if place.minimum:
            yield Said(side.other, "occurrence", f"may be left out, which {side} does not allow", name)
    if own.open and not other.open:
        yield Said(side, "wildcard", "elements that the schema does not name")


def _exactly(
    side: Side, own: Layout, other: Layout, common: Sequence[str], arranged: Sequence[Said], *, told: bool
) -> Iterator[Said]:
    """Keep what is said of order and choice where it is true; where nothing was told, show a row that may stand."""
    try:
        row = witness(own.rows, other.rows, common)
    except TooLargeError:
        yield from arranged
        return
    if row is None:
        return
    yield from arranged
    if not arranged and not told:
        what = (
            f"{_named(row)} in this order"
            if len(row) > 1
            else f"{local(row[0])} alone"
            if row
            else "no elements at all"
        )
        yield Said(side, "choice", f"{what}, which {side.other} does not allow")


def _lay(
    group: Group,
    minimum: int,
    maximum: int | None,
    home: str,
    places: dict[str, Place],
    bonds: list[tuple[Bond, frozenset[str]]],
) -> bool:
    needed = group.model != "choice" or len(group.parts) == 1
    low = minimum * group.minimum if needed else 0
    high = _times(maximum, group.maximum)
    is_open = False
    inside: list[str] = []
    for part in group.parts:
        if isinstance(part, Group):
            before = set(places)
            is_open |= _lay(part, low, high, home, places, bonds)
            inside += [name for name in places if name not in before]
        elif isinstance(part, Wildcard):
            is_open = True
        else:
            place = _place(part, low, high, home)
            known = places.get(place.name)
            if known is not None:  # it stands in two places of the group: taken together
                place = Place(place.name, place.qualified, known.minimum + place.minimum, None, part)
            places[place.name] = place
            inside.append(place.name)
    if len(inside) > 1:
        if group.model == "choice" and high == 1:
            bonds.append(("one of them", frozenset(inside)))
        elif group.model in ("choice", "all"):
            bonds.append(("mixed", frozenset(inside)))
        elif high != 1:
            bonds.append(("repeated", frozenset(inside)))
    return is_open


def _place(element: Element, low: int, high: int | None, home: str) -> Place:
    name, qualified = _place_name(element, home), bool(namespace(element.name))
    return Place(name, qualified, low * element.minimum, _times(high, element.maximum), element)


def _place_name(element: Element, home: str) -> str:
    return element.local if namespace(element.name) in (home, "") else element.name


def _times(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one * other


def _occurrence(side: Side, own: Place, other: Place) -> Iterator[Said]:
    if own.minimum < other.minimum:
        text = "may be left out" if own.minimum == 0 else f"need stand only {own.minimum} times"
        yield Said(side, "occurrence", f"{text}, which {side.other} does not allow", own.name)
    if other.maximum is not None and (own.maximum is None or own.maximum > other.maximum):
        often = "any number of times" if own.maximum is None else f"up to {own.maximum} times"
        least = "once" if other.maximum == 1 else f"{other.maximum} times"
        yield Said(side, "occurrence", f"may stand {often}, not only {least}", own.name)


def _about(place: Place) -> str:
    kind = place.element.type
    if kind.content is not None:
        names = list(dict.fromkeys(element.local for element in kind.content.elements()))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        what = f"with {', '.join(names[:_SHOWN])}{more} in it"
    elif kind.value is not None:
        what = in_words(kind.value)
    else:
        what = f"with the attribute {listed([local(a.name) for a in kind.attributes])}" if kind.attributes else "empty"
    often = (
        ""
        if place.maximum == 1
        else ", any number of times"
        if place.maximum is None
        else f", up to {place.maximum} times"
    )
    return what + often


def _aligned(names: Sequence[str], like: Sequence[str], *contents: Layout) -> list[str]:
    """Put those names that a choice lets stand in any order, or alone, into the order that they have elsewhere."""
    result = list(names)
    for content in contents:
        for bond, bound in content.bonds:
            if bond != "repeated":
                slots = [number for number, name in enumerate(result) if name in bound]
                members = (name for name in like if name in bound)
                for slot, name in zip(slots, members, strict=True):
                    result[slot] = name
    return result


def _order(theirs: Sequence[str], ours: Sequence[str]) -> Iterator[Said]:
    """Tell, for each element that has moved, what it follows on either side."""
    blocks = SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks()
    steady = {name for block in blocks for name in theirs[block.a : block.a + block.size]}
    moved = [name for name in theirs if name not in steady]
    if len(moved) > _MOVED:
        for side, names in ((Side.THEIRS, theirs), (Side.OURS, ours)):
            yield Said(
                side,
                "order",
                f"{len(names)} elements in another order: {', '.join(map(local, names[:_SHOWN]))} and so on",
            )
        return
    for name in moved:
        yield Said(Side.THEIRS, "order", _where(name, theirs), name)
        yield Said(Side.OURS, "order", _where(name, ours), name)


def _where(name: str, names: Sequence[str]) -> str:
    at = names.index(name)
    return f"stands after {local(names[at - 1])}" if at else f"stands first, before {local(names[1])}"


def _bonds(side: Side, own: Layout, other: Layout) -> Iterator[Said]:
    """Tell what a choice or a group that repeats lets pass here, or keeps from passing there."""
    for bond, names in other.bonds:
        shared = [name for name in own.places if name in names]
        if bond == "one of them" and len(shared) > 1 and not _bound(own, {"one of them"}, shared):
            yield Said(side, "choice", f"{_named(shared)} together (in {side.other}: one of them)")
    for bond, names in own.bonds:
        shared = [name for name in own.places if name in names and name in other.places]
        if bond != "one of them" and len(shared) > 1 and not _bound(other, {"mixed", "repeated"}, shared):
            text = "in any order" if bond == "mixed" else "again and again, one after the other"
            yield Said(side, "choice", f"{_named(shared)} {text}")


def _named(names: Sequence[str]) -> str:
    return listed([local(name) for name in names])


def _bound(content: Layout, bonds: set[Bond], names: Sequence[str]) -> bool:
    return any(bond in bonds and names_of.issuperset(names) for bond, names_of in content.bonds)
