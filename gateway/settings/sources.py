"""How single sources write and how strictly they are judged: the tables [[sources]] of the settings."""

from collections.abc import Iterable, Iterator
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gateway.message.namespaces import BY_NAMESPACE
from gateway.message.nouns import PART9_NOUNS
from gateway.message.speech import ANY_NOUN


class SourceSettings(BaseModel):
    """One table [[sources]]: what is agreed with the systems that name themselves so in Header.Source.

    A source has one table. What that of `*` says holds for all, except where a source's own says otherwise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: tuple[str, ...] = Field(min_length=1, description="Header.Source, or a list of several; * for all.")
    mode: Literal["strict", "lenient"] | None = Field(
        default=None,
        description="lenient repairs what can be meant in one way only, and records it; strict (default) refuses it.",
    )
    namespaces: dict[str, str] = Field(
        default={}, description="Their namespaces, each with ours that it is read as; * stands for the noun in both."
    )
    nouns: dict[str, str] = Field(default={}, description="Their nouns, each with the noun that it is read as.")
    tense: Literal["operation", "header"] | None = Field(
        default=None,
        description="Whose word counts where a strongly typed operation reports and its header commands, or the "
        "reverse; without it such a message is refused.",
    )
    replies_without_ids: bool = Field(
        default=False,
        description="A reply of theirs without any id answers the only request for its noun that their system has not "
        "answered. One that comes late may then reach the asker of the next: only for those who cannot echo.",
    )
    rules: dict[str, Literal["error", "warning", "off"]] = Field(
        default={}, description="Rules whose level is another for this source."
    )

    @field_validator("name", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _written(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name or name != name.strip() for name in value):
            raise ValueError("a source's name is written without blanks around it, and is not empty")
        return value

    @field_validator("namespaces")
    @classmethod
    def _mapped(cls, value: dict[str, str]) -> dict[str, str]:
        for theirs, ours in value.items():
            if max(theirs.count(ANY_NOUN), ours.count(ANY_NOUN)) > 1:
                raise ValueError(f"'{theirs}' and '{ours}' may each have one * for the noun")
            if ANY_NOUN in theirs and ANY_NOUN not in ours:
                raise ValueError(f"'{theirs}' has a * for the noun, so '{ours}' needs one too")
            if theirs == ours:
                raise ValueError(f"'{theirs}' is mapped to itself")
            if theirs in BY_NAMESPACE and ours not in BY_NAMESPACE:
                raise ValueError(f"'{theirs}' is an envelope's namespace, and '{ours}' is none")
        return value

    @field_validator("nouns")
    @classmethod
    def _foreign(cls, value: dict[str, str]) -> dict[str, str]:
        for theirs in value:
            if theirs in PART9_NOUNS:
                raise ValueError(f"{theirs} is a noun of the standard and cannot be read as another")
        return value

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.name)) < len(self.name):
            raise ValueError("a source is named twice in one table")
        return self


def named_twice(tables: Iterable[SourceSettings]) -> Iterator[str]:
    """Give the names that more than one table has."""
    seen: set[str] = set()
    for table in tables:
        yield from seen.intersection(table.name)
        seen.update(table.name)
