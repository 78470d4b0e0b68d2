"""What a replay does and how far it has come, as the store keeps it."""

from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter, ValidationError

from gateway.replay import AS_RECORDED, Changes, Pace, Selection, Spacing
from gateway.store.journal import JournalSearch


class BadDocument(ValueError):  # noqa: N818 - says what the text is
    """What the store keeps of a replay is not what this release writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is replayed, whereto and how. Without a `file` it is from the journal.

    `fingerprint` tells whether the file is still the same, whose first `records` are looked at. Of `found` messages
    `total` are to be sent, the last of them recorded at `last`; `seconds` is what that takes at this pace, if nothing
    holds it up. `production`: it was said that it may go into production.
    """

    target: str
    changes: Changes
    selection: Selection
    search: JournalSearch = field(default_factory=JournalSearch)
    file: str = ""
    fingerprint: str = ""
    records: int = 0
    speed: str = AS_RECORDED
    rate: str | None = None
    found: int = 0
    total: int = 0
    last: float = 0.0
    seconds: float = 0.0
    production: bool = False

    @property
    def pace(self) -> Pace:
        """How fast. Raises `BadPace`."""
        return Pace.read(self.speed, self.rate)


@dataclass(slots=True)
class Progress:
    """How far a replay has come. Every message up to the position `done` is accounted for, and for good.

    Those behind it up to `reserved` may have been sent: they are sent again, marked. `seconds` counts all runs, and
    `held` those for which the broker or this machine held it up.
    """

    done: int = 0
    reserved: int = 0
    looked_at: int = 0
    sent: int = 0
    repeated: int = 0
    undeliverable: int = 0
    masked: int = 0
    runs: int = 0
    at: float = 0.0
    seconds: float = 0.0
    held: float = 0.0
    left_out: dict[str, int] = field(default_factory=dict)
    differences: dict[str, int] = field(default_factory=dict)
    contexts: dict[str, int] = field(default_factory=dict)
    spacing: dict[int, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def errors(self) -> Spacing:
        """How far from their time messages were sent."""
        return Spacing(self.spacing)


_PLANS: Final = TypeAdapter(Plan)
_PROGRESS: Final = TypeAdapter(Progress)


def plan_to_json(plan: Plan) -> str:
    """Write a plan."""
    return _PLANS.dump_json(plan).decode()


def plan_from_json(text: str) -> Plan:
    """Read a plan. Raises `BadDocument`."""
    try:
        return _PLANS.validate_json(text)
    except ValidationError as error:
        raise BadDocument(f"its plan is of another release of cimgate ({error.error_count()} faults)") from error


def progress_to_json(progress: Progress) -> str:
    """Write how far it has come."""
    return _PROGRESS.dump_json(progress).decode()


def progress_from_json(text: str) -> Progress:
    """Read how far it has come. Raises `BadDocument`."""
    try:
        return _PROGRESS.validate_json(text)
    except ValidationError as error:
        raise BadDocument(f"its progress is of another release of cimgate ({error.error_count()} faults)") from error
