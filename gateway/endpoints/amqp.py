"""AMQP endpoints: addresses (`queue:NAME`, `topic:NAME`) and what is published to them.

Part 100 gives no mapping to AMQP properties; this one follows its JMS table [inferred]: correlation_id is the id a
reply echoes, reply_to the reply address, app_id the Source, type `verb.Noun`. The envelope stays the authority.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.endpoints.urls import shown
from gateway.message import Finding, Header

IN_EXCHANGE: Final = "cim.in"
"""Where systems publish, and the gateway what it says to all as they would."""

OUT_EXCHANGE: Final = "cim.out"
"""Where the gateway publishes what is for a topic: events after validation, replies to `topic:NAME`."""

EVENTS_EXCHANGE: Final = "cim.events"
"""Takes the events of `cim.out`, to be chosen by their headers: a topic exchange looks at the routing key alone."""

SHORT_STRING: Final = 255
"""The most bytes an AMQP name, routing key or id property can have."""

URL_HEADER: Final = "cim-url"
"""AMQP header with the URL to which a message in the queue of an endpoint is to be posted."""

HeaderValue = str | int | bool


@dataclass(frozen=True, slots=True)
class AmqpAddress:
    """A place on the broker. The default exchange (an empty name) reaches the queue named by the key.

    `url` is where an endpoint is to post what it finds there; empty where the queue is the goal.
    """

    exchange: str
    routing_key: str
    url: str = field(default="", compare=False)

    @property
    def headers(self) -> dict[str, HeaderValue]:
        """The AMQP headers that a message needs at this place."""
        return {URL_HEADER: self.url} if self.url else {}

    def __str__(self) -> str:
        if self.url:
            return shown(self.url)
        return f"topic:{self.routing_key}" if self.exchange else f"queue:{self.routing_key}"


@dataclass(frozen=True, slots=True)
class Properties:
    """AMQP properties of one publication. message_id, timestamp and delivery mode are set by the publisher.

    `message_id` must be fresh for every publish (two in flight with one id get their returns swapped), so the
    envelope's MessageID travels in the headers.
    """

    type: str = ""
    app_id: str = ""
    correlation_id: str = ""
    reply_to: str = ""
    content_type: str = "application/xml"
    headers: Mapping[str, HeaderValue] | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """One message on its way to one place; mandatory, so that an unroutable one comes back.

    Only what need not reach anybody is not. `header` is the message's own, for logs and for its dead letter. `origin`
    names the conversation that speaks, and what it says; empty where none does. `unwanted` says of a message that
    nobody takes there why no system does either; without it the place itself is at fault.
    """

    address: AmqpAddress
    body: bytes
    properties: Properties
    header: Header | None = None
    origin: tuple[str, str] = ("", "")
    mandatory: bool = True
    unwanted: Callable[[], Finding] | None = None


def parse_address(text: str) -> AmqpAddress | None:
    """Read `queue:NAME` or `topic:NAME`; None for anything else (URLs among them) and for names AMQP cannot carry."""
    scheme, colon, name = text.strip().partition(":")
    name = name.strip()
    if not colon or not name or len(name.encode()) > SHORT_STRING:
        return None
    match scheme:
        case "queue":
            return AmqpAddress("", name)
        case "topic":
            return AmqpAddress(OUT_EXCHANGE, name)
        case _:
            return None
