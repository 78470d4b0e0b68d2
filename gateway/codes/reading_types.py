"""ReadingType (Annex C): 18 numbers say what a reading measures: `0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0`."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

from gateway.codes.dotted import CACHED, DottedCode, numbers_of
from gateway.codes.patterns import CodeKind
from gateway.codes.reading_aliases import alias_of, common_types, normal
from gateway.codes.reading_parts import meaning_of
from gateway.codes.reading_sentences import sentence_of
from gateway.codes.tables import table
from gateway.codes.units import unit_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingType(DottedCode):
    """A reading type. Every part but the multiplier is 0 or more, and 0 means that it does not apply."""

    kind: ClassVar = CodeKind.READING
    macro_period: int = 0
    aggregate: int = 0
    measuring_period: int = 0
    accumulation: int = 0
    flow_direction: int = 0
    commodity: int = 0
    measurement_kind: int = 0
    interharmonic_numerator: int = 0
    interharmonic_denominator: int = 0
    argument_numerator: int = 0
    argument_denominator: int = 0
    tou: int = 0
    cpp: int = 0
    consumption_tier: int = 0
    phases: int = 0
    multiplier: int = 0
    unit_of_measure: int = 0
    currency: int = 0

    @classmethod
    def parse(cls, text: str) -> "ReadingType":
        """Read a code. Raises `BadCode`, which names the part at fault; unknown numbers are no fault."""
        return _parse(text)

    @property
    def measuring_period_minutes(self) -> int | None:
        """Length of the interval in minutes; None where the code names none, or one without a fixed length."""
        entry = table("reading_measuring_period").get(str(self.measuring_period))
        minutes = entry.columns["minutes"] if entry is not None else ""
        return int(minutes) if minutes else None

    @property
    def unit(self) -> str:
        """The unit as people write it, `kWh`; empty where the code names none, `unit 999` where it is not known."""
        return unit_text(self.unit_of_measure, self.multiplier, self.currency)

    def explain(self) -> str:
        """Say in a sentence what the code measures, as far as its parts are known."""
        return sentence_of(self.texts, self.unit)

    def fields(self) -> tuple[tuple[str, int, str | None], ...]:
        """Give for each part its name, its number and what that means; None where it is not known."""
        texts = self.texts
        meanings = ((field, meaning_of(field, texts)) for field in texts)
        return tuple((field, int(texts[field]), entry.name if entry else None) for field, entry in meanings)

    def alias(self) -> str:
        """Give a short name: `kWh delivered`, `15-min kWh received`, `V phase A`."""
        return alias_of(self.texts, self.unit)

    @classmethod
    def from_alias(cls, text: str) -> "ReadingType | None":
        """Give the reading type that a short name stands for; None where it is not one of the common ones."""
        return _common().get(normal(text))


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> ReadingType:
    return ReadingType(**dict(zip(CodeKind.READING.fields, numbers_of(CodeKind.READING, text), strict=True)))


@cache
def _common() -> dict[str, ReadingType]:
    found: dict[str, ReadingType] = {}
    for numbers in common_types():
        code = ReadingType(**numbers)
        found[normal(code.alias())] = code
    for text in table("reading_examples"):
        code = ReadingType.parse(text)
        found[normal(code.alias())] = code
    return found
