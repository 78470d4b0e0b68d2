"""What of a large payload is in memory: its parts are judged one by one when they are complete, then forgotten."""

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from lxml import etree

from gateway.message.places import tag_of, xpath_of
from gateway.validation.wording import namespace

_SPLIT_BYTES: Final = 1024 * 1024
"""A child of the root that is larger is not waited for: its own children are the parts."""
_MOST_NAMES: Final = 1000


class Judge(Protocol):
    """What happens to the parts of a payload."""

    def part(self, element: etree._Element) -> None:
        """Take a part that is complete; its parents are there, what stood before it is not."""

    def emptied(self, element: etree._Element) -> None:
        """Take an element too large for one part; all that it held was given before, part by part."""


@dataclass(slots=True)
class _Level:
    """An element whose children are parts: how many there were of each name, and those that stay, emptied."""

    element: etree._Element
    step: int  # where in a split XPath its children stand
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, etree._Element] = field(default_factory=dict)
    last: dict[str, etree._Element] = field(default_factory=dict)
    pinned: set[etree._Element] = field(default_factory=set)
    shells: int = 0


class Window:
    """The parts of one payload root: they come in order, each once.

    With `shells`, the first and the last child of each name stay in their place, emptied, so that what is explained
    later sees which there were. Elements named in `whole` are never taken apart.
    """

    def __init__(self, root: etree._Element, judge: Judge, *, whole: Container[str] = (), shells: bool = False) -> None:
        self._levels = [_Level(root, len(xpath_of(root).split("/")))]
        self._part = root
        self._judge = judge
        self._whole = whole
        self._keeps_shells = shells
        self._lone: dict[str, set[str]] = {}  # steps as they were written, and the names they were written for
        self.waiting = 0
        """The bytes that were fed since a part was complete."""

    @property
    def place(self) -> etree._Element:
        """The element inside which the part lies that is not complete."""
        return self._levels[-1].element

    @property
    def has_rival(self) -> bool:
        """Whether another root of a payload stands behind this one."""
        root = self._levels[0].element
        rival, parent = root.getnext(), root.getparent()
        return (
            rival is not None
            and parent is not None
            and not tag_of(rival).startswith(f"{{{namespace(tag_of(parent))}}}")
        )

    @property
    def totals(self) -> Mapping[str, int]:
        """How many children the root had so far, by name."""
        return self._levels[0].counts

    def advance(self, fed: int) -> None:
        """Give the parts that are complete now that so many bytes more were fed."""
        self.waiting += fed
        self._drain(0)

    def finish(self) -> None:
        """Give what is left: the document has ended."""
        self._finish(0)

    def path(self, element: etree._Element) -> str:
        """Give the XPath of an element of the part at hand, with the indices that it has in the whole document."""
        return self.indexed(xpath_of(element))

    def indexed(self, xpath: str) -> str:
        """Put the indices of the whole document into an XPath on the way to, or inside, the part at hand."""
        steps = xpath.split("/")
        children = [*(level.element for level in self._levels[1:]), self._part]
        for level, child in zip(self._levels, children, strict=True):
            if level.step < len(steps):
                tag = tag_of(child)
                steps[level.step] = _indexed(steps[level.step], level.counts[tag] + 1)
                if level is self._levels[0] and "[" not in steps[level.step]:
                    self._lone.setdefault(steps[level.step], set()).add(tag)
        return "/".join(steps)

    def completed(self, xpath: str, totals: Mapping[str, int]) -> str:
        """Give an XPath its index where the child of the root that it names turned out not to be the only one.

        `totals` says how many children of each name the root has in all.
        """
        step, steps = self._levels[0].step, xpath.split("/")
        if step < len(steps) and any(totals.get(tag, 0) > 1 for tag in self._lone.get(steps[step], ())):
            steps[step] += "[1]"
        return "/".join(steps)

    def pin(self) -> None:
        """Let the part at hand stay, emptied, and those that stand before it at this time."""
        level = self._levels[-1]
        level.pinned.add(self._part)
        level.pinned.update(level.element[: level.shells])

    def _drain(self, depth: int) -> None:
        level = self._levels[depth]
        children = level.element[level.shells :]
        if not children:
            return
        *complete, last = children
        for child in complete:
            self._give(depth, child)
        if depth + 1 < len(self._levels):
            self._drain(depth + 1)
        elif self.waiting > _SPLIT_BYTES and tag_of(last) not in self._whole:
            self._levels.append(_Level(last, level.step + 1))
            self._drain(depth + 1)

    def _finish(self, depth: int) -> None:
        level = self._levels[depth]
        for child in level.element[level.shells :]:
            self._give(depth, child)

    def _give(self, depth: int, child: etree._Element) -> None:
        """Give one child that is complete, and forget it."""
        if depth + 1 < len(self._levels):
            self._finish(depth + 1)
            del self._levels[depth + 1 :]
            self._part = child
            self._judge.emptied(child)
        else:
            self._part = child
            self._judge.part(child)
        self._forget(self._levels[depth], child)
        self.waiting = 0

    def _forget(self, level: _Level, child: etree._Element) -> None:
        tag = tag_of(child)
        level.counts[tag] += 1
        if not self._keeps_shells or (tag not in level.first and len(level.first) >= _MOST_NAMES):
            level.element.remove(child)
            return
        before = level.last.get(tag)
        if before is not None and before not in level.pinned and before is not level.first[tag]:
            level.element.remove(before)
            level.shells -= 1
        level.first.setdefault(tag, child)
        level.last[tag] = child
        level.shells += 1
        del child[:]
        child.tail = None


def _indexed(step: str, number: int) -> str:
    name, bracket, _ = step.partition("[")
    return f"{name}[{number}]" if bracket or number > 1 else name
