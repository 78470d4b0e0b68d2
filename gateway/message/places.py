"""Where an element stands, in words a person can follow."""

from operator import attrgetter
from typing import TYPE_CHECKING, Final, cast

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable


def xpath_of(element: etree._Element) -> str:
    """Give a readable XPath from the document's root: local names, and an index where siblings share the name."""
    steps: list[str] = []
    current: etree._Element | None = element
    while current is not None:
        steps.append(_step(current))
        current = current.getparent()
    return "/" + "/".join(reversed(steps))


tag_of: Final = cast("Callable[[etree._Element], str]", attrgetter("tag"))
"""Give an element's name as `{namespace}local`; comments and instructions never reach us, so it is text.

Asked a dozen times of every message: made in C, because a function of ours would cost three times as much.
"""


def local_name(element: etree._Element) -> str:
    """Give an element's name without its namespace."""
    return tag_of(element).rpartition("}")[2]


def _step(element: etree._Element) -> str:
    name, tag = local_name(element), tag_of(element)
    before = len(list(element.itersiblings(tag, preceding=True)))
    if before == 0 and next(element.itersiblings(tag), None) is None:
        return name
    return f"{name}[{before + 1}]"
