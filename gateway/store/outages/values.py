"""What is kept of the outage view. Times are microseconds since the epoch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """One device. `document` is all that is known; the rest is there to find it, and to list it without reading that.

    `power` is how it stands, `since` when that outage began, `restored` when power last came back. `shown` is the
    device as people call it, `code`, `source` and `told` are of its last event: its type, who sent it, when it came.
    """

    key: str
    document: str
    power: str
    since: int | None
    restored: int | None
    shown: str
    code: str
    source: str
    told: int


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report that waits to be sent with others; they are sent in the order of their numbers."""

    number: int
    document: str


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """Reports that are to be sent in one message, whose MessageID is `id`; in the order of their numbers."""

    id: str
    number: int
    made: int
    document: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Which process works at the view, and when it was last seen; nobody where `owner` is empty."""

    owner: str
    seen: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How much there is: devices by how they stand, reports that wait, batches on their way, and who works at it."""

    devices: dict[str, int]
    reports: int
    batches: int
    holder: Holder
