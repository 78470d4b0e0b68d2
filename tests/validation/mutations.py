"""Instances at random, and single mutations of them that must make them invalid by what the schema declares.

Whether a mutation breaks the content of an element is decided by a regular expression over the names of its children,
made from the declarations: neither validator has a say in what is expected of both.
"""

import random
import re
import string
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from lxml import etree

from gateway.message.places import tag_of
from gateway.validation.declarations import Attribute, Element, Group, Value, Wildcard
from gateway.validation.instances import Place

T = TypeVar("T")

_DEEP = 5
_FOREIGN = "urn:example:elsewhere"
_UNKNOWN = "\ufffd"


class Mutation(StrEnum):
    """What is done to an instance."""

    DROP = "drop a required element"
    SWAP = "swap two elements"
    TYPE = "write a value of the wrong type"
    ENUMERATION = "write a value that is not listed"
    EXTRA = "write an element that does not belong there"
    NAMESPACE = "write an element in a wrong namespace"


@dataclass(frozen=True)
class Mutant:
    """A broken instance, and where a diagnostic may point: paths of child numbers from the root, the best first."""

    mutation: Mutation
    root: etree._Element
    places: tuple[tuple[int, ...], ...]
    what: str


class AtRandom:
    """Chooses everything by chance, growing smaller with depth, so that an instance stays some dozen elements big."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._root_parts = 0

    def times(self, place: Place, element: Element) -> int:
        if len(place.path) == 1 and element.type.content is not None:
            self._root_parts += 1
            return self._chance.choice((0, 0, 1, 1, 2) if self._root_parts > 1 else (1, 1, 2))
        likely = 0.5 if len(place.path) < _DEEP else 0.15
        number = 1 if self._chance.random() < likely else 0
        return number + (element.maximum != 1 and self._chance.random() < 0.2)

    def rounds(self, _place: Place, _group: Group) -> int:
        return self._chance.choice((0, 1, 1, 2))

    def branch(self, _place: Place, choice: Group, _turn: int) -> int:
        return self._chance.randrange(len(choice.parts))

    def has(self, _place: Place, _attribute: Attribute) -> bool:
        return self._chance.random() < 0.8

    def text(self, _place: Place, value: Value, _attribute: str = "") -> str:
        if value.enumeration:
            return self._chance.choice(value.enumeration)
        return _VALUES.get(value.builtin, _text)(self._chance)


def _text(chance: random.Random) -> str:
    letters = string.ascii_letters + string.digits + " .,;:-_/()[]{}<>&'\"\u00e4\u00df\u20ac\u6f22\U0001f50c"
    return "".join(chance.choice(letters) for _ in range(chance.randrange(12)))


def _number(chance: random.Random) -> str:
    return chance.choice(("0", "-1", "12.5", "+7", "0.000", "007", ".5", "5.", f"{chance.uniform(-1e6, 1e6):.3f}"))


def _float(chance: random.Random) -> str:
    return chance.choice((_number(chance), "1e3", "-1.5E-7", "INF", "-INF", "NaN"))


def _integer(chance: random.Random) -> str:
    return chance.choice(("0", "-0", "+5", "007", str(chance.randrange(-(10**12), 10**12))))


def _day(chance: random.Random) -> str:
    return f"{chance.randrange(1900, 2100):04}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"


def _time(chance: random.Random) -> str:
    fraction = chance.choice(("", "", ".5", ".123456789"))
    return f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}{fraction}"


def _zone(chance: random.Random) -> str:
    return chance.choice(("", "Z", "+01:00", "-05:30", "+14:00", "-14:00"))


_VALUES: dict[str, Callable[[random.Random], str]] = {
    "xs:string": _text,
    "xs:float": _float,
    "xs:double": _float,
    "xs:decimal": _number,
    "xs:integer": _integer,
    "xs:boolean": lambda chance: chance.choice(("true", "false", "1", "0")),
    "xs:dateTime": lambda chance: f"{_day(chance)}T{_time(chance)}{_zone(chance)}",
    "xs:date": lambda chance: _day(chance) + _zone(chance),
    "xs:time": lambda chance: _time(chance) + _zone(chance),
    "xs:duration": lambda chance: chance.choice(("PT15M", "P1D", "-P1Y2M", "PT0.5S")),
}
_WRONG: dict[str, tuple[str, ...]] = {
    "xs:float": ("", "12,5", "1.2.3", "five", "12 kWh", "0x1F"),
    "xs:double": ("", "12,5", "1.2.3", "five"),
    "xs:decimal": ("", "12,5", "1e3", "INF", "12 EUR", "1.2.3"),
    "xs:integer": ("", "1.5", "12 V", "1e3", "five", "0x1F"),
    "xs:boolean": ("", "TRUE", "yes", "True", "2", "t"),
    "xs:dateTime": ("", "2024-03-01", "2024-03-01 14:30:00Z", "01.03.2024T14:30:00", "2024-02-30T10:00:00Z", "soon"),
    "xs:date": ("", "01.03.2024", "2024-3-1", "2024-02-30", "2024-03-01T00:00:00"),
    "xs:time": ("", "14:30", "2 pm", "25:00:00", "14:60:00"),
    "xs:duration": ("", "15M", "P", "PT", "quarter"),
}


class Mutator:
    """Breaks instances of one root element. Nothing is changed in what it is given."""

    def __init__(self, declared: Element) -> None:
        self._declared = declared
        self._patterns: dict[int, tuple[re.Pattern[str], dict[str, str]]] = {}
        self._kept: list[object] = []

    def mutants(self, root: etree._Element, chance: random.Random) -> Iterator[Mutant]:
        """Give one mutant for each mutation that some place of the instance allows, the place chosen by chance."""
        spots = list(self._spots(root))
        for candidates in (
            self._drops,
            self._swaps,
            self._wrong_values,
            self._unlisted,
            self._extras,
            self._foreign,
        ):
            found = candidates(root, spots, chance)
            if found is not None:
                yield found

    def _spots(self, root: etree._Element) -> Iterator[tuple[tuple[int, ...], etree._Element, Element]]:
        waiting: list[_Spot] = [((), root, self._declared)]
        while waiting:
            path, element, declared = waiting.pop()
            yield path, element, declared
            if declared.type.content is not None:
                by_name = {e.name: e for e in declared.type.content.elements()}
                waiting += [((*path, n), child, by_name[tag_of(child)]) for n, child in enumerate(element)]

    def _drops(self, root: etree._Element, spots: "_Spots", chance: random.Random) -> Mutant | None:
        options = [
            (path, number, tags[number])
            for path, element, declared in spots
            if (tags := [tag_of(child) for child in element])
            for number in range(len(tags))
            if not self._allows(declared, tags[:number] + tags[number + 1 :])
        ]
        if not options:
            return None
        path, number, tag = chance.choice(options)
        broken = deepcopy(root)
        parent = element_at(broken, path)
        parent.remove(parent[number])
        return Mutant(Mutation.DROP, broken, (path,), tag)

    def _swaps(self, root: etree._Element, spots: "_Spots", chance: random.Random) -> Mutant | None:
        options = [
            (path, first, second)
            for path, element, declared in spots
            if (tags := [tag_of(child) for child in element])
            for first in range(len(tags))
            for second in range(first + 1, len(tags))
            if tags[first] != tags[second] and not self._allows(declared, _swapped(tags, first, second))
        ]
        if not options:
            return None
        path, first, second = chance.choice(options)
        broken = deepcopy(root)
        parent = element_at(broken, path)
        children = _swapped(list(parent), first, second)
        parent[:] = children
        places = [(*path, number) for number in (first, second, *range(first + 1, second))]
        return Mutant(Mutation.SWAP, broken, tuple(places), f"{tag_of(children[second])} and {tag_of(children[first])}")

    def _wrong_values(self, root: etree._Element, spots: "_Spots", chance: random.Random) -> Mutant | None:
        options = [
            (path, text)
            for path, _element, declared in spots
            if (value := declared.type.value) is not None and not value.enumeration
            for text in _WRONG.get(value.builtin, ())
        ]
        return _with_text(Mutation.TYPE, root, chance.choice(options)) if options else None

    def _unlisted(self, root: etree._Element, spots: "_Spots", chance: random.Random) -> Mutant | None:
        options = [
            (path, text)
            for path, element, declared in spots
            if (value := declared.type.value) is not None and value.enumeration
            for text in (f"{element.text}x", (element.text or "").upper(), "", f" {element.text}", "none of these")
            if text not in value.enumeration
        ]
        return _with_text(Mutation.ENUMERATION, root, chance.choice(options)) if options else None

    def _extras(self, root: etree._Element, spots: "_Spots", chance: random.Random) -> Mutant | None:
        path, element, declared = chance.choice(spots)
        tags = [tag_of(child) for child in element]
        names = [f"{{{etree.QName(root).namespace}}}Invented", *tags]
        number = chance.randrange(len(tags) + 1)
        name = chance.choice([n for n in names if not self._allows(declared, [*tags[:number], n, *tags[number:]])])
        broken = deepcopy(root)
        parent = element_at(broken, path)
        parent.insert(number, next((deepcopy(child) for child in parent if tag_of(child) == name), etree.Element(name)))
        twins = [(*path, n) for n, child in enumerate(parent) if tag_of(child) == name]
        # A value with an element in it is wrong as a whole; an element that came too early makes what follows wrong.
        where = [path] if declared.type.content is None else twins
        rest = [(*path, n) for n in range(number, len(parent))] if name in tags else []
        return Mutant(Mutation.EXTRA, broken, tuple(dict.fromkeys([*where, *rest, (*path, number)])), name)

    def _foreign(self, root: etree._Element, spots: "_Spots", chance: random.Random) -> Mutant | None:
        below = [path for path, _element, _declared in spots if path]
        if not below:
            return None
        path = chance.choice(below)
        broken = _prefixed(root)
        element = element_at(broken, path)
        space = chance.choice((_FOREIGN, ""))
        name = etree.QName(element).localname
        element.tag = f"{{{space}}}{name}" if space else name
        return Mutant(Mutation.NAMESPACE, broken, (path,), tag_of(element))

    def _allows(self, declared: Element, tags: Sequence[str]) -> bool:
        """Tell by the declarations alone whether children may stand in an element in this order."""
        group = declared.type.content
        if group is None:
            return not tags
        key = id(group)
        if key not in self._patterns:
            self._kept.append(group)  # an id is only its own while the group lives
            letters = {name: chr(0xE000 + n) for n, name in enumerate(dict.fromkeys(e.name for e in group.elements()))}
            self._patterns[key] = (re.compile(_pattern(group, letters)), letters)
        pattern, letters = self._patterns[key]
        return pattern.fullmatch("".join(letters.get(tag, _UNKNOWN) for tag in tags)) is not None


_Spot = tuple[tuple[int, ...], etree._Element, Element]
_Spots = Sequence[_Spot]


def element_at(root: etree._Element, path: Sequence[int]) -> etree._Element:
    """Give the element at a path of child numbers."""
    for number in path:
        root = root[number]
    return root


def _prefixed(root: etree._Element) -> etree._Element:
    """Copy a tree without a default namespace: libxml2 would write an element of no namespace into it."""
    copied = etree.Element(root.tag, nsmap={"p": etree.QName(root).namespace or ""})
    waiting = [(root, copied)]
    while waiting:
        old, new = waiting.pop()
        new.text = old.text
        new.attrib.update(old.attrib)
        waiting += [(child, etree.SubElement(new, tag_of(child))) for child in old]
    return copied


def _with_text(mutation: Mutation, root: etree._Element, chosen: tuple[tuple[int, ...], str]) -> Mutant:
    path, text = chosen
    broken = deepcopy(root)
    element_at(broken, path).text = text
    return Mutant(mutation, broken, (path,), repr(text))


def _swapped(items: Sequence[T], first: int, second: int) -> list[T]:
    changed = list(items)
    changed[first], changed[second] = changed[second], changed[first]
    return changed


def _pattern(group: Group, letters: dict[str, str]) -> str:
    if any(isinstance(part, Wildcard) for part in group.parts) or group.model == "all":
        raise NotImplementedError("The schemas under test have neither wildcards nor groups in any order.")
    parts = [
        _pattern(part, letters) if isinstance(part, Group) else letters[part.name] + _times(part)
        for part in group.parts
        if not isinstance(part, Wildcard)
    ]
    inner = "|".join(parts) if group.model == "choice" else "".join(parts)
    return f"(?:{inner}){_times(group)}"


def _times(part: Element | Group) -> str:
    return f"{{{part.minimum},{'' if part.maximum is None else part.maximum}}}"
