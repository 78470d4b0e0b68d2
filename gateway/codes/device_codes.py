"""What the four parts of an event or control type mean: they share their tables, and differ in the lists of names.

Parts come as text, so that a pattern is described as a code is: `*` stands for any number.
"""

from typing import Final

from gateway.codes.patterns import CodeKind
from gateway.codes.tables import NONE, Entry, table
from gateway.codes.words import with_article

ANY: Final = "*"
_LISTS: Final = {CodeKind.EVENT: "events", CodeKind.CONTROL: "controls"}
_FIELDS: Final = CodeKind.EVENT.fields


def listed(kind: CodeKind, parts: tuple[str, ...]) -> Entry | None:
    """Give the row of the list of named events or controls; None where it has none for these parts."""
    return table(_LISTS[kind]).get(".".join((ANY, *parts[1:])))


def part_entry(field: str, number: str) -> Entry | None:
    """Give what one part means; None where its number is not known or open."""
    return table(f"event_{field}").get(number)


def name_of(kind: CodeKind, parts: tuple[str, ...]) -> str:
    """Give the name, `Power.Voltage.LossDetected`: that of the list, else made from the parts.

    A part that is not known is named by its number: `Power.(subdomain 777).Failed`.
    """
    row = listed(kind, parts)
    if row is not None:
        return row.name
    names = []
    for field, number in zip(_FIELDS[1:], parts[1:], strict=True):
        entry = part_entry(field, number)
        if number == ANY:
            names.append(ANY)
        elif entry is None:
            names.append(f"({field} {number})")
        elif number != NONE:
            names.append(entry.name)
    return ".".join(names) or "(no name)"


def meaning_of(kind: CodeKind, parts: tuple[str, ...]) -> str:
    """Say in a few words what happened or is to be done: our own words where the list has some, else the parts'."""
    row = listed(kind, parts)
    if row is not None and row.columns["meaning"]:
        return row.columns["meaning"]
    domain, subdomain, action = (_label(field, number) for field, number in zip(_FIELDS[1:], parts[1:], strict=True))
    if ANY in parts[1:]:
        return ", ".join(filter(None, (domain, subdomain, action)))
    words = (f"{domain}," if domain and subdomain else domain, subdomain, action)
    return " ".join(filter(None, words)) or "the code says no more"


def device_of(number: str) -> str:
    """Say what kind of device, for the middle of a sentence: `an electric meter`, `any device`."""
    if number == ANY:
        return "any device"
    if number == NONE:
        return "a device that the code does not name"
    entry = part_entry("device", number)
    return f"device type {number}, which is not known" if entry is None else with_article(entry.label)


def sentence_of(kind: CodeKind, parts: tuple[str, ...]) -> str:
    """Say what a code or a pattern stands for."""
    what, of = ("Event", "of") if kind is CodeKind.EVENT else ("Control", "for")
    return f"{what} {name_of(kind, parts)} {of} {device_of(parts[0])}: {meaning_of(kind, parts)}."


def unknown_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Name the parts whose numbers are not known."""
    placed = zip(_FIELDS, parts, strict=True)
    return tuple(field for field, number in placed if number != ANY and part_entry(field, number) is None)


def with_device(pattern: str, device: str) -> str:
    """Put a device into a pattern of a list: `*.31.0.68` of an electric meter is `3.31.0.68`."""
    return f"{device}{pattern.removeprefix(ANY)}"


def _label(field: str, number: str) -> str:
    entry = part_entry(field, number)
    if number == ANY:
        return f"any {field}"
    if entry is None:
        return f"{field} {number}"
    return "" if number == NONE else entry.label
