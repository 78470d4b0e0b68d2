"""The answer to a request that is refused: a ResponseMessage FAILED, or a FaultMessage when the header was unusable."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.adapters.adapter import MESSAGE_ID
from gateway.codes import Level, Result
from gateway.dialects import speak, spoken_version
from gateway.endpoints import (
    NO_ENDPOINTS,
    AmqpAddress,
    Coverage,
    Properties,
    Publication,
    is_url,
    parse_address,
)
from gateway.message import (
    Envelope,
    EnvelopeVersion,
    Finding,
    Header,
    Message,
    MessageKind,
    NotExpressible,
    Reply,
    ReplyError,
    build,
)
from gateway.subscriptions.values import QUEUES

_MOST_ERRORS: Final = 20
_LONGEST: Final = 1_000
_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Sender:
    """What the gateway writes about itself into the messages it sends."""

    name: str
    context: str


@dataclass(frozen=True, slots=True)
class ReplyPlaces:
    """Where answers may go: not to the queues of the gateway's own, and to URLs only as far as endpoints cover them.

    Those of subscriptions are among its own, however many there are.
    """

    own_queues: frozenset[str]
    endpoints: Coverage = NO_ENDPOINTS

    def own(self, queue: str) -> bool:
        """Tell whether a queue is one that only the gateway may fill."""
        return queue in self.own_queues or queue.startswith(QUEUES)


def reply_address(written: str, reply_to: str, places: ReplyPlaces) -> tuple[AmqpAddress | None, str]:
    """Give where the answer goes, or why there is no such place.

    The envelope's ReplyAddress wins over AMQP's reply_to, which serves where the former is absent, or none that the
    gateway can reach.
    """
    written = written.strip()
    why = f"the ReplyAddress {written!r} is neither a queue nor a topic nor a URL" if written else ""
    if is_url(written):
        address, why = places.endpoints.address(written)
    else:
        address = parse_address(written)
    address = address or parse_address(f"queue:{reply_to}")
    if address is None:
        return None, why or "no reply address was given"
    if not address.url and not address.exchange and places.own(address.routing_key):
        return None, f"the reply address {address} is a queue of the gateway's own"
    return address, ""


def is_due(message: Message) -> bool:
    """Tell whether a refused message is to be answered: requests, unless they are one-way."""
    return message.kind is MessageKind.REQUEST and not message.header.one_way


def response(
    message: Message, errors: Sequence[Finding], address: AmqpAddress, sender: Sender, *, message_id: str, now: str
) -> Publication:
    """Answer a request with FAILED, in the dialect of the asker.

    It is correlated by the ids that the asker sent: CorrelationID, else MessageID. Where the draft cannot say it (its
    list of nouns is closed), the answer is the draft's FaultMessage.
    """
    asked = message.header
    header = Header(
        verb="reply",
        noun=asked.noun,
        revision=asked.revision,
        context=sender.context,
        timestamp=now,
        source=sender.name,
        message_id=message_id,
        correlation_id=asked.echoed_id,
    )
    envelope = Envelope(MessageKind.RESPONSE, header, reply=_failed(errors))
    version = spoken_version(message.version, message.speech, asked.noun)
    try:
        body = build(envelope, version)
    except NotExpressible:
        return fault(errors, address, sender, correlation_id=asked.echoed_id or "", version=version)
    return _answer(
        speak(body, message.speech), address, sender, errors, f"reply.{asked.noun}", asked.echoed_id or "", header
    )


def fault(
    errors: Sequence[Finding], address: AmqpAddress, sender: Sender, *, correlation_id: str, version: EnvelopeVersion
) -> Publication:
    """Answer what could not be read. A FaultMessage has no header, so AMQP's correlation_id ties it to its cause."""
    body = build(Envelope(MessageKind.FAULT, reply=_failed(errors)), version)
    return _answer(body, address, sender, errors, "FaultMessage", correlation_id)


def _answer(
    body: bytes,
    address: AmqpAddress,
    sender: Sender,
    errors: Sequence[Finding],
    kind: str,
    correlation_id: str,
    header: Header | None = None,
) -> Publication:
    # The draft's FaultMessage is empty by its schema, so code and reason travel in the headers as well.
    first = errors[0]
    headers = address.headers | {"code": str(first.code), "rule": first.rule, "text": first.text[:_LONGEST]}
    if header is not None and header.message_id:
        headers[MESSAGE_ID] = header.message_id
    properties = Properties(type=kind, app_id=sender.name, correlation_id=correlation_id, headers=headers)
    return Publication(address, body, properties, header)


def _failed(errors: Sequence[Finding]) -> Reply:
    shown = errors[:_MOST_ERRORS]
    return Reply(Result.FAILED, tuple(_error(finding) for finding in shown))


def _error(finding: Finding) -> ReplyError:
    place = f"line {finding.line}" if finding.line is not None else ""
    details = "; ".join(
        part for part in (finding.advice.rstrip("."), finding.xpath, place, f"rule {finding.rule}") if part
    )
    return ReplyError(
        code=finding.code,
        level=Level.FATAL,
        reason=_NOT_XML.sub("\ufffd", finding.text),
        details=_NOT_XML.sub("\ufffd", details),
    )
