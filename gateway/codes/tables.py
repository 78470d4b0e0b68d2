"""The tables of the package: CSV files in `data/`, each read once, when it is first asked for.

A row says how sure it is (`confidence`: A three or more sources, B two, C one) and, where that is known, which edition
of the standard it was found for. Labels and meanings are our own words.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final

from gateway.codes.words import in_words

PART_TABLES: Final = (
    *("reading_macro_period", "reading_aggregate", "reading_measuring_period", "reading_accumulation"),
    *("reading_flow_direction", "reading_commodity", "reading_measurement_kind", "reading_tou", "reading_cpp"),
    *("reading_consumption_tier", "reading_phases", "reading_multiplier", "reading_unit_of_measure"),
    *("reading_currency", "quality_system", "quality_category"),
    *("event_device", "event_domain", "event_subdomain", "event_action"),
)
"""Tables of what one number of a code means."""
PAIR_TABLES: Final = ("reading_interharmonic", "reading_argument")
"""Tables of what two numbers mean together: the key is `numerator/denominator`."""
CODE_TABLES: Final = ("events", "controls", "quality_codes", "reading_examples", "reply_codes")
"""Tables of whole codes; events and controls are patterns with the device open, quality codes lack the system."""
OTHER_TABLES: Final = ("reading_phase_bits", "reply_categories", "words")

NONE: Final = "0"
"""The number that says of a part that it does not apply."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: what a key stands for. `others` are further names of the same key, deprecated ones and aliases."""

    key: str
    name: str
    label: str
    confidence: str
    edition: str
    preferred: str
    columns: Mapping[str, str]
    others: "tuple[Entry, ...]" = ()

    @property
    def remark(self) -> str:
        """What a reader must know about the row: one source only, or an edition other than the second."""
        remarks = []
        if self.edition.startswith("later"):
            remarks.append("added later")
        elif self.edition.startswith("ed1"):
            remarks.append("edition 1 only")
        if self.preferred == "no":
            remarks.append("deprecated name")
        if self.confidence == "C":
            remarks.append("one source")
        return ", ".join(remarks)


@cache
def table(name: str) -> Mapping[str, Entry]:
    """Give a table by its name, its rows by their key, in the order of the file."""
    found: dict[str, list[Entry]] = {}
    for row in rows(name):
        entry = _entry(row)
        found.setdefault(entry.key, []).append(entry)
    return {key: _merged(entries) for key, entries in found.items()}


@cache
def rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Give the rows of a file as they stand, by column."""
    text = files("gateway.codes").joinpath("data", f"{name}.csv").read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _entry(row: Mapping[str, str]) -> Entry:
    key = next(iter(row.values())) if "numerator" not in row else f"{row['numerator']}/{row['denominator']}"
    name = row.get("name") or key
    return Entry(
        key=key,
        name=name,
        label=row.get("label") or in_words(name),
        confidence=row.get("confidence", "A"),
        edition=row.get("edition", ""),
        preferred=row.get("preferred", "yes"),
        columns=row,
    )


def _merged(entries: list[Entry]) -> Entry:
    first, *others = sorted(entries, key=lambda entry: entry.preferred == "no")
    return replace(first, others=tuple(others))
