"""XML from strangers that comes in chunks, by the rules of `parse` except that its size is the caller's care."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from gateway.message.findings import Unreadable
from gateway.message.namespaces import BY_NAMESPACE
from gateway.message.parsing import HARDENED, Limits, empty, not_well_formed, refuse_doctype

Document = Callable[[], Iterable[bytes]]
"""Opens a document anew and gives its bytes, in chunks of any size."""

_BLOCK_BYTES: Final = 64 * 1024
_FIRST_BLOCK_BYTES: Final = 4 * 1024


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a document begins: its root as far as it was read, and the first payload root, where there is one.

    `payload_root` is None where the payload holds something else (operations, compressed content, ids) or nothing,
    where it does not come within the limit of a message, and where the document is no bare message.
    """

    document: etree._Element
    payload_root: etree._Element | None = None


def blocks(chunks: Iterable[bytes], size: int = _BLOCK_BYTES) -> Iterator[bytes]:
    """Cut chunks of any size into blocks of one size: the last may be smaller."""
    rest = b""
    for chunk in chunks:
        given = rest + chunk if rest else chunk
        whole = len(given) - len(given) % size
        yield from (given[start : start + size] for start in range(0, whole, size))
        rest = given[whole:]
    if rest:
        yield rest


def begin(document: Document, limits: Limits) -> Beginning:
    """Read a document up to its first payload root, or as far as the limit of a message where that does not come.

    Raises `Unreadable` for what is not well-formed so far, or has a DOCTYPE.
    """
    parser = etree.XMLPullParser(("start",), collect_ids=False, **HARDENED)
    root: etree._Element | None = None
    start, read = b"", 0
    for block in blocks(document(), _FIRST_BLOCK_BYTES):
        start, read = start or block, read + len(block)
        _feed(parser, block, start)
        for _, element in parser.read_events():
            if root is None:
                root = element
                refuse_doctype(root)
            elif (payload := _payload_of(root)) is not None and len(payload):
                return Beginning(root, payload_root_of(root))
        if read > limits.message_bytes and root is not None:
            return Beginning(root)
    _close(parser, start)
    if root is None:
        raise empty()
    return Beginning(root)


def refuse_broken(document: Document) -> None:
    """Raise `Unreadable` where a document is not well-formed. It is parsed to its end, and nothing of it is kept."""
    target: Any = _Nothing()  # the stubs' protocol wants every method
    parser: Any = etree.XMLParser(target=target, collect_ids=False, **HARDENED)
    start = b""
    for block in blocks(document()):
        start = start or block
        _feed(parser, block, start)
    _close(parser, start)


def payload_root_of(document: etree._Element) -> etree._Element | None:
    """Give the first element in the payload of a bare message, where it is one of another namespace."""
    payload = _payload_of(document)
    root = None if payload is None else next(iter(payload), None)
    return None if root is None or etree.QName(root).namespace == etree.QName(document).namespace else root


def _payload_of(document: etree._Element) -> etree._Element | None:
    space = etree.QName(document).namespace
    return document.find(f"{{{space}}}Payload") if space in BY_NAMESPACE else None


class _Nothing:
    """A parser's target that builds nothing."""

    def close(self) -> None:
        """End the document."""


def _feed(parser: etree.XMLParser, block: bytes, start: bytes) -> None:
    """Feed a block. Faults are looked for in the log: a parser that is fed passes over entities without a word."""
    try:
        parser.feed(block)
    except etree.XMLSyntaxError as error:
        raise _broken(parser, error, start) from error
    if any(entry.level >= etree.ErrorLevels.ERROR for entry in parser.feed_error_log):
        raise _broken(parser, None, start)


def _close(parser: etree.XMLParser, start: bytes) -> None:
    try:
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _broken(parser, error, start) from error


def _broken(parser: etree.XMLParser, error: etree.XMLSyntaxError | None, start: bytes) -> Unreadable:
    if not start or start.isspace():
        return empty()
    return not_well_formed(error, parser.feed_error_log, start)
