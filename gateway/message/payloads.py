"""The payload of a message as one tree, whether it was compressed or not."""

from typing import Final

from lxml import etree

from gateway.message.compression import CompressionError, decompress, is_xml
from gateway.message.envelope import Message
from gateway.message.findings import Unreadable
from gateway.message.parsing import DEFAULT_LIMITS, Limits, parse

_UNPACKED: Final = Limits(message_bytes=DEFAULT_LIMITS.decompressed_bytes)


def whole_payload(message: Message) -> etree._Element | None:
    """Give the payload to look for something in: what was compressed is unpacked."""
    payload = message.payload
    return payload if payload is None or message.content else _unpacked(message, payload)


def _unpacked(message: Message, payload: etree._Element) -> etree._Element:
    prefix = message.version.prefix
    compressed = payload.findtext(prefix + "Compressed")
    if compressed is None or not is_xml(payload.findtext(prefix + "Format")):
        return payload
    try:
        return parse(decompress(compressed), _UNPACKED)
    except (CompressionError, Unreadable):  # validation refuses such a message; here there is nothing in it
        return payload
