"""Laying the payloads of several replies into one."""

from collections.abc import Sequence
from copy import deepcopy

from lxml import etree

from gateway.message.places import tag_of


class NotMergeable(ValueError):  # noqa: N818 - says what the roots are
    """The payloads have no root in common; the replies are handed on one by one instead."""


def merged(roots: Sequence[etree._Element]) -> etree._Element:
    """Give one root with the children of all, those of one name together; the roots themselves stay as they are.

    The order of names is that of the parts: one that is new in a part goes before the one that follows it there.
    Raises `NotMergeable` where there is no root, or where their names differ.
    """
    if len({root.tag for root in roots}) != 1:
        names = ", ".join(sorted({tag_of(root) for root in roots})) or "nothing"
        raise NotMergeable(f"Payloads of different kinds cannot be laid into one: {names}.")
    groups: dict[str, list[etree._Element]] = {}
    order: list[str] = []
    for root in roots:
        for child in root:
            groups.setdefault(tag_of(child), []).append(child)
        _enter(order, list(dict.fromkeys(tag_of(child) for child in root)))
    whole: etree._Element = etree.Element(tag_of(roots[0]), nsmap=roots[0].nsmap)
    for root in roots:
        for name, value in root.attrib.items():
            if name not in whole.attrib:
                whole.set(name, value)
    for tag in order:
        for child in groups[tag]:
            copied = deepcopy(child)
            copied.tail = None
            whole.append(copied)
    return whole


def _enter(order: list[str], names: list[str]) -> None:
    """Enter the names of one part, each new one before the next that is known."""
    place = len(order)
    for name in reversed(names):
        if name in order:
            place = order.index(name)
        else:
            order.insert(place, name)
