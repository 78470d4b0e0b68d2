"""A message as the broker handed it over, with its way back: the acknowledgement travels with the message."""

from dataclasses import dataclass
from typing import Final

from gateway.broker import _wire
from gateway.endpoints.amqp import HeaderValue
from gateway.replay import HEADER, ReplayMark, read_mark

_NOT_PASSED_ON: Final = ("x-", "cim-", "CC", "BCC")
_COUNT: Final = b"\x10x-delivery-count"
_COUNT_ALONE: Final = len(_COUNT) + 9
"""The most bytes of a table that holds nothing but a quorum queue's count: not worth decoding for each message."""

_FOLLOWS: Final = b"\x0bcim-follows"
_REPLAY: Final = bytes((len(HEADER),)) + HEADER.encode()
_RETRIED: Final = b"\x0bcim-retried"
_REPEATED: Final = b"\x0fcim-redelivered"


@dataclass(slots=True, eq=False)
class Delivery:
    """One delivery. It is settled when nothing published for it is outstanding any more; then it is acknowledged.

    `unbound` tells that it came from the queue of what no binding took. `redelivered` is the broker's mark: the
    message may have been handled before. `retry_in` is the pause in seconds before the next try at a full receiver.
    `closed`: all is done but for writing it down; then it is settled.
    `sent` names what is published for it on behalf of conversations: their ids, each with that of the publication.
    """

    tag: int
    body: bytes
    redelivered: bool
    exchange: str
    routing_key: str
    unbound: bool
    content_header: bytes
    outstanding: int = 0
    closed: bool = False
    settled: bool = False
    set_aside: bool = False
    retry_in: float = 0.0
    sent: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_our_own(cls) -> "Delivery":
        """Give a delivery for what the gateway publishes by itself, when a time has come: nothing is acknowledged."""
        return cls(0, b"", redelivered=False, exchange="", routing_key="", unbound=False, content_header=b"")

    @property
    def follows(self) -> bool:
        """Tell whether the gateway itself published this, after a transaction (header `cim-follows`)."""
        return _FOLLOWS in self.content_header

    @property
    def said(self) -> tuple[str, str, float]:
        """What the publisher said of the message: its type, its app_id, and the time in seconds since 1970."""
        told = _wire.content_header(self.content_header).properties
        return told.message_type or "", told.app_id or "", told.timestamp.timestamp() if told.timestamp else 0.0

    @property
    def repeated(self) -> bool:
        """Tell whether it may have come before: the broker's mark, or the gateway's own.

        The gateway marks what it publishes itself, what an operator sends again out of the dead letters, and what a
        replay may send twice.
        """
        header = self.content_header
        ours = self.follows or _RETRIED in header or _REPLAY in header
        return self.redelivered or (ours and _REPEATED in header)

    @property
    def replay(self) -> ReplayMark | None:
        """The mark of a message that is replayed (header `cim-replay`)."""
        told = self.properties().headers.get(HEADER) if _REPLAY in self.content_header else None
        return read_mark(told) if isinstance(told, str) else None

    def properties(self) -> "Transport":
        """Read the AMQP properties; what the gateway publishes by itself has none."""
        return Transport(*_wire.ids(self.content_header)) if self.content_header else Transport(b"", "", "", "")


@dataclass(frozen=True, slots=True)
class Transport:
    """The AMQP properties of a delivery that matter to the gateway; `table` is the header table, still encoded."""

    table: bytes
    correlation_id: str
    reply_to: str
    message_id: str

    @property
    def deliveries(self) -> int:
        """How often the broker has handed this message out, this time included (quorum queues count)."""
        count = _wire.headers(self.table).get("x-delivery-count")
        return count + 1 if isinstance(count, int) else 1

    @property
    def headers(self) -> dict[str, HeaderValue]:
        """The headers that are texts, numbers and flags, the gateway's own among them."""
        return {name: value for name, value in _wire.headers(self.table).items() if isinstance(value, str | int | bool)}

    def passed_on(self) -> dict[str, HeaderValue]:
        """Give the headers that travel on (traceparent among them): texts, numbers and flags, of ours a replay's."""
        table = self.table
        if not table or (len(table) <= _COUNT_ALONE and table.startswith(_COUNT)):
            return {}
        return {
            name: value
            for name, value in _wire.headers(table).items()
            if isinstance(value, str | int | bool) and (name == HEADER or not name.startswith(_NOT_PASSED_ON))
        }
