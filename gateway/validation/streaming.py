"""The check of a large message without its tree: the payload is judged part by part, as it is parsed.

The parser validates as it reads, and each part of the payload is forgotten when it was judged. A good document is read
once. One in which something is wrong is read again: to see whether it is well-formed to its end, and to explain its
faults.
"""

from dataclasses import dataclass, replace

from lxml import etree

from gateway.message import DEFAULT_LIMITS, Finding, Limits, Message, Unreadable, read
from gateway.message.feeding import Beginning, Document, begin, blocks, payload_root_of, refuse_broken
from gateway.message.lines import with_lines
from gateway.message.parsing import HARDENED, part_too_large, refuse_crowd, too_large
from gateway.message.places import tag_of
from gateway.message.reading import message_of
from gateway.validation.checker import Checker, told_once
from gateway.validation.explaining import explained
from gateway.validation.faults import MAX_FAULTS
from gateway.validation.rules.semantics import SemanticPass, Semantics
from gateway.validation.verdict import Verdict
from gateway.validation.window import Window


@dataclass(frozen=True, slots=True)
class Streamed:
    """A message and its verdict. The message has no raw bytes, and its payload root has lost its children.

    `as_tree` tells that the message was read as a whole after all, as any small one is.
    """

    message: Message
    verdict: Verdict
    as_tree: bool = False


def stream_check(checker: Checker, document: Document, limits: Limits = DEFAULT_LIMITS) -> Streamed:
    """Judge a message of any size; the findings are those of `Checker.check`. Raises `Unreadable` as `read` does.

    Memory stays bounded: `limits.message_bytes` holds for what cannot be judged in parts. That is a part of the payload
    that must be seen as a whole, what stands before the payload, and every message whose payload is not a single root
    of a noun (an OperationSet, Compressed, ids, several roots, nothing): such a message is read as a tree.
    """
    beginning = begin(document, limits)
    try:
        return _in_parts(checker, document, limits, beginning)
    except _OnlyAsAWhole:
        message = read(_whole(document, beginning, limits), limits)
        return Streamed(message, checker.check(message), as_tree=True)


class _OnlyAsAWhole(Exception):  # noqa: N818 - no error: it says which way a document goes
    """The document cannot be judged part by part."""


def _whole(document: Document, beginning: Beginning, limits: Limits) -> bytes:
    raw, size = bytearray(), 0
    for chunk in document():
        size += len(chunk)
        if size <= limits.message_bytes:
            raw += chunk
    if size > limits.message_bytes:
        message_of(b"", beginning.document)  # where it is no message at all, that is the better reason
        refusal = too_large(size, limits).finding
        advice = "Only a payload with a single root of a noun can be judged in a stream, whatever its size."
        raise Unreadable(replace(refusal, advice=f"{refusal.advice} {advice}"))
    return bytes(raw)


def _in_parts(checker: Checker, document: Document, limits: Limits, beginning: Beginning) -> Streamed:
    if beginning.payload_root is None:
        raise _OnlyAsAWhole
    try:
        begun = message_of(b"", beginning.document)
    except Unreadable as unreadable:
        raise _OnlyAsAWhole from unreadable
    tag = tag_of(beginning.payload_root)
    schema = checker.schemas.inside(begun.version, tag)
    reading = _FirstReading(begun, schema, checker.semantics_of(tag), limits)
    reading.read(document)
    if not reading.is_good:
        refuse_broken(document)
    window, root = reading.window, reading.root
    if window is None or root is None or not (reading.is_good or reading.faulty):
        raise _OnlyAsAWhole
    refuse_crowd(root, limits)
    message = message_of(b"", root)
    if len(message.content) != 1:
        raise _OnlyAsAWhole
    if schema is None:
        found = checker.judge_root(message.content[0], message)
    elif reading.faulty:
        found = explained(
            schema,
            document,
            reading.faulty,
            lambda whole, payload: checker.explainer(message_of(b"", whole), payload),
            window.outline,
            complete=reading.is_complete,
        )
        if not found:
            raise _OnlyAsAWhole
    else:
        found = []
    meaning = [replace(finding, xpath=window.completed(finding.xpath, window.outline)) for finding in reading.meaning]
    verdict = checker.check(message, streamed=told_once(found, meaning))
    return Streamed(message, Verdict(tuple(with_lines(verdict.findings, document()))))


class _FirstReading:
    """Reads a document to its end, or to the last fault that is told: whether its payload is valid, and what it means.

    A parser that validates says little about what is not well-formed: `is_good` is only set where it said nothing.
    """

    def __init__(self, begun: Message, schema: etree.XMLSchema | None, semantics: Semantics, limits: Limits) -> None:
        self.faulty: list[int] = []
        """The numbers of the blocks in which something is not valid."""
        self.meaning: list[Finding] = []
        self.root: etree._Element | None = None
        self.window: Window | None = None
        self.is_good = self._ended = False
        self.is_complete = True
        self._begun = begun
        self._semantics = semantics
        self._judging: SemanticPass | None = None
        self._limits = limits
        self._known = 0
        self._parser = etree.XMLPullParser(
            ("start", "end"), tag=tag_of(begun.root), schema=schema, collect_ids=False, **HARDENED
        )

    def read(self, document: Document) -> None:
        """Read. Raises `_OnlyAsAWhole`, and `Unreadable` for what goes beyond the limits."""
        try:
            for number, block in enumerate(blocks(document())):
                self._parser.feed(block)
                self._follow()
                self._judge(len(block))
                known = len(self._parser.feed_error_log)
                if known > self._known:
                    self.faulty.append(number)
                    self._known = known
                    if known >= MAX_FAULTS:
                        self.is_complete = False
                        return
            self._parser.close()
        except etree.XMLSyntaxError:
            pass
        else:
            self.is_good = self._ended and not self.faulty
        self._finish()

    def part(self, element: etree._Element) -> None:
        """Judge the meaning of a part."""
        refuse_crowd(element, self._limits)
        if self._judging is not None:
            self.meaning += self._judging.record(element)

    def emptied(self, element: etree._Element) -> None:
        """See what is left of a large element whose parts were judged."""
        refuse_crowd(element, self._limits)

    def _follow(self) -> None:
        for event, element in self._parser.read_events():
            if self.root is None:
                self.root = element
            elif event == "end" and element is self.root:
                self._ended = True

    def _judge(self, fed: int) -> None:
        if self.window is None:
            root = None if self.root is None else payload_root_of(self.root)
            if root is None:
                return
            self.window = self._open(root)
        self.window.advance(fed)
        if self.window.waiting > self._limits.message_bytes:
            raise part_too_large(self.window.place, self._limits)
        if self.window.has_rival:
            raise _OnlyAsAWhole

    def _open(self, root: etree._Element) -> Window:
        window = Window(root, self, whole=self._semantics.wholes)
        self._judging = SemanticPass(self._semantics, self._begun.header.verb, window.path)
        return window

    def _finish(self) -> None:
        if self.window is not None:
            self.window.finish()
        if self._judging is not None:
            self.meaning += self._judging.finish()
