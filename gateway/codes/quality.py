"""ReadingQualityType (Annex D): system, category, index: `2.5.258` is suspect data, said by the metering system."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from gateway.codes.dotted import CACHED, DottedCode, numbers_of
from gateway.codes.patterns import CodeKind


@dataclass(frozen=True, slots=True)
class QualityCode(DottedCode):
    """A quality code: who says it (system), what about (category), what exactly (index)."""

    kind: ClassVar = CodeKind.QUALITY
    system: int
    category: int
    index: int

    @classmethod
    def parse(cls, text: str) -> "QualityCode":
        """Read a code. Raises `BadCode`, which names the part at fault; unknown numbers are no fault."""
        return _parse(text)


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> QualityCode:
    return QualityCode(*numbers_of(CodeKind.QUALITY, text))
