"""What conversations say, as messages: requests to systems, replies and answers to askers, events that follow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.adapters import FOLLOWS, Adapter, properties_of
from gateway.conversations import Answer, Conversation, HandOn, Outgoing, PublishEvent, Send, merged, rewritten
from gateway.conversations.values import Asker
from gateway.dialects import speak, spoken_version
from gateway.endpoints import AmqpAddress, Publication
from gateway.endpoints.amqp import IN_EXCHANGE
from gateway.message import (
    Envelope,
    Header,
    Limits,
    Message,
    MessageKind,
    NotExpressible,
    Reply,
    build,
)
from gateway.message.envelope import Payload
from gateway.message.parsing import parse
from gateway.message.parts import reply_of
from gateway.message.readdressing import convert, past_tense, readdress, replace_reply, serialized
from gateway.message.reading import message_of
from gateway.pipeline.refusal import ReplyPlaces, Sender, reply_address
from gateway.pipeline.unrolling import single_request

_EVENTS: Final = "EVENTS"


@dataclass(frozen=True, slots=True)
class NoAddress(Exception):  # noqa: N818 - it reads as what it tells
    """There is no place to which the asker's answer can go; the text says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Writes what is to be published for conversations. `intake` is the gateway's own queue, to which systems reply.

    `systems` tells where a source that gave no address reads its messages, if it is one of the systems.
    """

    adapters: Mapping[str, Adapter]
    systems: Mapping[str, AmqpAddress]
    sender: Sender
    intake: str
    places: ReplyPlaces
    limits: Limits
    now: Callable[[], str]

    def publication(self, conversation: Conversation, effect: Outgoing, bodies: Mapping[str, bytes]) -> Publication:
        """Give what is to be published; `bodies` are those of the entries it names (see `needed`).

        Raises `NoAddress`.
        """
        return replace(self._made(conversation, effect, bodies), origin=(conversation.id, effect.id))

    def _made(self, conversation: Conversation, effect: Outgoing, bodies: Mapping[str, bytes]) -> Publication:
        match effect:
            case Send():
                return self._request(conversation, effect, bodies)
            case HandOn():
                return self._reply(conversation, effect, bodies[effect.entry])
            case Answer():
                return self._answer(conversation, effect, [bodies[part] for part in effect.parts])
            case PublishEvent():
                return self._event(conversation, effect, bodies[conversation.entry])

    def _request(self, conversation: Conversation, effect: Send, bodies: Mapping[str, bytes]) -> Publication:
        leg = conversation.leg(effect.id)
        if leg is None:
            raise LookupError(f"The conversation {conversation.id} has no leg {effect.id}.")
        message = self._read(bodies[conversation.entry])
        if leg.operation_id is not None:
            old = self._read(bodies[leg.payload]).content[0] if leg.payload else None
            message = self._read(single_request(message, leg, old, self.now()))
        readdress(message.root, message_id=leg.id, correlation_id=leg.id, reply_address=f"queue:{self.intake}")
        written = message_of(serialized(message.root), message.root)
        return self.adapters[leg.system].publication(
            written, reply_to=self.intake, passed_on={}, repeated=effect.repeated
        )

    def _reply(self, conversation: Conversation, effect: HandOn, body: bytes) -> Publication:
        asker = conversation.asker
        message = self._read(body)
        if effect.result is not None and (reply := reply_of(message)) is not None:
            replace_reply(message.root, message.version, rewritten(reply, effect))
        readdress(message.root, message_id=effect.id, correlation_id=asker.echoed_id)
        return self._to_asker(asker, message, repeated=effect.repeated)

    def _answer(self, conversation: Conversation, effect: Answer, parts: list[bytes]) -> Publication:
        asker = conversation.asker
        header = Header(
            verb="reply",
            noun=conversation.noun,
            revision=asker.revision or None,
            context=self.sender.context,
            timestamp=self.now(),
            source=self.sender.name,
            message_id=effect.id,
            correlation_id=asker.echoed_id or None,
        )
        roots = [root for part in parts for root in self._read(part).content]
        payload = Payload(content=(merged(roots),)) if roots else None
        reply = Reply(effect.result, effect.errors, effect.ids)
        envelope = Envelope(MessageKind.RESPONSE, header, reply=reply, payload=payload)
        version = spoken_version(asker.version, asker.speech, conversation.noun)
        try:
            body = build(envelope, version)
        except NotExpressible:
            body = build(Envelope(MessageKind.FAULT, reply=reply), version)
        return self._addressed(asker, speak(body, asker.speech), header, repeated=effect.repeated)

    def _event(self, conversation: Conversation, effect: PublishEvent, body: bytes) -> Publication:
        """Publish it to the gateway's own intake: it goes the way of every event, and never back to its source."""
        message = self._read(body)
        past_tense(message.root, effect.verb, effect.operations)
        readdress(message.root, message_id=effect.id, correlation_id=conversation.asker.echoed_id)
        event = message_of(serialized(message.root), message.root)
        key = f"{self.sender.context}.{_EVENTS}.{conversation.noun}.{effect.verb}"
        properties = properties_of(event.header, headers={FOLLOWS: conversation.id}, repeated=effect.repeated)
        return Publication(AmqpAddress(IN_EXCHANGE, key), event.raw, properties, event.header)

    def _to_asker(self, asker: Asker, message: Message, *, repeated: bool) -> Publication:
        version = spoken_version(asker.version, asker.speech, message.header.noun)
        if message.version is not version:
            convert(message.root, version)
        written = message_of(serialized(message.root), message.root)
        return self._addressed(asker, speak(written.raw, asker.speech), written.header, repeated=repeated)

    def _addressed(self, asker: Asker, body: bytes, header: Header, *, repeated: bool) -> Publication:
        address, why = reply_address(asker.reply_address, asker.reply_to, self.places)
        address = address or (None if asker.reply_address else self.systems.get(asker.source))
        if address is None:
            raise NoAddress(why)
        return Publication(address, body, properties_of(header, headers=address.headers, repeated=repeated), header)

    def _read(self, body: bytes) -> Message:
        return message_of(body, parse(body, self.limits))


def needed(conversation: Conversation, effect: Outgoing) -> tuple[str, ...]:
    """Give the entries whose bodies are needed to write something."""
    match effect:
        case Send():
            leg = conversation.leg(effect.id)
            return (conversation.entry, leg.payload) if leg is not None and leg.payload else (conversation.entry,)
        case PublishEvent():
            return (conversation.entry,)
        case HandOn():
            return (effect.entry,)
        case Answer():
            return effect.parts
