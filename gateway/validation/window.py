"""What of a large payload is in memory: its parts are judged one by one when they are complete, then forgotten."""

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from lxml import etree

from gateway.message.places import tag_of, xpath_of
from gateway.validation.wording import namespace

_SPLIT_BYTES: Final = 256 * 1024
"""A child of the root that is larger is not waited for: its own children are the parts."""
_MOST_NAMES: Final = 1000
_KEPT_BEHIND: Final = 10
"""Of each name so many shells stay behind a part that is out of place: as many strangers as are told of one element."""


class Judge(Protocol):
    """What happens to the parts of a payload."""

    def part(self, element: etree._Element) -> None:
        """Take a part that is complete; its parents are there, what stood before it is not."""

    def emptied(self, element: etree._Element) -> None:
        """Take an element too large for one part; all that it held was given before, part by part."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What is only known of a payload root when all was read: its XPath, and how many children it has by name."""

    path: str
    totals: Mapping[str, int]


@dataclass(slots=True)
class _Level:
    """An element whose children are parts: how many there were of each name, and those that stay, emptied."""

    element: etree._Element
    step: int  # where in a split XPath its children stand
    counts: Counter[str] = field(default_factory=Counter)
    shells: dict[etree._Element, int] = field(default_factory=dict)  # in order, each with its index
    last: dict[str, etree._Element] = field(default_factory=dict)
    pinned: set[etree._Element] = field(default_factory=set)
    behind: Counter[str] = field(default_factory=Counter)

    def forget(self, child: etree._Element, *, keep: bool) -> None:
        """Take a child that was judged out of the tree, or empty it where it is to stay as a shell."""
        tag = tag_of(child)
        self.counts[tag] += 1
        if not keep or (tag not in self.last and len(self.last) >= _MOST_NAMES):
            self.element.remove(child)
            return
        before = self.last.get(tag)
        if before is None:
            self.pinned.add(child)  # the first of its name
        elif before not in self.pinned:
            self.element.remove(before)
            del self.shells[before]
        elif self.behind and self.behind[tag] < _KEPT_BEHIND:
            self.behind[tag] += 1
            self.pinned.add(child)
        self.last[tag] = child
        self.shells[child] = self.counts[tag]
        del child[:]
        child.tail = None


class Window:
    """The parts of one payload root: they come in order, each once.

    With `shells`, the first and the last child of each name stay in their place, emptied, so that what is explained
    later sees which there were. Elements named in `whole` are never taken apart.
    """

    def __init__(self, root: etree._Element, judge: Judge, *, whole: Container[str] = (), shells: bool = False) -> None:
        self._levels = [_Level(root, len(xpath_of(root).split("/")))]
        self._closed = self._levels[0]
        self._part = root
        self._judge = judge
        self._whole = whole
        self._keeps_shells = shells
        self._lone: dict[str, set[str]] = {}  # steps that were written without an index, and the names they stand for
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
        rival, payload = root.getnext(), root.getparent()
        return rival is not None and payload is not None and namespace(tag_of(rival)) != namespace(tag_of(payload))

    @property
    def outline(self) -> Outline:
        """What is known of the root so far."""
        return Outline(xpath_of(self._levels[0].element), self._levels[0].counts)

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
                steps[level.step] = self._indexed(steps[level.step], level, child, level.counts[tag_of(child)] + 1)
        return "/".join(steps)

    def paths_in(self, parent: etree._Element) -> dict[str, str]:
        """Give the XPaths of the shells in an element that has just ended: as its tree says, and as they are."""
        level = self._closed if self._closed.element is parent else self._levels[0]
        paths: dict[str, str] = {}
        for shell, number in level.shells.items():
            path = xpath_of(shell)
            steps = (path if level is self._levels[0] else self.indexed(path)).split("/")
            steps[level.step] = self._indexed(steps[level.step], level, shell, number)
            paths[path] = "/".join(steps)
        return paths

    def completed(self, xpath: str, outline: Outline) -> str:
        """Give an XPath as it is, now that the outline is known: the first of a name may have got company."""
        step, steps = self._levels[0].step, xpath.split("/")
        if len(steps) < step:
            return xpath
        if step < len(steps) and any(outline.totals.get(tag, 0) > 1 for tag in self._lone.get(steps[step], ())):
            steps[step] += "[1]"
        return "/".join((outline.path, *steps[step:]))

    def pin(self) -> None:
        """Let the part at hand stay, emptied, with those that stand before it at this time and some behind it."""
        level = self._levels[-1]
        level.pinned.update(level.shells, [self._part])
        level.behind[tag_of(self._part)] += 1

    def _indexed(self, step: str, level: _Level, child: etree._Element, number: int) -> str:
        name, bracket, _ = step.partition("[")
        if bracket or number > 1 or level.counts[tag_of(child)] > 1:
            return f"{name}[{number}]"
        if level is self._levels[0]:
            self._lone.setdefault(name, set()).add(tag_of(child))
        return name

    def _drain(self, depth: int) -> None:
        level = self._levels[depth]
        children = level.element[len(level.shells) :]
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
        for child in level.element[len(level.shells) :]:
            self._give(depth, child)

    def _give(self, depth: int, child: etree._Element) -> None:
        """Give one child that is complete, and forget it."""
        opened = depth + 1 < len(self._levels)
        if opened:
            self._finish(depth + 1)
            self._closed = self._levels.pop()
        self._part = child
        (self._judge.emptied if opened else self._judge.part)(child)
        self._levels[depth].forget(child, keep=self._keeps_shells)
        self.waiting = 0
