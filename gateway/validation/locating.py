"""Which element each entry of the validator's log is about, found while the document is parsed."""

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from gateway.message.parsing import HARDENED
from gateway.validation.faults import ABOUT_THE_PARENT, Fault, fault_of

_TAGS: Final = re.compile(rb"[^>]*>|[^>]+\Z")


class Locator:
    """A validating parser that is fed, and tells of each fault which element it is about.

    A validator that works on a stream names no place. So a block in which there are faults is fed tag by tag: what the
    log then says is about the element that has just begun or ended, or about the one around it.
    """

    def __init__(self, schema: etree.XMLSchema) -> None:
        self._parser = etree.XMLPullParser(("start", "end"), schema=schema, collect_ids=False, **HARDENED)
        self._known = 0
        self._last: etree._Element | None = None
        self._open: etree._Element | None = None
        self._said: set[tuple[str, str]] = set()
        self.root: etree._Element | None = None

    def feed(self, block: bytes) -> tuple[Fault, ...]:
        """Parse a block in which no faults are."""
        self._parser.feed(block)
        self._follow()
        return ()

    def locate(self, block: bytes) -> Iterator[Fault]:
        """Parse a block in which faults are, and give them."""
        for piece in _TAGS.findall(block):
            around = self._open
            self._parser.feed(piece)
            if self._follow():
                self._said.clear()
            log = [*self._parser.feed_error_log]
            for entry in log[self._known :]:
                element = around if entry.type_name in ABOUT_THE_PARENT else self._last
                said = (entry.type_name, entry.message)
                if element is not None and said not in self._said:  # one text can come to the validator in pieces
                    self._said.add(said)
                    yield fault_of(element, entry)
            self._known = len(log)

    def _follow(self) -> bool:
        """Follow what begins and ends; tell whether anything did."""
        moved = False
        for event, element in self._parser.read_events():
            moved = True
            self._last = element
            self._open = element if event == "start" else element.getparent()
            if self.root is None:
                self.root = element
        return moved
