"""What Payload.Compressed holds: opened within limits, and judged like a payload where it is XML."""

from dataclasses import replace
from typing import Final

from lxml import etree

from gateway.message import Finding, Limits, Message, Unreadable
from gateway.message.compression import CompressionError, decode, decompress, is_xml
from gateway.message.nouns import agrees_with
from gateway.message.parsing import parse
from gateway.message.places import local_name
from gateway.validation.registry import (
    COMPRESSED_BASE64,
    COMPRESSED_BOMB,
    COMPRESSED_GZIP,
    COMPRESSED_XML,
    NOUN_OF_PAYLOAD,
    Rule,
)

_RULES: Final[dict[str, tuple[Rule, str]]] = {
    rule.id: (rule, advice)
    for rule, advice in (
        (COMPRESSED_BASE64, "Write base64 in the usual alphabet (A to Z, a to z, 0 to 9, + and /), with padding."),
        (
            COMPRESSED_GZIP,
            "Compress the document with gzip, then encode it in base64; write the format BINARY if it is neither.",
        ),
        (COMPRESSED_BOMB, "Send the data in several messages."),
    )
}


def compressed_element(message: Message) -> etree._Element | None:
    """Give the Compressed of a message, if it has one."""
    if message.payload is None or message.content:
        return None
    return message.payload.find(f"{message.version.prefix}Compressed")


def opened(
    message: Message, element: etree._Element, limits: Limits
) -> tuple[etree._Element | None, int, list[Finding]]:
    """Open Compressed: the root of the document in it with its size in bytes, and what is wrong with it.

    The root is None where the format is none that can be judged, or where the content could not be read.
    """
    prefix = message.version.prefix
    payload_format = None if message.payload is None else message.payload.findtext(prefix + "Format")
    text = element.text or ""
    try:
        if payload_format is not None and payload_format.strip().upper() == "BINARY":
            decode(text)
            return None, 0, []
        document = decompress(text, limits)
    except CompressionError as error:
        rule, advice = _RULES[error.rule]
        return None, 0, [rule.finding(element, str(error), advice)]
    if not is_xml(payload_format):
        return None, 0, []
    try:
        root = parse(document, replace(limits, message_bytes=limits.decompressed_bytes))
    except Unreadable as error:
        inner = error.finding
        return None, 0, [COMPRESSED_XML.finding(element, f"Inside Compressed: {inner.text}", inner.advice)]
    return root, len(document), _noun(message, element, root)


def _noun(message: Message, element: etree._Element, root: etree._Element) -> list[Finding]:
    noun, name = message.header.noun, local_name(root)
    if agrees_with(noun, etree.QName(root)):
        return []
    text = f"The header's noun is {noun}, but the document inside Compressed has the root {name}."
    advice = f"Compress {noun}, in its own namespace, or name {name} as the noun."
    return [NOUN_OF_PAYLOAD.finding(element, text, advice, found=name, allowed=(noun,))]


def placed(finding: Finding, element: etree._Element, outer_xpath: str) -> Finding:
    """Give the place of a finding inside Compressed as the message's sender sees it: the element, then where in it."""
    text = f"Inside Compressed, at {finding.xpath} (line {finding.line} there): {finding.text}"
    return replace(finding, text=text, xpath=outer_xpath, line=element.sourceline)
