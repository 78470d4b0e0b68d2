"""From a fault that lxml found to findings that tell the sender what to change."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.codes import ReplyCode
from gateway.message import Finding, Message
from gateway.message.nouns import profile_namespace
from gateway.message.places import local_name, tag_of, xpath_of
from gateway.validation.faults import Fault
from gateway.validation.order import content_findings
from gateway.validation.particles import Content
from gateway.validation.rules.nouns import unlisted_noun
from gateway.validation.rules.verbs import unlisted_verb
from gateway.validation.schemas import SchemaSet
from gateway.validation.wording import listed, local, namespace, nearest, plain, shortened

_QUOTED: Final = re.compile(r"'([^']*)'")
_TYPE: Final = re.compile(r"type '([^']*)'\.$")
_FACET: Final = re.compile(r"^\[facet '[^']*'\] ")

_HOW_TO_WRITE: Final = {
    "xs:dateTime": "Write date, T, time and offset, such as 2024-03-01T14:30:00Z or 2024-03-01T15:30:00+01:00.",
    "xs:date": "Write year, month and day, such as 2024-03-01.",
    "xs:boolean": "Write true or false.",
    "xs:integer": "Write a whole number in digits, without a unit.",
    "xs:float": "Write a number with a point, such as 12.5, without a unit.",
    "xs:decimal": "Write a number with a point, such as 12.5, without a unit.",
    "xs:QName": "Write one qualified name; a path with slashes goes into details.",
}
_MISSING_CODES: Final = {
    "Header": ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING,
    "Request": ReplyCode.MANDATORY_REQUEST_ELEMENTS_MISSING,
    "Payload": ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING,
}
_WRONG: Final = ReplyCode.SCHEMA_VALIDATION_FAILED
_WORD: Final = re.compile(r"^SCHEMAV_|_(?=\d)")
_FACETS: Final = re.compile(r"(?<=^cvc-)(min|max|total|fraction)(length|inclusive|exclusive|digits)(?=-valid)")


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains the faults below one validated root, with the object model of its schema.

    `part` names the part of the message in which the whole tree stands, where the tree itself does not show it: what
    came out of Compressed is a document of its own.
    """

    message: Message
    schemas: SchemaSet
    root: etree._Element
    part: str = ""

    def explain(self, fault: Fault) -> Iterator[Finding]:
        """Give the findings for one fault; one, or two where something is misplaced and something else is missing."""
        if fault.kind == "SCHEMAV_ELEMENT_CONTENT":
            yield from content_findings(fault, self._content_of, self._missing_code(fault))
        elif fault.kind == "SCHEMAV_CVC_ELT_1":
            yield from undeclared(fault.element, self.schemas)
        elif fault.kind == "SCHEMAV_CVC_ENUMERATION_VALID":
            yield self._not_in_list(fault)
        elif fault.kind == "SCHEMAV_CVC_COMPLEX_TYPE_4":
            yield _finding(fault, self._missing_code(fault), advice=f"Write the attribute {local(fault.attribute)}.")
        else:
            yield _finding(fault, _WRONG, advice=_advice(fault) or self._how_to_write(fault))

    def _content_of(self, element: etree._Element) -> Content | None:
        model = self.schemas.model(namespace(tag_of(self.root)))
        return None if model is None else model.content(self._path_of(element))

    def _how_to_write(self, fault: Fault) -> str:
        match = _TYPE.search(fault.text)
        if match is None:
            return ""
        named = match[1]
        model = self.schemas.model(namespace(tag_of(self.root)))
        if named not in _HOW_TO_WRITE and model is not None and not fault.attribute:
            named = model.builtin(self._path_of(fault.element)) or named
        return _HOW_TO_WRITE.get(named, f"Write a value of the type {plain(named)}.")

    def _path_of(self, element: etree._Element) -> list[str]:
        path = [tag_of(element)]
        current: etree._Element | None = element
        while current is not None and current is not self.root:
            current = current.getparent()
            if current is not None:
                path.append(tag_of(current))
        return path[::-1]

    def _missing_code(self, fault: Fault) -> ReplyCode:
        element = (
            fault.element if fault.text.startswith("Missing child") or fault.attribute else fault.element.getparent()
        )
        part = self.part
        while not part and element is not None and element is not self.message.root:
            parent = element.getparent()
            if parent is self.message.root:
                part = local_name(element)
            element = parent
        return _MISSING_CODES.get(part, _WRONG)

    def _not_in_list(self, fault: Fault) -> Finding:
        element = fault.element
        parent = element.getparent()
        if not fault.attribute and parent is not None and tag_of(parent) == self._name("Header"):
            if tag_of(element) == self._name("Verb"):
                return unlisted_verb(self.message, element, _allowed(fault))
            if tag_of(element) == self._name("Noun"):
                return unlisted_noun(self.message, element, _allowed(fault))
        found, allowed = _found(fault), _allowed(fault)
        close = nearest(found, allowed)
        what = f"The attribute {local(fault.attribute)}" if fault.attribute else local_name(element)
        advice = f"Write {close}." if close else f"Write {listed(allowed, 'or')}."
        return _finding(
            fault, _WRONG, text=f"{what} is '{found}', which is not in the list.", advice=advice, allowed=allowed
        )

    def _name(self, name: str) -> str:
        return f"{{{self.message.version.namespace}}}{name}"


def undeclared(root: etree._Element, schemas: SchemaSet) -> tuple[Finding, ...]:
    """Tell that no schema declares a root: its name or its namespace is wrong."""
    name, space = local_name(root), namespace(tag_of(root))
    installed = [f"'{other}'" for other in schemas.namespaces_of(name) if other != space]
    if installed:
        advice = f"Write {name} in the namespace {listed(installed, 'or')}."
    else:
        advice = f"Check the name; the namespace of {name} would be '{profile_namespace(name)}'."
    where = f"the namespace '{space}'" if space else "no namespace"
    text = f"No schema has the root {name} in {where}."
    return (_finding(Fault(root, "SCHEMAV_CVC_ELT_1", ""), _WRONG, text=text, advice=advice),)


def constraint_of(kind: str) -> str:
    """Give the name that W3C's XML Schema gives to a constraint, from that of libxml2's error."""
    name = _WORD.sub(lambda match: "." if match[0] == "_" else "", kind).replace("_", "-").lower()
    return _FACETS.sub(lambda match: match[1] + match[2].capitalize(), name)


def _finding(
    fault: Fault, code: ReplyCode, *, text: str = "", advice: str = "", allowed: tuple[str, ...] = ()
) -> Finding:
    element = fault.element
    return Finding(
        constraint_of(fault.kind),
        code,
        text or f"{local_name(element)}: {_FACET.sub('', plain(fault.text))}",
        advice,
        xpath=xpath_of(element) + (f"/@{local(fault.attribute)}" if fault.attribute else ""),
        line=element.sourceline,
        element=local_name(element),
        found=_found(fault),
        allowed=allowed,
    )


def _found(fault: Fault) -> str:
    if fault.attribute:
        return shortened(fault.element.get(fault.attribute))
    return shortened(fault.element.text)


def _allowed(fault: Fault) -> tuple[str, ...]:
    return tuple(_QUOTED.findall(fault.text.partition("set {")[2]))


def _advice(fault: Fault) -> str:
    if fault.kind in ("SCHEMAV_CVC_TYPE_3_1_1", "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1", "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2"):
        return f"Take the attribute {local(fault.attribute)} out."
    if fault.kind in ("SCHEMAV_CVC_TYPE_3_1_2", "SCHEMAV_CVC_COMPLEX_TYPE_2_2"):
        return "Write text alone; take the elements inside it out."
    if fault.kind == "SCHEMAV_CVC_COMPLEX_TYPE_2_3":
        return "Take the text between the elements out."
    if fault.kind == "SCHEMAV_CVC_COMPLEX_TYPE_2_1":
        return "Leave it empty; a reference is written as the attribute ref."
    return ""
