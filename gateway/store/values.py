"""The rows of a store: documents with the keys by which they are found. Times are seconds since the epoch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stored:
    """One conversation as it is stored: its whole state as a JSON text, and columns to find it by.

    `version` counts from 1; an update names the version it was made from and stores the next. `message_id` is unique
    per source where it is given; `echoed_id` is the id that the asker expects back. `final` ones are their own
    tombstones until they are purged. `alarm` waits for a person. Without `deadline` it never falls due.
    """

    id: str
    document: str
    version: int
    kind: str
    state: str
    final: bool
    source: str
    message_id: str | None
    echoed_id: str | None
    verb: str
    noun: str
    opened: float
    deadline: float | None
    updated: float
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class StoredLeg:
    """One delivery of a request to one system; `id` is both MessageID and CorrelationID of what was sent."""

    id: str
    conversation_id: str
    system: str
    noun: str
    open: bool = True


@dataclass(frozen=True, slots=True)
class Tie:
    """A key by which what follows from a request is known as its own, e.g. an issuerTrackingID; not unique."""

    key: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said or done in a conversation; `body` is the message as it came (stored compressed).

    `key` names it, where its body will be asked for again (`bodies`).
    """

    conversation_id: str
    at: float
    direction: str
    system: str
    verb: str = ""
    noun: str = ""
    message_id: str | None = None
    correlation_id: str | None = None
    result: str | None = None
    codes: tuple[str, ...] = ()
    note: str = ""
    body: bytes | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None does not restrict.

    `id` is the beginning of a conversation's id; `message_id` is the MessageID or echoed id of the request, or the id
    of a leg; `system` took or takes part; opened from `opened_from` (inclusive) to `opened_until` (exclusive).
    """

    id: str | None = None
    message_id: str | None = None
    source: str | None = None
    system: str | None = None
    kind: str | None = None
    verb: str | None = None
    noun: str | None = None
    state: str | None = None
    final: bool | None = None
    alarm: bool | None = None
    opened_from: float | None = None
    opened_until: float | None = None


Key = tuple[str, str]
"""The source of a request and an id that it gave."""
