"""What each part of a reading type means, by the tables of Annex C."""

from collections.abc import Mapping
from typing import Final

from gateway.codes.patterns import CodeKind
from gateway.codes.tables import NONE, Entry, table

_PAIRS: Final = {"interharmonic": CodeKind.READING.fields[7:9], "argument": CodeKind.READING.fields[9:11]}
_PAIR_OF: Final = {field: pair for pair, fields in _PAIRS.items() for field in fields}


def meaning_of(field: str, numbers: Mapping[str, str]) -> Entry | None:
    """Give what a part means; None where its number is not known. `numbers` has all parts, as text.

    Numerator and denominator mean something only together: both give the meaning of the pair.
    """
    if pair := _PAIR_OF.get(field):
        return table(f"reading_{pair}").get("/".join(numbers[part] for part in _PAIRS[pair]))
    return table(f"reading_{field}").get(numbers[field])


def phase_bits(phases: int) -> str:
    """Spell out a number of phases by its bits: 129 is `A1+N2`; empty where a bit has no name."""
    names = {int(key): entry.name for key, entry in table("reading_phase_bits").items()}
    if phases == 0 or phases & ~sum(names):
        return ""
    return "+".join(names[bit] for bit in sorted(names, reverse=True) if phases & bit)


def is_known(field: str, numbers: Mapping[str, str]) -> bool:
    """Tell whether a table names the number of a part."""
    return meaning_of(field, numbers) is not None


def label_of(field: str, numbers: Mapping[str, str]) -> str:
    """Give the words for a part; empty where it is 0 or its number is not known."""
    entry = meaning_of(field, numbers)
    return "" if entry is None or entry.key in (NONE, f"{NONE}/{NONE}") else entry.label
