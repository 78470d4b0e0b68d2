"""lxml's judgement of one element: the faults, each with the element it is about, in bounded time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from lxml import etree

from gateway.message.places import tag_of

MAX_FAULTS: Final = 100
"""How many faults of one document are told; its sender mends the first ones first."""

_STREAM_FROM_BYTES: Final = 64 * 1024
_STREAM_FROM_ELEMENTS: Final = 2000
_CHUNK_BYTES: Final = 64 * 1024

ABOUT_THE_PARENT: Final = frozenset(
    {
        "SCHEMAV_CVC_TYPE_3_1_2",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_1",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_2",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_3",
    }
)
"""What an element must not hold: a validator that works on a stream says it when that is met, of the element around."""

_STEP: Final = re.compile(r"/([^/\[]+)(?:\[(\d+)\])?")
_HEAD: Final = re.compile(r"Element '[^']*'(?:, attribute '([^']*)')?: ")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as libxml2 saw it: the element, its type's name (`SCHEMAV_...`), its sentence, the attribute if any."""

    element: etree._Element
    kind: str
    text: str
    attribute: str = ""

    @property
    def container(self) -> etree._Element:
        """The element whose content is wrong: the one around an element that was not expected, else the element."""
        around = self.element.getparent()
        is_intruder = self.kind == "SCHEMAV_ELEMENT_CONTENT" and not self.text.startswith("Missing child")
        return around if is_intruder and around is not None else self.element


def is_valid(schema: etree.XMLSchema, element: etree._Element, size: int) -> bool:
    """Tell whether an element is valid. `size` is that of the whole document, in bytes.

    libxml2 builds the path of every fault by counting siblings, so a large document with a fault in each of 40,000
    siblings would take half a minute. Such documents are streamed through the validator instead, where paths are not
    built, and left at the first fault.
    """
    if size < _STREAM_FROM_BYTES or not _is_large(element, size):
        return schema.validate(element)
    parser = _parser(schema, _Silent())
    for chunk in _chunks_of(element):
        parser.feed(chunk)
        if len(parser.feed_error_log):
            return False
    parser.close()
    return not len(parser.feed_error_log)


def faults_of(schema: etree.XMLSchema, element: etree._Element, size: int) -> tuple[Fault, ...]:
    """Give the first faults of an element that `is_valid` has just refused."""
    if not _is_large(element, size):
        return tuple(without_echoes(_in_tree(schema, element)))
    return tuple(without_echoes(_streamed(schema, element)))


def _in_tree(schema: etree.XMLSchema, element: etree._Element) -> Iterator[Fault]:
    return (fault_of(_at(element, entry.path), entry) for entry in islice(schema.error_log, MAX_FAULTS))


def _is_large(element: etree._Element, size: int) -> bool:
    """Tell whether so many elements will be judged that faults in all of them would take too long to tell."""
    if size < _STREAM_FROM_BYTES:
        return False
    namespace = tag_of(element)[1:].partition("}")[0]  # an envelope's schema skips what is not its own
    own = islice(element.iter(f"{{{namespace}}}*"), _STREAM_FROM_ELEMENTS)
    return sum(1 for _ in own) == _STREAM_FROM_ELEMENTS


def _parser(schema: etree.XMLSchema, target: Any) -> Any:  # noqa: ANN401 - the stubs' protocol wants every method
    return etree.XMLParser(
        schema=schema, target=target, resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )


def _chunks_of(element: etree._Element) -> Iterator[bytes]:
    """Write an element in chunks: libxml2 refuses ten megabytes at once."""
    document = memoryview(etree.tostring(element, encoding="UTF-8", with_tail=False))
    for start in range(0, len(document), _CHUNK_BYTES):
        yield bytes(document[start : start + _CHUNK_BYTES])


class _Silent:
    """A parser's target that builds nothing: the parser only validates."""

    def close(self) -> None:
        """End the document."""


class _EnoughFaults(Exception):  # noqa: N818 - no error: it ends the parsing
    """Leaves the parser when `MAX_FAULTS` are known."""


class _Locator:
    """A parser's target that notes which element (by its number in document order) each entry of the log is about.

    The validator runs after the target: what it adds to the log after a start or end belongs to that element, or to
    the one around it. A place of None stands for what was said before: one text can come to the validator in pieces.
    """

    def __init__(self) -> None:
        self.parser: etree.XMLParser | None = None
        self.places: list[int | None] = []
        self._open: list[int] = []
        self._count = self._current = 0

    def start(self, _tag: str, _attributes: object) -> None:
        self._look()
        self._current = self._count
        self._open.append(self._count)
        self._count += 1

    def end(self, _tag: str) -> None:
        self._look()
        self._current = self._open.pop()

    def close(self) -> None:
        self._look()

    def _look(self) -> None:
        said: set[tuple[str, str]] = set()
        for entry in [*self.log][len(self.places) :] if len(self.log) > len(self.places) else ():
            key = (entry.type_name, entry.message)
            self.places.append(None if key in said else self._place(entry))
            said.add(key)
        if len(self.places) >= MAX_FAULTS:
            raise _EnoughFaults

    def _place(self, entry: etree._LogEntry) -> int:
        if entry.type_name not in ABOUT_THE_PARENT:
            return self._current
        met_element = "Element content" in entry.message  # it has begun, so the one around it is the last but one
        return self._open[-2 if met_element else -1]

    @property
    def log(self) -> etree._ListErrorLog:
        if self.parser is None:
            raise RuntimeError("The locator was not given its parser.")
        return self.parser.feed_error_log


def _streamed(schema: etree.XMLSchema, element: etree._Element) -> Iterator[Fault]:
    locator = _Locator()
    parser = locator.parser = _parser(schema, locator)
    try:
        for chunk in _chunks_of(element):
            parser.feed(chunk)
        parser.close()
    except _EnoughFaults:
        pass
    wanted = frozenset(locator.places)
    elements = {number: found for number, found in enumerate(element.iter()) if number in wanted}
    for number, entry in zip(locator.places, locator.log, strict=False):
        if number is not None:
            yield fault_of(elements[number], entry)


def _at(element: etree._Element, path: str | None) -> etree._Element:
    """Follow libxml2's path (`/*/*[3]`, `/m:RequestMessage/m:Header`) from the element that was validated."""
    steps = _STEP.findall(path or "")[1:]
    current = element
    for name, position in steps:
        if name.startswith("@"):
            break
        prefix, _, local = name.rpartition(":")
        fitting = (
            child
            for child in current
            if name == "*" or ((child.prefix or "") == prefix and tag_of(child).rpartition("}")[2] == local)
        )
        found = next(islice(fitting, int(position or 1) - 1, None), None)
        if found is None:
            break
        current = found
    return current


def fault_of(element: etree._Element, entry: etree._LogEntry) -> Fault:
    """Give an entry of the validator's log as a fault of the element that it is about."""
    head = _HEAD.match(entry.message)
    if head is None:
        return Fault(element, entry.type_name, entry.message)
    return Fault(element, entry.type_name, entry.message[head.end() :], head[1] or "")


def without_echoes(faults: Iterator[Fault]) -> Iterator[Fault]:
    """Leave out what libxml2 says twice: an element with children where text belongs is a bad value as well."""
    nested: etree._Element | None = None
    for fault in faults:
        if fault.kind == "SCHEMAV_CVC_TYPE_3_1_2":
            nested = fault.element
        elif fault.element is nested and fault.kind.startswith("SCHEMAV_CVC_DATATYPE"):
            continue
        yield fault
