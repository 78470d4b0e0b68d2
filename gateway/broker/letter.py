"""A dead letter as it lies in its queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.endpoints.amqp import HeaderValue


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter. `id` is its own (AMQP's message_id), not that of the message in it.

    `position` counts from 1, the oldest; `tag` names it to the broker while it is held; `written` is when the gateway
    published it, in seconds since the epoch. `body` are the bytes of the message as they came.
    """

    id: str
    position: int
    tag: int
    body: bytes
    headers: Mapping[str, HeaderValue]
    type: str = ""
    source: str = ""
    correlation_id: str = ""
    reply_to: str = ""
    content_type: str = ""
    written: float = 0.0

    def text(self, name: str) -> str:
        """Give a header as text; empty where it is missing."""
        return str(self.headers.get(name, ""))

    def number(self, name: str) -> int:
        """Give a header that is a whole number; 0 where there is none."""
        value = self.headers.get(name)
        return value if isinstance(value, int) else 0

    @property
    def verb(self) -> str:
        """The verb of the message, where its header could be read."""
        return self.type.partition(".")[0]

    @property
    def noun(self) -> str:
        """The noun of the message, where its header could be read."""
        return self.type.partition(".")[2]

    @property
    def message_id(self) -> str:
        """The envelope's MessageID."""
        return self.text("cim-message-id")

    @property
    def first_seen(self) -> float:
        """When the message first became a dead letter, in seconds since the epoch: a retry does not change it."""
        try:
            return datetime.fromisoformat(self.text("first_seen")).timestamp()
        except ValueError:
            return self.written

    @property
    def looks(self) -> int:
        """How often it was read and put back before, as the broker counts."""
        return self.number("x-delivery-count")
