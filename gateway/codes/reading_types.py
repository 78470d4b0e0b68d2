"""ReadingType (Annex C): 18 numbers say what a reading measures: `0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from gateway.codes.dotted import CACHED, DottedCode, numbers_of
from gateway.codes.patterns import CodeKind


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


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> ReadingType:
    return ReadingType(**dict(zip(CodeKind.READING.fields, numbers_of(CodeKind.READING, text), strict=True)))
