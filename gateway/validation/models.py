"""xmlschema's object model of a schema, read to explain what lxml refused.

Importing xmlschema takes longer than checking thousands of messages, so this module is loaded on the first refusal.
"""

from collections import deque
from collections.abc import Iterator, Sequence

import xmlschema
from xmlschema.validators import XsdAnyElement, XsdElement, XsdGroup

from gateway.validation.declarations import Element, Type, element_of
from gateway.validation.particles import OTHER, Content, Slot
from gateway.validation.wording import local


def build(documents: Sequence[str]) -> "Model | None":
    """Build the model; None where xmlschema cannot (lxml compiled the schema: only the better text is lost)."""
    try:
        return Model(documents)
    except xmlschema.XMLSchemaException:
        return None


class Model:
    """The object model of one namespace, from the texts of its schema and of all that it includes or imports.

    It is never used to validate: lxml decides, this explains.
    """

    def __init__(self, documents: Sequence[str]) -> None:
        self._schema = xmlschema.XMLSchema10(list(documents), allow="none", use_fallback=False)

    def element(self, path: Sequence[str]) -> Element | None:
        """Give the declaration of the element at a path of `{namespace}local` names from the root; None if unknown."""
        declared = self._declared(path)
        return None if declared is None else element_of(declared)

    def content(self, path: Sequence[str]) -> Content | None:
        """Give the content of the element at a path of `{namespace}local` names from the root; None if unknown."""
        group = _group(self._declared(path))
        if group is None:
            return None
        return Content(tuple(_slots(group)), ordered=group.model != "all")

    def homes(self, path: Sequence[str], name: str) -> tuple[str, ...]:
        """Tell where in the profile an element of a local name stands: the names of the elements on the way to it.

        Ways below the element at `path` come alone, as `A/B`, nearest first; where there are none, those from the root
        come as `/A/B`.
        """
        here = self._declared(path)
        below = [] if here is None else _ways(element_of(here), name)
        if below:
            return tuple(map("/".join, below))
        root = self._declared(path[:1])
        ways = [] if root is None else _ways(element_of(root), name)
        return tuple("/".join(("", local(path[0]), *way)) for way in ways)

    def _declared(self, path: Sequence[str]) -> XsdElement | None:
        declared: XsdElement | None = self._schema.maps.elements.get(path[0])
        for name in path[1:]:
            declared = next((e for e in _elements(declared) if e.name == name), None)
        return declared


def _ways(root: Element, name: str) -> list[tuple[str, ...]]:
    """Give the ways from an element to those that may hold one of a name, the short ones first.

    Each type counts once, and what lies below one that was found does not count.
    """
    found: list[tuple[str, ...]] = []
    waiting: deque[tuple[tuple[str, ...], Element]] = deque([((), root)])
    seen: list[Type] = []
    while waiting:
        way, element = waiting.popleft()
        content = element.type.content
        if content is None or any(element.type.is_same(known) for known in seen):
            continue
        seen.append(element.type)
        if content.child(name) is not None and not any(way[: len(known)] == known for known in found):
            found.append(way)
        waiting.extend(((*way, child.local), child) for child in content.elements())
    return found


def _group(declared: XsdElement | None) -> XsdGroup | None:
    content = None if declared is None else getattr(declared.type, "content", None)
    return content if isinstance(content, XsdGroup) else None


def _elements(declared: XsdElement | None) -> Iterator[XsdElement]:
    group = _group(declared)
    if group is not None:
        yield from (e for e in group.iter_elements() if isinstance(e, XsdElement))


def _slots(group: XsdGroup) -> Iterator[Slot]:
    if group.model == "choice":
        yield _choice(group)
        return
    for particle in group:
        if isinstance(particle, XsdGroup):
            if particle.model == "choice" or (particle.min_occurs, particle.max_occurs) != (1, 1):
                yield _choice(particle)
            else:
                yield from _slots(particle)
        elif isinstance(particle, XsdElement | XsdAnyElement):
            yield Slot((_name(particle),), particle.min_occurs > 0, particle.max_occurs)


def _choice(group: XsdGroup) -> Slot:
    """Lay a choice, or a group that repeats, down to one slot that takes any of its names."""
    names = tuple(_name(particle) for particle in group.iter_elements())
    either = group.model == "choice" and group.max_occurs == 1 and all(isinstance(part, XsdElement) for part in group)
    return Slot(names, required=not group.is_emptiable(), maximum=None, either=either)


def _name(particle: XsdElement | XsdAnyElement) -> str:
    return particle.name if isinstance(particle, XsdElement) and particle.name else OTHER
