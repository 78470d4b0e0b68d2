"""What a schema declares, as a tree that can be walked: elements, groups, types, attributes.

A thin face over xmlschema's object model, so that those who show a profile, write an instance of it or break one
need not know that library. Types are looked at when asked for: a type may hold itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from xmlschema.validators import (
    XsdAnyAttribute,
    XsdAnyElement,
    XsdAtomic,
    XsdAttribute,
    XsdComplexType,
    XsdElement,
    XsdGroup,
    XsdSimpleType,
    XsdType,
    XsdUnion,
)

from gateway.message.namespaces import XSD_NAMESPACE
from gateway.validation.wording import local

Model = Literal["sequence", "choice", "all"]

_XS: Final = f"{{{XSD_NAMESPACE}}}"


class Value:
    """What text may stand in an element or attribute."""

    def __init__(self, xsd: XsdSimpleType) -> None:
        self._xsd = xsd

    @property
    def name(self) -> str:
        """The type's own name, empty where it has none: `ReadingReasonKind`, `xs:float`."""
        return _named(self._xsd)

    @cached_property
    def builtin(self) -> str:
        """The built-in type on which it is based: `xs:float`; `xs:string` for lists and unions."""
        return _builtin(self._xsd)

    @cached_property
    def enumeration(self) -> tuple[str, ...]:
        """The values allowed, where they are listed."""
        if isinstance(self._xsd, XsdUnion):
            members = [Value(member).enumeration for member in self._xsd.member_types]
            return tuple(item for values in members for item in values) if all(members) else ()
        return tuple(str(item) for item in self._xsd.enumeration or ())

    @cached_property
    def limits(self) -> tuple[tuple[str, str], ...]:
        """The other facets that narrow it: `(("maxLength", "20"),)`."""
        return tuple(
            (local(name), str(value))
            for name, facet in self._xsd.facets.items()
            if name is not None
            and local(name) not in ("enumeration", "whiteSpace")
            and (value := getattr(facet, "value", None)) is not None
        )

    def accepts(self, text: str) -> bool:
        """Tell whether a text is a value of the type."""
        return self._xsd.is_valid(text)


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: `{namespace}local` or a plain name, whether it must be there, its value, a fixed one if any."""

    name: str
    required: bool
    value: Value
    fixed: str | None = None


class Type:
    """The type of an element: elements in it, or a text, and attributes. Equal to itself alone."""

    def __init__(self, xsd: XsdType) -> None:
        self._xsd = xsd

    @property
    def name(self) -> str:
        """The type's own name, empty where it has none."""
        return _named(self._xsd)

    @property
    def mixed(self) -> bool:
        """Whether text may stand between its elements."""
        return isinstance(self._xsd, XsdComplexType) and self._xsd.mixed

    @cached_property
    def content(self) -> "Group | None":
        """The elements that may stand in it; None where there are none."""
        content = getattr(self._xsd, "content", None)
        return _group(content) if isinstance(content, XsdGroup) and len(content) else None

    @cached_property
    def value(self) -> Value | None:
        """The text that may stand in it; None where it holds elements or nothing."""
        if isinstance(self._xsd, XsdSimpleType):
            return Value(self._xsd)
        content = getattr(self._xsd, "content", None)
        return Value(content) if isinstance(content, XsdSimpleType) else None

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that it declares, without those that a wildcard would let in."""
        declared = getattr(self._xsd, "attributes", None) or {}
        return tuple(
            Attribute(attribute.name or "", attribute.use == "required", Value(attribute.type), attribute.fixed)
            for attribute in declared.values()
            if isinstance(attribute, XsdAttribute) and attribute.use != "prohibited"
        )

    @cached_property
    def any_attribute(self) -> bool:
        """Whether a wildcard lets other attributes in."""
        declared = getattr(self._xsd, "attributes", None) or {}
        return any(isinstance(attribute, XsdAnyAttribute) for attribute in declared.values())

    @property
    def identity(self) -> int:
        """A number that one and the same type of the schema has wherever it is used, and no other type."""
        return id(self._xsd)

    def is_same(self, other: "Type") -> bool:
        """Tell whether two are one and the same type of the schema."""
        return self._xsd is other._xsd


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """An element at one place: `{namespace}local`, how often it may stand there (None: without end), its type."""

    name: str
    minimum: int
    maximum: int | None
    type: Type

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return local(self.name)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A place for elements that the schema does not name."""

    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Elements one after the other (sequence), one of them (choice), or each in any order (all)."""

    model: Model
    minimum: int
    maximum: int | None
    parts: "tuple[Element | Wildcard | Group, ...]"

    def elements(self) -> Iterator[Element]:
        """Give all elements that may stand in the group, those of inner groups included, in order."""
        for part in self.parts:
            if isinstance(part, Element):
                yield part
            elif isinstance(part, Group):
                yield from part.elements()

    def child(self, name: str) -> Element | None:
        """Give the element of a local name or `{namespace}local`, None where there is none."""
        return next((element for element in self.elements() if name in (element.local, element.name)), None)

    @property
    def emptiable(self) -> bool:
        """Whether nothing at all may stand where the group does."""
        if self.minimum == 0 or not self.parts:
            return True
        results = (part.emptiable if isinstance(part, Group) else part.minimum == 0 for part in self.parts)
        return any(results) if self.model == "choice" else all(results)


def element_of(xsd: XsdElement) -> Element:
    """Wrap an element of xmlschema's."""
    return Element(xsd.name or "", xsd.min_occurs, xsd.max_occurs, Type(xsd.type))


def _group(xsd: XsdGroup) -> Group:
    parts: list[Element | Wildcard | Group] = []
    for part in xsd:
        if isinstance(part, XsdGroup):
            parts.append(_group(part))
        elif isinstance(part, XsdAnyElement):
            parts.append(Wildcard(part.min_occurs, part.max_occurs))
        elif part.max_occurs != 0:
            parts += _with_substitutes(part)
    model: Model = "choice" if xsd.model == "choice" else "all" if xsd.model == "all" else "sequence"
    return Group(model, xsd.min_occurs, xsd.max_occurs, tuple(parts))


def _with_substitutes(xsd: XsdElement) -> Iterator[Element | Group]:
    """Give the element; as a choice with those that may stand in for it, where there are any."""
    options = [xsd, *xsd.iter_substitutes()]
    named = [option for option in options if not option.abstract]
    if named == [xsd] or not named:
        yield element_of(xsd)
        return
    inner = tuple(Element(option.name or "", 1, 1, Type(option.type)) for option in named)
    yield Group("choice", xsd.min_occurs, xsd.max_occurs, inner)


def _named(xsd: XsdType) -> str:
    name = xsd.name or ""
    return f"xs:{name[len(_XS) :]}" if name.startswith(_XS) else local(name)


def _builtin(xsd: XsdType) -> str:
    if not isinstance(xsd, XsdAtomic):
        return "xs:string"
    current: XsdSimpleType | XsdComplexType | None = xsd
    while current is not None and not (current.name or "").startswith(_XS):
        current = current.base_type
    return "xs:string" if current is None else _named(current)
