"""An answer or an event on its way to a URL: what AMQP tells of it, and what its posts say."""

import time
from dataclasses import dataclass, field
from typing import Final

from gateway.adapters.adapter import MESSAGE_ID, REPEATED
from gateway.broker import Delivery
from gateway.endpoints import AmqpAddress, Properties, Publication
from gateway.endpoints.amqp import URL_HEADER, HeaderValue
from gateway.message import Header

FIRST_SENT: Final = "cim-first-sent"
"""AMQP header of an answer that waits for long: seconds since 1970 when it was first put into the queue."""


@dataclass(order=True, slots=True)
class Parcel:
    """One message in hand. It is next when `due`; what failed for want of any connection keeps its turn.

    `keys` are the devices whose events must arrive in their order; `alone` tells that it names more than are known,
    or that it cannot be told: then it keeps its place among all that have any.
    """

    due: float
    number: int
    delivery: Delivery = field(compare=False)
    url: str = field(compare=False)
    headers: dict[str, HeaderValue] = field(compare=False)
    correlation_id: str = field(compare=False)
    first_sent: float = field(compare=False)
    taken_at: float = field(compare=False)
    repeated: bool = field(compare=False)
    posts: int = field(compare=False, default=0)
    keys: frozenset[str] = field(compare=False, default=frozenset())
    alone: bool = field(compare=False, default=False)

    def meets(self, other: "Parcel") -> bool:
        """Tell whether two must arrive in their order."""
        if self.alone or other.alone:
            return bool((self.alone or self.keys) and (other.alone or other.keys))
        return not self.keys.isdisjoint(other.keys)

    @classmethod
    def of(cls, delivery: Delivery, number: int, now: float) -> "Parcel":
        """Open what came from the queue."""
        transport = delivery.properties()
        headers = transport.headers
        first = headers.get(FIRST_SENT)
        return cls(
            due=now,
            number=number,
            delivery=delivery,
            url=str(headers.get(URL_HEADER, "")),
            headers=headers,
            correlation_id=transport.correlation_id,
            first_sent=float(first) if isinstance(first, int) else delivery.said[2] or time.time(),
            taken_at=now,
            repeated=delivery.redelivered or headers.get(REPEATED) is True,
        )

    @property
    def header(self) -> Header | None:
        """The header as far as AMQP's properties tell it: the body may be in a dialect. None where they do not."""
        kind, source, _ = self.delivery.said
        verb, dot, noun = kind.partition(".")
        if not dot:
            return None
        message_id = str(self.headers.get(MESSAGE_ID, ""))
        return Header(
            verb, noun, source=source, message_id=message_id or None, correlation_id=self.correlation_id or None
        )

    def http_headers(self, **more: str) -> dict[str, str]:
        """Give what the post says beside the body: the ids, and the mark of what may have been posted before."""
        return _http_headers(
            message_id=str(self.headers.get(MESSAGE_ID, "")),
            correlation_id=self.correlation_id,
            redelivered="true" if self.repeated else "",
            **more,
        )

    def renewed(self, queue: str) -> Publication:
        """Give the same answer as a new message in its queue."""
        kind, source, _ = self.delivery.said
        kept = {name: value for name, value in self.headers.items() if not name.startswith("x-")}
        headers = kept | {FIRST_SENT: int(self.first_sent)} | ({REPEATED: True} if self.repeated else {})
        properties = Properties(type=kind, app_id=source, correlation_id=self.correlation_id, headers=headers)
        return Publication(AmqpAddress("", queue, self.url), self.delivery.body, properties, self.header)


def _http_headers(**values: str) -> dict[str, str]:
    """Give HTTP headers `Cim-...` of what can be one: visible ASCII. The envelope, the authority, has all of it."""
    return {
        f"Cim-{name.replace('_', '-').title()}": value
        for name, value in values.items()
        if value and value.isascii() and value.isprintable()
    }
