"""Takes personal data out of a message before it is kept: what the masks lead to is replaced by a fixed mark.

What is masked, and how:
- an element: its texts, those of its children, and all their attributes but those of XML Schema (`xsi:`);
- an attribute: its value;
- everywhere in the document: payloads, the parameters of a request, replies, the header, each operation of an
  OperationSet by its own noun, and the document inside Compressed, which is packed again;
- free texts of the envelope (Comment, values of properties and options, what errors say) where they quote a value;
- comments and processing instructions: they are dropped, because nobody can say what they hold.

The result is UTF-8, whatever the message was; layout stays. It need not be valid by its schema any more. What cannot
be read is not kept at all. A message that no mask is for stays as it is, byte for byte.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from gateway.message.blanking import MARK, blank
from gateway.message.compression import CompressionError, compress, decompress, is_xml
from gateway.message.findings import Unreadable
from gateway.message.mask_paths import ANY_NAME, EVERY_NOUN, MaskPath, Masks, in_scope, nouns_of
from gateway.message.parsing import DEFAULT_LIMITS, Limits, parse
from gateway.message.places import local_name

_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_FREE_TEXTS: Final = frozenset(
    {"Comment", "UserID", "Organization", "Value", "value", "reason", "details", "xpath", "stackTrace", "name", "mRID"}
)
_QUOTING: Final = ("{*}Header", "{*}Error", "{*}Option")


@dataclass(frozen=True, slots=True)
class Redacted:
    """What may be kept of a message.

    `body` is None where nothing may be kept, because it could not be read: `size` (bytes) and `sha256` of what came
    are all that stays then, and `why` says so, for people. `values` are the texts that were masked, to be taken out of
    whatever is said about the message (`blanking.blank`). `sealed` tells that Compressed could not be looked into, so
    that the mark stands in its place.
    """

    body: bytes | None
    size: int
    values: frozenset[str] = frozenset()
    sealed: bool = False
    sha256: str = ""
    why: str = ""


def redact(raw: bytes, masks: Masks, *, noun: str = "", limits: Limits = DEFAULT_LIMITS) -> Redacted:
    """Give a message without what the masks lead to. `noun` is that of the header, where the caller knows it better.

    Nothing of a message is trusted: a strange envelope or noun, SOAP around it, or a header that the payload
    contradicts, keep no value from being masked.
    """
    if not masks:
        return Redacted(raw, len(raw))
    try:
        root = parse(raw, limits, as_laid_out=True)
    except Unreadable as error:
        why = f"Not kept: personal data is masked here, and this cannot be read ({error.finding.rule})."
        return Redacted(None, len(raw), sha256=hashlib.sha256(raw).hexdigest(), why=why)
    work = _Work(masks, limits)
    work.mask(root, noun or (root.findtext(".//{*}Header/{*}Noun") or "").strip())
    body = _written(root) if work.concerned else raw
    return Redacted(body, len(raw), frozenset(work.values), work.sealed)


class _Work:
    """The masking of one document, and of the one inside it."""

    def __init__(self, masks: Masks, limits: Limits, *, inside: bool = False) -> None:
        self._masks = masks
        self._limits = limits
        self._inside = inside
        self.values: set[str] = set()
        self.sealed = False
        self.concerned = False

    def mask(self, root: etree._Element, noun: str) -> None:
        for compressed in list(root.iter("{*}Compressed")):
            parent = compressed.getparent()
            if parent is not None and local_name(parent) == "Payload" and (compressed.text or "").strip():
                self._open(compressed, parent.findtext("{*}Format"), noun)
        paths = list(self._masks.within(noun, nouns_of(root, self._masks)))
        if paths:
            self.concerned = True
            self._mask_paths(root, paths)
        if self.values:
            for part in root.iter(*_QUOTING):
                self._blank_quotes(part)

    def _mask_paths(self, root: etree._Element, paths: Sequence[tuple[str, MaskPath]]) -> None:
        by_name: dict[str, list[tuple[str, MaskPath]]] = {}
        for owner, path in paths:
            by_name.setdefault(path.last, []).append((owner, path))
        anything = by_name.pop(ANY_NAME, [])
        names = ["{*}*"] if anything else [f"{{*}}{name}" for name in by_name]
        scope = {noun for noun, _ in paths} - {EVERY_NOUN}
        found = [
            (path, element)
            for element in root.iter(*names)
            for owner, path in (*by_name.get(local_name(element), ()), *anything)
            if path.takes(element) and (owner not in scope or in_scope(element, owner))
        ]
        # All are found before the first is masked: the noun of an operation may be masked too, and is asked for.
        for path, element in found:
            self._apply(path, element)

    def _apply(self, path: MaskPath, element: etree._Element) -> None:
        if path.attribute:
            for name in element.attrib:
                if str(name).rpartition("}")[2] == path.attribute:
                    self._mask_attribute(element, str(name))
            return
        for inner in element.iter():
            inner.text = self._masked(inner.text)
            for name in inner.attrib:
                if not str(name).startswith(_XSI):
                    self._mask_attribute(inner, str(name))
            if inner is not element:
                inner.tail = self._masked(inner.tail)

    def _mask_attribute(self, element: etree._Element, name: str) -> None:
        masked = self._masked(element.get(name))
        if masked is not None:
            element.set(name, masked)

    def _masked(self, text: str | None) -> str | None:
        if text is None or not text.strip() or text == MARK:
            return text
        self.values.add(text.strip())
        return MARK

    def _open(self, compressed: etree._Element, payload_format: str | None, noun: str) -> None:
        """Mask the document inside. What cannot be opened might hold anything; one inside another is not opened."""
        readable = is_xml(payload_format)
        if not readable and not any(self._masks.within(noun)):
            return
        root = self._opened(compressed.text or "") if readable and not self._inside else None
        if root is None:
            compressed.text = MARK
            self.sealed = self.concerned = True
            return
        inner = _Work(self._masks, self._limits, inside=True)
        inner.mask(root, noun)
        self.values |= inner.values
        self.sealed |= inner.sealed
        if inner.concerned:
            self.concerned = True
            compressed.text = compress(_written(root))

    def _opened(self, text: str) -> etree._Element | None:
        wide = replace(self._limits, message_bytes=self._limits.decompressed_bytes)
        try:
            return parse(decompress(text, self._limits), wide, as_laid_out=True)
        except (CompressionError, Unreadable):  # what becomes of it is told by `sealed`
            return None

    def _blank_quotes(self, part: etree._Element) -> None:
        for element in part.iter():
            if element.text and local_name(element) in _FREE_TEXTS:
                element.text = blank(element.text, self.values)


def _written(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", with_tail=False)
