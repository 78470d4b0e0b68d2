"""What the rules know of the gateway they run in."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.message import Finding, Message

NOTHING: Final[tuple[Finding, ...]] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """The nouns and Get profiles whose schemas are installed, and the context in which this gateway runs, if any.

    `cancel_of_get`: a cancel may name a get by its CorrelationID (Annex M, the pattern that is not recommended).
    """

    nouns: AbstractSet[str]
    profiles: AbstractSet[str]
    context: str | None = None
    cancel_of_get: bool = False


def header_place(message: Message, name: str) -> etree._Element:
    """Give the header's element of that name; the header, or the root, where there is none."""
    prefix = message.version.prefix
    header = message.root.find(prefix + "Header")
    if header is None:
        return message.root
    element = header.find(prefix + name)
    return header if element is None else element
