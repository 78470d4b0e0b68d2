"""What is replayed, as the options of `cimgate replay` say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.cli._shared import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.replay import Pace
    from gateway.store.journal import JournalSearch

_WHERE: Final = (
    "kind", "system", "context", "outcome", "rule", "code", "event", "device", "message-id", "correlation-id",
    "conversation", "text",
)  # fmt: skip
DIRECTIONS: Final = ("in", "out", "both")
_NAMING: Final = ("message_id", "correlation_id", "conversation")
"""What names few messages, so that no time need be given."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a new replay, as they were given."""

    file: "Path | None"
    since: float | None
    until: float | None
    noun: str | None
    verb: str | None
    source: str | None
    where: Mapping[str, str]
    direction: str
    dead: bool
    replies: bool
    replayed: bool
    imported: bool
    target: str
    speed: str
    rate: str | None
    shifted: bool
    context: str | None
    new_ids: bool
    reply_to: str
    note: str
    yes: bool
    yes_production: bool

    def search(self, until: float) -> "JournalSearch":
        """Give the search that finds the messages, up to a time at the latest.

        Raises `CommandError` where it says no beginning.
        """
        from gateway.store.journal import JournalSearch  # noqa: PLC0415 - quick start of the other commands

        if self.file is None and self.since is None and not any(name in self.where for name in _NAMING):
            raise CommandError(
                "From when on is the journal to be replayed?",
                "Write --from 2h (ago), --from 10:30 or --from 2026-03-17T10:30; or name one message with --where "
                "message-id=ID.",
            )
        end = self.until if self.until is not None or self.file is not None else until
        if self.since is not None and end is not None and self.since >= end:
            raise CommandError("--from is not before --to: that is no time at all.", "Exchange them, or leave one out.")
        return JournalSearch(
            direction=None if self.direction == "both" else self.direction,
            source=self.source,
            verb=self.verb,
            noun=self.noun,
            since=self.since,
            until=end,
            **self.where,
        )


def where_of(texts: Sequence[str]) -> dict[str, str]:
    """Read `--where FIELD=VALUE`. Raises `CommandError`."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().lower().replace("_", "-")
        if not equals or name not in _WHERE or not value.strip():
            raise CommandError(
                f"--where {text!r} names no field with a value.", f"Write FIELD=VALUE; fields: {', '.join(_WHERE)}."
            )
        if name.replace("-", "_") in found:
            raise CommandError(f"--where names {name} twice.", "All that is named must apply: one value for a field.")
        found[name.replace("-", "_")] = value.strip()
    return found


def one_of(text: str, option: str, words: Sequence[str]) -> str:
    """Read an option that knows some words. Raises `CommandError`."""
    if text not in words:
        raise CommandError(f"{option} {text!r} is none.", f"It is {', '.join(words[:-1])} or {words[-1]}.")
    return text


def pace_of(speed: str, rate: str | None) -> "Pace":
    """Read `--speed` and `--rate`. Raises `CommandError`."""
    from gateway.replay import BadPace, Pace  # noqa: PLC0415 - quick start of the other commands

    try:
        return Pace.read(speed, rate)
    except BadPace as error:
        raise CommandError(str(error)) from error
