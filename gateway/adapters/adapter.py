"""An adapter: one system as the gateway sees it. Over AMQP every system gets the message byte for byte as it came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.endpoints import AmqpAddress, Properties, Publication
from gateway.endpoints.amqp import HeaderValue
from gateway.message import Header, Message

MESSAGE_ID: Final = "cim-message-id"
"""AMQP header with the envelope's MessageID; the AMQP property message_id is fresh for every publish."""

REPEATED: Final = "cim-redelivered"
"""AMQP header, true where the gateway may have delivered this message before (it was taken up again after a break)."""

_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Adapter:
    """One receiving system and the queue it reads."""

    system: str
    address: AmqpAddress

    def publication(
        self, message: Message, *, reply_to: str, passed_on: Mapping[str, HeaderValue], repeated: bool
    ) -> Publication:
        """Give what is to be sent: the raw bytes, untouched; `passed_on` are AMQP headers that travel on."""
        properties = properties_of(message.header, reply_to=reply_to, headers=passed_on, repeated=repeated)
        return Publication(self.address, message.raw, properties, message.header)


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
