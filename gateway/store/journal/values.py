"""What the journal keeps of a message, and how it is asked. Times are seconds since the epoch."""

from dataclasses import dataclass

from gateway.store.journal.ids import time_of


@dataclass(frozen=True, slots=True)
class Handover:
    """One delivery of a message to one place; `seconds` until the broker confirmed it, None where it never did."""

    place: str
    system: str = ""
    route: str = ""
    attempts: int = 1
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """One message that came in, or that the gateway itself made and sent.

    `id` is from `Journal.new_id` and holds the time (`at`). `direction` is "in" or "out"; `system` is who got it, for
    out. `outcome` is a short word of the pipeline (delivered, answered, dead:invalid); `reason` the text of a dead
    letter. `events` are the event types and `devices` the mRIDs and names in the payload. `keep` names the class by
    which it is kept a shorter or longer time. `size` is the bytes of the message, also where `body` is None because
    headers alone are kept, or because a search does not read bodies. `seconds` is how long the gateway worked at it.
    Seconds are kept to the microsecond.
    """

    id: int
    direction: str
    source: str = ""
    system: str = ""
    kind: str = ""
    verb: str = ""
    noun: str = ""
    message_id: str | None = None
    correlation_id: str | None = None
    context: str = ""
    events: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    verdict: str = ""
    rule: str = ""
    code: str = ""
    outcome: str = ""
    reason: str = ""
    routes: tuple[str, ...] = ()
    deliveries: tuple[Handover, ...] = ()
    redelivered: int = 0
    seconds: float | None = None
    conversation: str | None = None
    routing_key: str = ""
    size: int = 0
    keep: str = ""
    body: bytes | None = None

    @property
    def at(self) -> float:
        """When it came or was made."""
        return time_of(self.id)


@dataclass(frozen=True, slots=True)
class JournalSearch:
    """What to look for; None does not restrict, and all that is given must apply.

    In the texts of the first block `*` stands for any characters. Ids, `device` and `conversation` are taken as they
    are. `text` is looked for in the reason, whatever the case. From `since` (inclusive) to `until` (exclusive).
    """

    direction: str | None = None
    source: str | None = None
    system: str | None = None
    kind: str | None = None
    verb: str | None = None
    noun: str | None = None
    context: str | None = None
    outcome: str | None = None
    rule: str | None = None
    code: str | None = None
    keep: str | None = None
    event: str | None = None

    message_id: str | None = None
    correlation_id: str | None = None
    device: str | None = None
    conversation: str | None = None
    text: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many messages of one sort passed in the time that begins at `start`."""

    start: float
    direction: str
    noun: str
    verb: str
    source: str
    outcome: str
    messages: int
