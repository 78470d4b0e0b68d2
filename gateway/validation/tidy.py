"""A schema made stricter: it takes a payload only if no time and no reference in it deserves a word.

The semantic checks look at every time and every reference. Nearly all messages are tidy, and libxml2 finds that out in
C while it validates, at a third of what a walk in Python costs. What the stricter schema refuses is judged by the
plain one, and looked at closely. The two must agree on what is tidy: `gateway.validation.rules.semantics` does.
"""

from copy import deepcopy
from typing import Final

from lxml import etree

from gateway.codes import CodeKind
from gateway.message.namespaces import XSD_NAMESPACE
from gateway.validation.sources import Source
from gateway.validation.vocabulary import Declarations, Vocabulary

_XS: Final = f"{{{XSD_NAMESPACE}}}"
_TIME: Final = r"[^T]*T([01][0-9]|2[0-3]):[0-9][0-9]:[0-9][0-9](\.[0-9]+)?(Z|[+\-][0-9][0-9]:[0-9][0-9])"
# Four digits at most, and no counted repetition: libxml2 takes ten times as long over those. Longer numbers are left
# to the closer look.
_NUMBER: Final = "(0|[1-9]([0-9]([0-9]([0-9])?)?)?)"
_SIGNED: Final = "(0|-?[1-9]([0-9])?)"
_CODE: Final = {
    kind: r"\.".join(_SIGNED if kind.signed(field) else _NUMBER for field in kind.fields) for kind in CodeKind
}
_NEVER: Final = "[a-[a]]"


def tidy_schema(main: Source, vocabulary: Vocabulary) -> etree._Element | None:
    """Give the stricter schema; None where a schema has several files, or writes its types in a way not known here."""
    if main.parts or main.schema.find(_XS + "import") is not None:
        return None
    schema = deepcopy(main.schema)
    declarations = Declarations([(main, main.namespace)])
    prefix = f"{{{main.namespace}}}"
    in_blocks = frozenset(declarations.times_of_intervals(main, vocabulary.blocks))
    for original, element in zip(main.schema.iter(_XS + "element"), schema.iter(_XS + "element"), strict=True):
        if original in in_blocks:
            done = True  # those of a block are judged together
        elif declarations.is_time(original, main.namespace):
            done = _narrow_time(element)
        elif declarations.is_reference(original, main.namespace):
            target = vocabulary.references.get(prefix + element.get("name", ""))
            done = target is None or _narrow_reference(element, target.kind)
        else:
            done = True
        if not done:
            return None
    return schema


def _narrow_time(element: etree._Element) -> bool:
    named = element.attrib.pop("type", "")
    if not named or len(element):
        return False
    kind = etree.SubElement(element, _XS + "simpleType")
    _narrow(kind, named, _TIME)
    return True


def _narrow_reference(element: etree._Element, kind: CodeKind | None) -> bool:
    """Demand a ref that is a code. A reference to an object is never tidy: only the whole payload tells if it is there.

    The element's own type is left behind: `ref` is all that it holds where a reference is one of the standard's.
    """
    if not element.attrib.pop("type", "") or len(element):
        return False
    inside = etree.SubElement(element, _XS + "complexType")
    attribute = etree.SubElement(inside, _XS + "attribute", name="ref", use="required")
    text = etree.SubElement(attribute, _XS + "simpleType")
    _narrow(text, _builtin(element, "string"), _NEVER if kind is None else _CODE[kind])
    return True


def _narrow(kind: etree._Element, base: str, pattern: str) -> None:
    restriction = etree.SubElement(kind, _XS + "restriction", base=base)
    etree.SubElement(restriction, _XS + "pattern", value=pattern)


def _builtin(element: etree._Element, name: str) -> str:
    """Give the name of a type of XML Schema as this document writes it; declarations bear the same prefix."""
    return name if element.prefix is None else f"{element.prefix}:{name}"
