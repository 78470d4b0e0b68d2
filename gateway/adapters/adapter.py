"""An adapter: one system as the gateway sees it. Over AMQP every system gets the message byte for byte as it came."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.dialects import speak
from gateway.endpoints import AmqpAddress, Properties, Publication
from gateway.endpoints.amqp import HeaderValue
from gateway.message import Header, Message
from gateway.message.speech import CANONICAL, Speech

MESSAGE_ID: Final = "cim-message-id"
"""AMQP header with the envelope's MessageID; the AMQP property message_id is fresh for every publish."""

REPEATED: Final = "cim-redelivered"
"""AMQP header, true where the gateway may have delivered this message before (it was taken up again after a break)."""

REPAIRS: Final = "cim-repairs"
"""AMQP header with the rules by which the message was mended, where its source has a dialect that allows it."""

FOLLOWS: Final = "cim-follows"
"""AMQP header of an event that the gateway itself publishes after a transaction: the id of its conversation."""

_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Adapter:
    """One receiving system, the queue it reads, and how it wants to be written to."""

    system: str
    address: AmqpAddress
    speech: Speech = CANONICAL

    def publication(
        self, message: Message, *, reply_to: str, passed_on: Mapping[str, HeaderValue], repeated: bool
    ) -> Publication:
        """Give what is to be sent: the bytes as they came, or as they were mended where the source has a dialect.

        A system with a dialect of its own gets them in that.

        `passed_on` are AMQP headers that travel on.
        """
        headers = passed_on if not message.repairs else {**passed_on, **repairs_of(message)}
        properties = properties_of(message.header, reply_to=reply_to, headers=headers, repeated=repeated)
        return Publication(self.address, speak(message.raw, self.speech), properties, message.header)


def as_repeated(publication: Publication) -> Publication:
    """Mark a publication whose first try may have reached some of those it is for."""
    properties = publication.properties
    headers = {**(properties.headers or {}), REPEATED: True}
    return replace(publication, properties=replace(properties, headers=headers))


def repairs_of(message: Message) -> dict[str, HeaderValue]:
    """Give the AMQP header that tells what was mended in a message; none where nothing was."""
    rules = dict.fromkeys(repair.rule for repair in message.repairs)
    return {REPAIRS: ", ".join(rules)[:_LONGEST]} if rules else {}


def properties_of(
    header: Header, *, reply_to: str = "", headers: Mapping[str, HeaderValue] | None = None, repeated: bool = False
) -> Properties:
    """Map a header to AMQP properties (see `gateway.endpoints.amqp`); the envelope's ids win over the transport's."""
    mapped: dict[str, HeaderValue] = dict(headers) if headers else {}
    if header.message_id:
        mapped[MESSAGE_ID] = header.message_id[:_LONGEST]
    if repeated:
        mapped[REPEATED] = True
    return Properties(
        type=f"{header.verb}.{header.noun}" if header.noun else "",
        app_id=header.source or "",
        correlation_id=header.echoed_id or "",
        reply_to=reply_to,
        headers=mapped,
    )
