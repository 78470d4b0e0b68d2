"""Compares what text may stand in an element or attribute."""

from collections.abc import Iterator, Sequence
from typing import Final

from gateway.validation.comparison.differences import Said, Side
from gateway.validation.declarations import Attribute, Value
from gateway.validation.type_words import WORDS, limits_in_words
from gateway.validation.wording import listed

_MANY: Final = 8

# What each takes is taken, as it is written, by the next one too. Text at last takes all.
_WITHIN: Final = {
    "xs:unsignedByte": "xs:unsignedShort",
    "xs:unsignedShort": "xs:unsignedInt",
    "xs:unsignedInt": "xs:unsignedLong",
    "xs:unsignedLong": "xs:nonNegativeInteger",
    "xs:positiveInteger": "xs:nonNegativeInteger",
    "xs:nonNegativeInteger": "xs:integer",
    "xs:negativeInteger": "xs:nonPositiveInteger",
    "xs:nonPositiveInteger": "xs:integer",
    "xs:byte": "xs:short",
    "xs:short": "xs:int",
    "xs:int": "xs:long",
    "xs:long": "xs:integer",
    "xs:integer": "xs:decimal",
    "xs:decimal": "xs:double",
    "xs:double": "xs:float",  # they differ in precision, not in what may be written
    "xs:NCName": "xs:Name",
    "xs:ID": "xs:NCName",
    "xs:IDREF": "xs:NCName",
    "xs:Name": "xs:NMTOKEN",
    "xs:NMTOKEN": "xs:token",
    "xs:language": "xs:token",
    "xs:token": "xs:normalizedString",
}
_TEXT: Final = "xs:string"
_SAME: Final = {"xs:double": "xs:float", "xs:normalizedString": _TEXT, "xs:token": _TEXT, "xs:anyURI": _TEXT}
"""Types that take the same texts: what white space and URIs are, a parser does not refuse."""


def value_differences(theirs: Value, ours: Value) -> Iterator[Said]:
    """Tell which texts one takes and the other does not."""
    if theirs.enumeration and ours.enumeration:
        yield from _listed_only(Side.THEIRS, theirs, ours)
        yield from _listed_only(Side.OURS, ours, theirs)
        return
    for side, value, other in ((Side.THEIRS, theirs, ours), (Side.OURS, ours, theirs)):
        if other.enumeration:
            count = len(other.enumeration)
            values = listed(other.enumeration, "or") if count <= _MANY else f"one of a list of {count} values"
            yield Said(side, "value", f"{_words(value)}, not only {values}")
        elif value.enumeration:
            odd = [item for item in value.enumeration if not other.accepts(item)]
            if odd:
                yield Said(side, "value", f"{_values(odd)} (in {side.other}: {_words(other)})")
        elif not _takes(other.builtin, value.builtin):
            yield Said(side, "value", f"{_words(value)} (in {side.other}: {_words(other)})")
        else:
            yield from _beyond(side, value, other)


def attribute_differences(theirs: Sequence[Attribute], ours: Sequence[Attribute]) -> Iterator[Said]:
    """Tell which attributes one takes, or does without, and the other does not."""
    named = {Side.THEIRS: {a.name: a for a in theirs}, Side.OURS: {a.name: a for a in ours}}
    for name in dict.fromkeys((*named[Side.THEIRS], *named[Side.OURS])):
        at = f"@{name}"
        for side in Side:
            own, other = named[side].get(name), named[side.other].get(name)
            if other is None and own is not None:
                yield Said(side, "attribute", f"an attribute that {side.other} does not have: {_words(own.value)}", at)
            if other is not None and other.required and not (own and own.required):
                yield Said(side, "attribute", f"may be left out, which {side.other} does not allow", at)
            if own and other and other.fixed not in (None, own.fixed):
                yield Said(side, "attribute", f"another value than '{other.fixed}'", at)
        their, our = named[Side.THEIRS].get(name), named[Side.OURS].get(name)
        if their and our:
            said = value_differences(their.value, our.value)
            yield from (Said(one.side, "attribute", one.text, at) for one in said)


def in_words(value: Value) -> str:
    """Say what may be written: `text`, `date and time`, `one of a list of 12 values`."""
    if value.enumeration:
        return (
            _values(value.enumeration) if len(value.enumeration) <= _MANY else f"one of {len(value.enumeration)} values"
        )
    return _words(value)


def _listed_only(side: Side, value: Value, other: Value) -> Iterator[Said]:
    only = [item for item in value.enumeration if item not in other.enumeration]
    if only:
        yield Said(side, "value", _values(only))


def _values(values: Sequence[str]) -> str:
    shown = [f"'{value}'" for value in values]
    return f"the value{'s' if len(values) > 1 else ''} {listed(shown)}"


def _words(value: Value) -> str:
    words = WORDS.get(value.builtin, value.builtin)
    limits = limits_in_words(value.limits)
    return f"{words} ({limits})" if limits else words


def _takes(wide: str, narrow: str) -> bool:
    """Tell whether all that may be written for one built-in type may be written for another."""
    wide = _SAME.get(wide, wide)
    seen: str | None = narrow
    while seen is not None:
        if _SAME.get(seen, seen) == wide:
            return True
        seen = _WITHIN.get(seen)
    return wide == _TEXT


def _beyond(side: Side, value: Value, other: Value) -> Iterator[Said]:
    """Tell which limits of the other one does not have."""
    own = dict(value.limits)
    for name, limit in other.limits:
        if name not in own or _is_looser(name, own[name], limit):
            words = limits_in_words([(name, limit)]) or f"{name} {limit}"
            mine = limits_in_words([(name, own[name])]) if name in own else ""
            yield Said(side, "value", f"{mine or 'no limit'} (in {side.other}: {words})")


def _is_looser(name: str, own: str, other: str) -> bool:
    """Tell whether one limit lets more pass than another of the same name."""
    if own == other:
        return False
    try:
        here, there = float(own), float(other)
    except ValueError:
        return True  # patterns, dates: they differ, and neither contains the other as far as we see
    return here < there if name.startswith("min") else here > there if name != "length" else True
