"""Explains a fault in the content of an element: what is missing, misspelt, misplaced, repeated or foreign."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from lxml import etree

from gateway.codes import ReplyCode
from gateway.message import Finding
from gateway.message.places import local_name, tag_of, xpath_of
from gateway.validation.faults import Fault
from gateway.validation.particles import OTHER, Content, Slot
from gateway.validation.strangers import Homes, stranger
from gateway.validation.wording import listed, local, plain

RULE: Final = "cvc-complex-type.2.4"

_EXPECTED: Final = re.compile(r"Expected is (?:one of )?\( (.*) \)")
_WRONG: Final = ReplyCode.SCHEMA_VALIDATION_FAILED
_MANY: Final = 9
"""So many strangers are told after the first one in an element."""


def content_findings(
    fault: Fault, content_of: Callable[[etree._Element], Content | None], homes: Homes, missing_code: ReplyCode
) -> Iterator[Finding]:
    """Give a finding for what stands in the wrong place, one for each stranger after it, one for all that is missing.

    libxml2 stops at the first fault in an element. `content_of` tells what may stand in an element, `homes` where else
    in the profile a name belongs; `missing_code` is the reply code for what is missing.
    """
    above = fault.element.getparent()
    parent, intruder = fault.element, None
    if above is not None and not fault.text.startswith("Missing child"):
        parent, intruder = above, fault.element
    content = content_of(parent)
    expected = _expected(fault.text)
    if content is None:
        yield _without_model(fault, expected, missing_code)
        return
    tags = [tag_of(child) for child in parent]
    missing = [content.slots[number] for number in content.missing(tags)] if content.ordered or intruder is None else []
    if intruder is not None:
        for element in (intruder, *_strangers_after(intruder, content)):
            allowed = expected if element is intruder else ()
            finding, instead_of = _intruder(element, parent, content, missing, allowed, homes)
            missing = [slot for slot in missing if instead_of not in slot.names]
            if finding is not None:
                yield finding
    if missing:
        yield _missing(parent, tags, content, missing, missing_code)


def _strangers_after(intruder: etree._Element, content: Content) -> Iterator[etree._Element]:
    if any(OTHER in slot.names for slot in content.slots):
        return iter(())
    strangers = (sibling for sibling in intruder.itersiblings() if content.slot_of(tag_of(sibling)) is None)
    return islice(strangers, _MANY)


def _intruder(
    element: etree._Element,
    parent: etree._Element,
    content: Content,
    missing: Sequence[Slot],
    expected: tuple[str, ...],
    homes: Homes,
) -> tuple[Finding | None, str]:
    """Tell what is wrong with an element that was not expected; and which name it seems to stand for."""
    tag = tag_of(element)
    number = content.slot_of(tag)
    if number is None:
        unknown = stranger(element, parent, content, missing, expected, homes)
        return _finding(element, unknown.text, unknown.advice, expected), unknown.meant
    later = [child for child in element.itersiblings(preceding=True) if (content.slot_of(tag_of(child)) or 0) > number]
    if later:
        name = local_name(later[-1])
        return _finding(
            element,
            f"{local(tag)} stands after {local_name(later[0])}, out of order.",
            f"Move {local(tag)} before {name}: the order of the elements is fixed.",
            expected,
        ), ""
    slot = content.slots[number]
    other = next((tag_of(e) for e in element.itersiblings(preceding=True) if tag_of(e) in slot.names), tag)
    if slot.either and other != tag:
        names = [local(name) for name in slot.names]
        return _finding(
            element,
            f"{local_name(parent)} may hold only one of {listed(names)}; {local(other)} is there already.",
            f"Take {local(tag)} or {local(other)} out.",
            expected,
        ), ""
    maximum = 1 if slot.either else slot.maximum
    if maximum is not None and sum(1 for _ in element.itersiblings(tag, preceding=True)) >= maximum:
        return _finding(
            element,
            f"{local_name(parent)} may hold {local(tag)} {'once' if maximum == 1 else f'{maximum} times'}; "
            "here it stands once more.",
            f"Write {local(tag)} {'once' if maximum == 1 else f'at most {maximum} times'}.",
            expected,
        ), ""
    behind = [child for child in element.itersiblings() if _belongs_before(content, tag_of(child), number)]
    if behind:
        name = local_name(behind[0])
        return _finding(
            element,
            f"{local(tag)} stands before {name}, out of order.",
            f"Move {name} before {local(tag)}: the order of the elements is fixed.",
            expected,
        ), ""
    if missing:
        return None, ""  # it was not expected only because something before it is missing
    return _finding(
        element,
        f"{local(tag)} is not allowed here, next to what stands before it.",
        f"Write {listed(expected, 'or')} here, or take {local(tag)} out." if expected else f"Take {local(tag)} out.",
        expected,
    ), ""


def _belongs_before(content: Content, tag: str, number: int) -> bool:
    own = content.slot_of(tag)
    return own is not None and own < number and content.slots[own].required


def _missing(
    parent: etree._Element, tags: Sequence[str], content: Content, missing: Sequence[Slot], code: ReplyCode
) -> Finding:
    names = [_slot_name(slot) for slot in missing]
    places = [f"{name} {_where(slot, tags, content)}" for name, slot in zip(names, missing, strict=True)]
    return Finding(
        RULE,
        code,
        f"{local_name(parent)} lacks {listed(names)}.",
        f"Add {listed(places)}.",
        xpath=xpath_of(parent),
        line=parent.sourceline,
        element=local_name(parent),
        allowed=tuple(local(name) for slot in missing for name in slot.names if name != OTHER),
    )


def _slot_name(slot: Slot) -> str:
    return listed([local(name) if name != OTHER else "an element of another namespace" for name in slot.names], "or")


def _where(slot: Slot, tags: Sequence[str], content: Content) -> str:
    """Tell where a missing element goes: after the last of those before it, else before the first after it."""
    number = content.slots.index(slot)
    present = [(own, tag) for tag in tags if (own := content.slot_of(tag)) is not None]
    before = [(own, tag) for own, tag in present if own < number]
    if before:
        return f"after {local(max(before)[1])}"
    after = [(own, tag) for own, tag in present if own > number]
    return f"before {local(min(after)[1])}" if after else "in it"


def _without_model(fault: Fault, expected: tuple[str, ...], missing_code: ReplyCode) -> Finding:
    """Say what libxml2 says, where no model of the schema could be built."""
    advice = f"Write {listed(expected, 'or')} here." if expected else ""
    if fault.text.startswith("Missing child"):
        element = fault.element
        return Finding(
            RULE,
            missing_code,
            f"{local_name(element)} lacks {listed(expected, 'or') if expected else 'an element'}.",
            advice,
            xpath=xpath_of(element),
            line=element.sourceline,
            element=local_name(element),
            allowed=expected,
        )
    sentence = plain(fault.text).partition(" Expected is")[0]
    return _finding(fault.element, f"{local_name(fault.element)}: {sentence}", advice, expected)


def _finding(element: etree._Element, text: str, advice: str, expected: tuple[str, ...]) -> Finding:
    name = local_name(element)
    return Finding(
        RULE, _WRONG, text, advice, xpath=xpath_of(element), line=element.sourceline, element=name, allowed=expected
    )


def _expected(text: str) -> tuple[str, ...]:
    match = _EXPECTED.search(text)
    if match is None:
        return ()
    names = (name.strip() for name in match[1].split(", "))
    return tuple("an element of another namespace" if name.startswith("##") else local(name) for name in names)
