"""The faults of a large payload, explained on a second reading, while the parts that they are in are in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from lxml import etree

from gateway.message import Finding
from gateway.message.feeding import Document, blocks, payload_root_of
from gateway.validation.diagnostics import Explainer
from gateway.validation.faults import MAX_FAULTS, Fault, without_echoes
from gateway.validation.locating import Locator
from gateway.validation.window import Outline, Window

MakeExplainer = Callable[[etree._Element, etree._Element], Explainer]
"""Makes an explainer from the root of a document and its payload root."""


def explained(
    schema: etree.XMLSchema,
    document: Document,
    faulty: Sequence[int],
    explainer: MakeExplainer,
    outline: Outline,
    *,
    complete: bool,
) -> list[Finding]:
    """Read a document again and explain its faults: `faulty` are the numbers of the blocks that have any.

    `outline` is that of the payload root. Without `complete` there are more faults than
    are told: it is read no further than these. Gives nothing where a fault is outside the payload root: the schema is
    not meant for that.
    """
    locator, explaining = Locator(schema), None
    for number, block in enumerate(blocks(document())):
        faults = [*locator.locate(block)] if number in faulty else locator.feed(block)
        if explaining is None and locator.root is not None:
            root = payload_root_of(locator.root)
            explaining = None if root is None else _Explaining(root, explainer(locator.root, root))
        if explaining is None or not explaining.takes(faults):
            if faults:
                return []
            continue
        explaining.window.advance(len(block))
        if number >= faulty[-1] and explaining.is_settled(complete=complete):
            break
    if explaining is None:
        return []
    findings, window = explaining.findings(complete=complete), explaining.window
    return [replace(finding, xpath=window.completed(finding.xpath, outline)) for finding in findings]


class _Explaining:
    """Explains each fault when all that it depends on was seen: its part, or the end of the element around it."""

    def __init__(self, root: etree._Element, explainer: Explainer) -> None:
        self.window = Window(root, self, shells=True)
        self._root = root
        self._explainer = explainer
        self._faults: list[Fault] = []
        self._open: dict[int, Fault] = {}
        self._misplaced: dict[int, Fault] = {}
        self._told: dict[int, list[Finding]] = {}

    def takes(self, faults: Sequence[Fault]) -> bool:
        """Take new faults; gives False where one is outside the payload."""
        for fault in faults[: MAX_FAULTS - len(self._faults)]:
            if not _is_within(fault.element, self._root):
                return False
            self._open[len(self._faults)] = fault
            self._faults.append(fault)
        return True

    def is_settled(self, *, complete: bool) -> bool:
        """Tell whether nothing more need be read."""
        return not self._open and not (complete and self._misplaced)

    def part(self, element: etree._Element) -> None:
        """Explain what is wrong inside a part; where the part itself is out of place, what follows may say why."""
        for number, fault in [*self._open.items()]:
            if not _is_within(fault.element, element):
                continue
            del self._open[number]
            if fault.container is element.getparent():
                self.window.pin()
                self._misplaced[number] = fault
            else:
                self._told[number] = [*self._explain(fault)]

    def emptied(self, element: etree._Element) -> None:
        """Explain what is wrong with a large element, all of which was seen."""
        self._tell_misplaced(element, complete=True)
        self.part(element)

    def findings(self, *, complete: bool) -> list[Finding]:
        """Give all findings, in the order of the faults."""
        self.window.finish()
        self._tell_misplaced(self._root, complete=complete)
        for number, fault in self._open.items():
            self._told[number] = [*self._explainer.explain(fault)]
        counted = frozenset(map(id, without_echoes(iter(self._faults))))
        told = (self._told.get(number, []) for number, fault in enumerate(self._faults) if id(fault) in counted)
        return [*islice((finding for findings in told for finding in findings), MAX_FAULTS)]

    def _explain(self, fault: Fault) -> Iterator[Finding]:
        for finding in self._explainer.explain(fault):
            yield replace(finding, xpath=self.window.indexed(finding.xpath))

    def _tell_misplaced(self, parent: etree._Element, *, complete: bool) -> None:
        misplaced = {number: fault for number, fault in self._misplaced.items() if fault.container is parent}
        paths = self.window.paths_in(parent) if misplaced else {}
        for number, fault in misplaced.items():
            del self._misplaced[number]
            # What the parent lacks is only known when all of it was seen.
            findings = islice(self._explainer.explain(fault), None if complete else 1)
            self._told[number] = [
                replace(finding, xpath=paths.get(finding.xpath) or self.window.indexed(finding.xpath))
                for finding in findings
            ]


def _is_within(element: etree._Element, outer: etree._Element) -> bool:
    current: etree._Element | None = element
    while current is not None and current is not outer:
        current = current.getparent()
    return current is not None
