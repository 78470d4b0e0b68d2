"""XML from strangers: parsed without DTD, entities or network, within limits."""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypedDict

from lxml import etree

from gateway.codes import ReplyCode
from gateway.message.findings import Finding, Unreadable
from gateway.message.places import local_name

DEPTH_LIMIT: Final = 256
"""How deep elements may nest: libxml2's own limit without huge_tree."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a message may be: bytes as sent, bytes after decompression, their ratio, attributes an element."""

    message_bytes: int = 16 * 1024 * 1024
    decompressed_bytes: int = 64 * 1024 * 1024
    compression_ratio: int = 200
    attributes: int = 64


DEFAULT_LIMITS: Final = Limits()


class _Hardening(TypedDict):
    resolve_entities: bool
    load_dtd: bool
    dtd_validation: bool
    attribute_defaults: bool
    no_network: bool
    huge_tree: bool
    recover: bool
    remove_blank_text: bool
    remove_comments: bool
    remove_pis: bool


HARDENED: Final[_Hardening] = {
    "resolve_entities": False,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "no_network": True,
    "huge_tree": False,
    "recover": False,
    "remove_blank_text": True,  # of no meaning in messages, and a tenth of the time of every walk
    "remove_comments": True,
    "remove_pis": True,
}
"""How lxml is told to read what strangers wrote."""
_LAID_OUT: Final[_Hardening] = {**HARDENED, "remove_blank_text": False}

_threads = threading.local()
_HAS_DOCTYPE = re.compile(rb"[^<]*(?:<(?:\?|!--)[^<]*)*<!DOCTYPE")
_IS_PLAIN_UTF8 = re.compile(rb"<(?:\?xml version=[\"']1\.0[\"'](?: encoding=[\"'](?i:utf-8)[\"']| ?\?>)|[^?\0])")
# Asking for one attribute by its position is six times faster than counting those of every element.
_IS_CROWDED = etree.XPath("boolean(descendant-or-self::*/@*[position() > $limit])")
_CROWDED = etree.XPath("(descendant-or-self::*[count(@*) > $limit])[1]")


def _parser() -> etree.XMLParser:
    # A parser holds a lock, so each thread has its own.
    parser: etree.XMLParser | None = getattr(_threads, "parser", None)
    if parser is None:
        parser = _threads.parser = etree.XMLParser(**HARDENED)
    return parser


def parse(raw: bytes, limits: Limits = DEFAULT_LIMITS, *, as_laid_out: bool = False) -> etree._Element:
    """Parse one document and give its root. `as_laid_out` keeps the white space between elements.

    Raises `Unreadable` (code 1.8) for an empty body, one that is too large, is not well-formed, nests deeper than
    256, carries a DOCTYPE, or crowds one element with attributes.
    """
    if not raw or raw.isspace():
        raise empty()
    if len(raw) > limits.message_bytes:
        raise too_large(len(raw), limits)
    parser = etree.XMLParser(**_LAID_OUT) if as_laid_out else _parser()
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error, parser.error_log, raw) from error
    # In plain UTF-8 a DOCTYPE cannot hide; to ask the tree costs a tenth of the parsing.
    if (b"!" in raw and b"<!DOCTYPE" in raw) or not _IS_PLAIN_UTF8.match(raw):
        refuse_doctype(root)
    if raw.count(b"=") > limits.attributes:
        refuse_crowd(root, limits)
    return root


def empty() -> Unreadable:
    """Say that there is nothing to read."""
    return _unreadable("xml-empty", "The body is empty.", "Send one RequestMessage, ResponseMessage or EventMessage.")


def too_large(size: int, limits: Limits) -> Unreadable:
    """Say that a message has more bytes than may be read."""
    return _unreadable(
        "message-too-large",
        f"The message has {size:,} bytes; at most {limits.message_bytes:,} are read.",
        "Send the data in several messages, or compressed (Payload/Compressed, gzip then base64).",
        found=f"{size} bytes",
    )


def part_too_large(element: etree._Element, limits: Limits) -> Unreadable:
    """Say that a document that is judged in parts has one that is too large."""
    name = local_name(element)
    return _unreadable(
        "message-too-large",
        f"More than {limits.message_bytes:,} bytes come in one piece that can only be judged as a whole, in {name}.",
        f"Divide what is large in {name}, or send it in several messages.",
        line=element.sourceline,
        element=name,
    )


def refuse_doctype(root: etree._Element) -> None:
    """Raise `Unreadable` for a document with a DOCTYPE.

    It is looked for in the tree, not in the bytes: an UTF-16 document would slip past a search for it.
    """
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()


def refuse_crowd(element: etree._Element, limits: Limits) -> None:
    """Raise `Unreadable` where an element, or one inside it, has too many attributes."""
    if not _IS_CROWDED(element, limit=limits.attributes):
        return
    crowded = _CROWDED(element, limit=limits.attributes)
    if isinstance(crowded, list) and crowded and isinstance(found := crowded[0], etree._Element):
        raise _unreadable(
            "xml-attributes",
            f"An element has {len(found.attrib)} attributes; at most {limits.attributes} are read.",
            "No element of the standard's messages has more than four attributes.",
            line=found.sourceline,
        )


def _unreadable(
    rule: str,
    text: str,
    advice: str,
    *,
    line: int | None = None,
    column: int | None = None,
    element: str = "",
    found: str = "",
) -> Unreadable:
    code = ReplyCode.SCHEMA_VALIDATION_FAILED
    return Unreadable(Finding(rule, code, text, advice, line=line, column=column, element=element, found=found))


def _doctype() -> Unreadable:
    return _unreadable(
        "xml-doctype",
        "The document has a DOCTYPE; entities and external DTDs are never read.",
        "Leave the DOCTYPE out; write characters instead of entity references.",
        line=1,
    )


def not_well_formed(error: etree.XMLSyntaxError | None, log: Iterable[etree._LogEntry], start: bytes) -> Unreadable:
    """Tell what is wrong with bytes that are no XML, from the parser's own log and how the document starts.

    The error's own log is the whole thread's: it holds what was said of earlier documents too.
    """
    if _HAS_DOCTYPE.match(start):  # it can be the cause (entities that grow), and is to be named first in any case
        return _doctype()
    entry = next(iter(log), None)  # the cause; those after it are its consequences
    reason, line, offset = str(error), None, None
    if entry is not None:
        reason, line, offset = entry.message.strip(), entry.line, entry.column - 1  # it stands behind what it has read
    elif error is not None:
        line, offset = error.lineno, error.offset
    line = line or None
    if "xcessive depth" in reason:
        return _unreadable(
            "xml-depth",
            f"Elements nest deeper than {DEPTH_LIMIT}.",
            "No message of the standard nests deeper than about 20 elements.",
            line=line,
        )
    where = f"line {line or 1}" + (f", column {offset}" if offset else "")
    return _unreadable(
        "xml-not-well-formed",
        f"The document is not well-formed XML: {reason} ({where}).",
        "Check the encoding named in the XML declaration, that every element is closed, and that & and < are escaped.",
        line=line,
        column=offset or None,
    )
