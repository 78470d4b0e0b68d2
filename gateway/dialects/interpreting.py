"""From bytes to a message as the standard has it, whatever the dialect of its source."""

from dataclasses import dataclass, replace

from lxml import etree

from gateway.dialects.dialect import STRICT, Dialect, Dialects
from gateway.dialects.repairs import repair_header, repair_root
from gateway.dialects.translation import translate_namespaces, translate_nouns
from gateway.message import DEFAULT_LIMITS, Limits, Message, Severity
from gateway.message.namespaces import SOAP_NAMESPACES
from gateway.message.parsing import parse
from gateway.message.places import local_name, tag_of
from gateway.message.reading import message_of
from gateway.message.speech import Speech
from gateway.validation.rules import Site
from gateway.validation.wording import namespace


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Reads messages, each in the dialect of its source. Without dialects it reads as `gateway.message.read` does."""

    dialects: Dialects
    site: Site
    limits: Limits = DEFAULT_LIMITS

    def read(self, raw: bytes) -> Message:
        """Read one message; what was mended in it is told by its `repairs`. Raises `Unreadable`."""
        document = parse(raw, self.limits)
        if not self.has_dialect(document):
            return message_of(raw, document)
        return interpret(raw, document, self.dialects.of(_source(document)), self.site)

    def has_dialect(self, document: etree._Element) -> bool:
        """Tell whether the source of a document has a dialect, so that the document cannot be read as it is."""
        return bool(self.dialects) and self.dialects.of(_source(document)) is not STRICT


def interpret(raw: bytes, document: etree._Element, dialect: Dialect, site: Site) -> Message:
    """Read a document as its dialect has it: the tree is mended in place, and written anew where that was needed.

    Raises `Unreadable` where it is no message even so.
    """
    pairs, repairs = translate_namespaces(document, dialect)
    document, undone, found = repair_root(document, dialect)
    repairs += found
    message = message_of(raw, document)
    nouns, found = translate_nouns(message, dialect)
    if found:
        repairs += found
        message = message_of(raw, document)
    header_nouns, found = repair_header(message, dialect, site)
    repairs += found
    if not repairs:
        return message
    speech = Speech(
        namespaces=dialect.namespaces.also(pairs),
        nouns=(*header_nouns, *nouns, *dialect.nouns.items()),
        typed=undone.typed,
        soap=undone.soap,
    )
    etree.cleanup_namespaces(document)
    mended = etree.tostring(document, xml_declaration=True, encoding="UTF-8", with_tail=False)
    told = tuple(replace(repair, severity=Severity.REPAIRED) for repair in repairs)
    return replace(message_of(mended, document), repairs=told, speech=speech)


def _source(document: etree._Element) -> str:
    """Find Header.Source by name alone: the namespace may be one that only the dialect knows."""
    for header in document.iter("{*}Header"):
        if namespace(tag_of(header)) in SOAP_NAMESPACES:
            continue
        for child in header:
            if local_name(child) == "Source":
                return (child.text or "").strip()
        break  # what is called Header further down is not the message's
    return ""
