"""From a fault that lxml found to findings that tell the sender what to change."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from gateway.validation.wrong_values import not_listed, out_of_limits, wrong_type

if TYPE_CHECKING:
    from gateway.validation.declarations import Element, Value
    from gateway.validation.models import Model

_QUOTED: Final = re.compile(r"'([^']*)'")
_UNKNOWN_ATTRIBUTE: Final = frozenset(
    {"SCHEMAV_CVC_TYPE_3_1_1", "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1", "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2"}
)
_TEXT_ALONE: Final = ("{0} holds elements, but only a text may stand in it.", "Write <{0}>text</{0}>.")
_FORMS: Final = {
    "SCHEMAV_CVC_TYPE_3_1_2": _TEXT_ALONE,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": _TEXT_ALONE,
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": ("{0} must be empty.", "Write <{0}/>, without text or elements in it."),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": (
        "{0} holds text beside its elements.",
        "Take the text out, or put it into the element where it belongs.",
    ),
    "SCHEMAV_CVC_ELT_3_1": (
        "{0} has the attribute xsi:nil, which its schema does not allow.",
        "Leave {0} out where there is no value; where it must be there, write one.",
    ),
    "SCHEMAV_CVC_ELT_3_2_1": (
        "{0} has the attribute xsi:nil and holds something.",
        "Take xsi:nil out, or the content.",
    ),
}
_FACET: Final = re.compile(r"^\[facet '[^']*'\] ")

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
        kind = fault.kind
        if kind == "SCHEMAV_ELEMENT_CONTENT":
            yield from content_findings(fault, self._content_of, self._homes, self._missing_code(fault))
        elif kind == "SCHEMAV_CVC_ELT_1":
            yield from undeclared(fault.element, self.schemas)
        elif kind == "SCHEMAV_CVC_ENUMERATION_VALID":
            yield self._not_in_list(fault)
        elif kind == "SCHEMAV_CVC_COMPLEX_TYPE_4":
            yield self._attribute_missing(fault)
        elif kind in _UNKNOWN_ATTRIBUTE:
            yield self._attribute_unknown(fault)
        elif kind.startswith("SCHEMAV_CVC_DATATYPE_VALID") or _FACET.match(fault.text):
            yield self._wrong_value(fault)
        else:
            yield self._wrong_form(fault)

    def _model(self) -> "Model | None":
        return self.schemas.model(namespace(tag_of(self.root)))

    def _content_of(self, element: etree._Element) -> Content | None:
        model = self._model()
        return None if model is None else model.content(self._path_of(element))

    def _homes(self, parent: etree._Element, name: str) -> tuple[str, ...]:
        model = self._model()
        return () if model is None else model.homes(self._path_of(parent), name)

    def _declared(self, element: etree._Element) -> "Element | None":
        model = self._model()
        return None if model is None else model.element(self._path_of(element))

    def _attributes(self, element: etree._Element) -> tuple[str, ...]:
        declared = self._declared(element)
        return () if declared is None else tuple(local(item.name) for item in declared.type.attributes)

    def _value(self, fault: Fault) -> "Value | None":
        declared = self._declared(fault.element)
        if declared is None:
            return None
        if not fault.attribute:
            return declared.type.value
        names = {attribute.name: attribute.value for attribute in declared.type.attributes}
        return names.get(fault.attribute)

    def _attribute_missing(self, fault: Fault) -> Finding:
        quoted = _QUOTED.search(fault.text)
        name = local(quoted[1]) if quoted is not None else ""
        text = f"{local_name(fault.element)} lacks the attribute {name}."
        advice = f'Write {name}="..." in {local_name(fault.element)}.'
        return _finding(fault, self._missing_code(fault), text=text, advice=advice, allowed=(name,))

    def _attribute_unknown(self, fault: Fault) -> Finding:
        name, element = local(fault.attribute), fault.element
        known = self._attributes(element)
        free = [item for item in known if element.get(item) is None]
        close = nearest(name, free) or (free[0] if len(known) == len(free) == 1 else None)
        advice = f"Write {close} instead of {name}." if close else f"Take the attribute {name} out."
        allowed = tuple(f"@{item}" for item in known)
        return _finding(
            fault, _WRONG, text=f"{local_name(element)} has no attribute {name}.", advice=advice, allowed=allowed
        )

    def _wrong_value(self, fault: Fault) -> Finding:
        value = self._value(fault)
        if value is None:
            return _finding(fault, _WRONG)
        what, found = _what(fault), _found(fault)
        if _FACET.match(fault.text):
            text, advice = out_of_limits(what, found, value.limits)
        else:
            text, advice = wrong_type(what, found, value.builtin, value.accepts)
        return _finding(fault, _WRONG, text=text, advice=advice)

    def _wrong_form(self, fault: Fault) -> Finding:
        """Tell what is wrong with the form of an element: text or elements where none belong, xsi:type, xsi:nil."""
        name, found = local_name(fault.element), _found(fault)
        if fault.kind == "SCHEMAV_CVC_COMPLEX_TYPE_2_1" and found and "ref" in self._attributes(fault.element):
            text = f"{name} holds the text '{found}', but must be empty."
            return _finding(
                fault, _WRONG, text=text, advice=f'Write <{name} ref="{found}"/>: a reference is an attribute.'
            )
        text, advice = _FORMS.get(fault.kind, ("", ""))
        return _finding(fault, _WRONG, text=text.format(name), advice=advice.format(name))

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
        allowed = _allowed(fault)
        text, advice = not_listed(_what(fault), _found(fault), allowed)
        return _finding(fault, _WRONG, text=text, advice=advice, allowed=allowed)

    def _name(self, name: str) -> str:
        return f"{self.message.version.prefix}{name}"


def undeclared(root: etree._Element, schemas: SchemaSet) -> tuple[Finding, ...]:
    """Tell that no schema declares a root: its name or its namespace is wrong."""
    name, space = local_name(root), namespace(tag_of(root))
    installed = [f"'{other}'" for other in schemas.namespaces_of(name) if other != space]
    proper = next((noun for noun in schemas.nouns | schemas.profiles if space in schemas.namespaces_of(noun)), None)
    if installed:
        advice = f"Write {name} in the namespace {listed(installed, 'or')}."
    elif proper is not None:
        model = schemas.model(space)
        inside = () if model is None else model.homes([f"{{{space}}}{proper}"], name)
        advice = f"Write {proper} as the root{f', and {name} in it' if inside else ''}."
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


def _what(fault: Fault) -> str:
    return f"The attribute {local(fault.attribute)}" if fault.attribute else local_name(fault.element)


def _found(fault: Fault) -> str:
    if fault.attribute:
        return shortened(fault.element.get(fault.attribute))
    return shortened(fault.element.text)


def _allowed(fault: Fault) -> tuple[str, ...]:
    return tuple(_QUOTED.findall(fault.text.partition("set {")[2]))
