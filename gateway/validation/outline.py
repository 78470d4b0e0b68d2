"""A profile as a tree to look at: elements with their occurrence, type and values, each type shown once."""

from dataclasses import dataclass
from typing import Final

from gateway.validation.declarations import Attribute, Element, Group, Type, Value, Wildcard
from gateway.validation.instances import CODES
from gateway.validation.instances.wording import singular
from gateway.validation.type_words import WORDS, limits_in_words

_TELLING: Final = 2
"""A type with fewer elements is shown again rather than pointed at."""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of the tree. `name` is the element's own, empty for a choice, a repeated group and a wildcard.

    `kind` says what it is in words, `values` are those allowed where they are listed. `same_as` is the path of the
    element below which the same type has been shown already.
    """

    name: str
    occurs: str
    kind: str
    values: tuple[str, ...] = ()
    attributes: tuple["Node", ...] = ()
    children: tuple["Node", ...] = ()
    same_as: str = ""


def outline(root: Element) -> Node:
    """Give the tree below an element. A type that has been shown is pointed at, wherever it comes again."""
    return _Outliner().element(root, ())


def occurs(minimum: int, maximum: int | None) -> str:
    """Give an occurrence as it is written: `1`, `0..1`, `0..n`."""
    return str(minimum) if minimum == maximum else f"{minimum}..{'n' if maximum is None else maximum}"


class _Outliner:
    def __init__(self) -> None:
        self._shown: list[tuple[Type, tuple[str, ...]]] = []

    def element(self, element: Element, above: tuple[str, ...]) -> Node:
        path = (*above, element.local)
        kind, values = _kind(element)
        attributes = tuple(_attribute(attribute) for attribute in element.type.attributes)
        times = occurs(element.minimum, element.maximum)
        content = element.type.content
        if content is None:
            return Node(element.local, times, kind, values, attributes)
        before = next((shown for known, shown in self._shown if known.is_same(element.type)), None)
        if before is not None:
            return Node(element.local, times, kind, values, attributes, same_as="/".join(before[1:]))
        if len(list(content.elements())) >= _TELLING:
            self._shown.append((element.type, path))
        return Node(element.local, times, kind, values, attributes, self._inside(content, path))

    def _inside(self, group: Group, path: tuple[str, ...]) -> tuple[Node, ...]:
        if (group.minimum, group.maximum) == (1, 1) and group.model != "choice":
            return self._parts(group, path)
        return (self._group(group, path),)

    def _parts(self, group: Group, path: tuple[str, ...]) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for part in group.parts:
            if isinstance(part, Element):
                nodes.append(self.element(part, path))
            elif isinstance(part, Wildcard):
                nodes.append(Node("", occurs(part.minimum, part.maximum), "any other element"))
            elif group.model == "choice" or part.model == "choice":
                nodes.append(self._group(part, path))
            else:
                nodes += self._inside(part, path)
        return tuple(nodes)

    def _group(self, group: Group, path: tuple[str, ...]) -> Node:
        kinds = {"choice": "one of these", "all": "these in any order", "sequence": "these together"}
        return Node("", occurs(group.minimum, group.maximum), kinds[group.model], children=self._parts(group, path))


def _kind(element: Element) -> tuple[str, tuple[str, ...]]:
    declared = element.type
    if declared.value is not None:
        return value_in_words(declared.value)
    if declared.content is None:
        if any(attribute.name == "ref" for attribute in declared.attributes):
            return _reference(element.local), ()
        return "empty", ()
    return "" if declared.name in (element.local, singular(element.local)) else declared.name, ()


def _reference(name: str) -> str:
    """Tell what a reference looks like; where objects of its type are told by a code, by such a code."""
    code = next((codes[0] for owner, codes in CODES.items() if name in (owner, f"{owner}s")), "mRID or name")
    return f'such as ref="{code}"'


def value_in_words(value: Value) -> tuple[str, tuple[str, ...]]:
    """Give a type of text in words, and its values where they are listed."""
    if value.enumeration:
        return "one of", value.enumeration
    words = WORDS.get(value.builtin, value.builtin)
    limits = limits_in_words(value.limits)
    named = f" ({value.name})" if value.name and not value.name.startswith("xs:") else ""
    return f"{words}{named}{f', {limits}' if limits else ''}", ()


def _attribute(attribute: Attribute) -> Node:
    kind, values = value_in_words(attribute.value)
    fixed = f", always {attribute.fixed}" if attribute.fixed is not None else ""
    return Node(f"@{attribute.name}", occurs(int(attribute.required), 1), kind + fixed, values)
