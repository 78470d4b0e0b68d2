"""ReadingQualityType (Annex D): system, category, index: `2.5.258` is suspect data, said by the metering system."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from gateway.codes.device_codes import ANY
from gateway.codes.dotted import CACHED, DottedCode, numbers_of
from gateway.codes.patterns import CodeKind
from gateway.codes.tables import NONE, table
from gateway.codes.words import as_sentence


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

    @property
    def name(self) -> str:
        """The name of category and index together, `knownMissingRead`; else what is known: `edited.(index 9)`."""
        return quality_name((str(self.category), str(self.index)))

    def explain(self) -> str:
        """Say in a sentence what the code means, as far as its parts are known."""
        return quality_sentence(tuple(map(str, self.numbers)))


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> QualityCode:
    return QualityCode(*numbers_of(CodeKind.QUALITY, text))


def quality_name(category_and_index: tuple[str, str]) -> str:
    """Give the name of category and index, as far as they are known; `*` is any number."""
    known = table("quality_codes").get(".".join(category_and_index))
    if known is not None:
        return known.name
    category, index = category_and_index
    group = table("quality_category").get(category)
    first = group.name if group else category if category == ANY else f"(category {category})"
    return f"{first}.{index if index == ANY else f'(index {index})'}"


def quality_sentence(parts: tuple[str, ...]) -> str:
    """Say what a code or a pattern stands for; parts are text, `*` is any number."""
    system, category, index = parts
    return as_sentence(f"{_what(category, index)} ({_category(category)}), {_system(system)}")


def _what(category: str, index: str) -> str:
    known = table("quality_codes").get(f"{category}.{index}")
    if known is not None:
        return known.label
    return "any quality" if index == ANY else f"index {index}, which is not known"


def _category(category: str) -> str:
    if category == ANY:
        return "of any category"
    known = table("quality_category").get(category)
    return f"category {category}, which is not known" if known is None else f"category {known.label}"


def _system(system: str) -> str:
    if system == ANY:
        return "whoever says so"
    if system == NONE:
        return "no system named"
    known = table("quality_system").get(system)
    return f"said by system {system}, which is not known" if known is None else f"said by {known.label}"
