"""From messages to what their conversations are fed with, and the bodies that are needed to speak."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypedDict

from gateway.broker import Delivery, Transport
from gateway.conversations import (
    RESEND_AFTER,
    CancelAsked,
    Conversation,
    EventSeen,
    Mode,
    Outgoing,
    Receiver,
    ReplyArrived,
    SetFacts,
    Step,
    Target,
    Undeliverable,
    asker_of,
    deadline_of,
    facts_of,
    open_cancel,
    open_request,
    open_set,
    set_of,
    tracking_ids,
)
from gateway.message import Message, MessageKind
from gateway.message.parts import has_ids, reply_of
from gateway.message.readdressing import readdress, serialized
from gateway.message.reading import message_of
from gateway.message.verbs import Verb
from gateway.pipeline.conversing import Conversing
from gateway.pipeline.dispatch import needed
from gateway.pipeline.examination import Examined
from gateway.pipeline.work import IN, Work
from gateway.routing import RouteTable
from gateway.routing.routes import Route
from gateway.store import Entry, Key


class _How(TypedDict):
    """How a conversation is opened, whatever it is about."""

    at: float
    deadline: float
    new_id: Callable[[], str]
    entry: str
    mode: Mode
    last_is_ok: bool
    publish: bool
    resend_after: float


@dataclass(frozen=True, slots=True)
class Talks:
    """The conversations of one gateway process. `now` gives seconds since the epoch.

    `timeout` and `resend_after` are in seconds: until a request is given up, and until what is not confirmed is
    published again. `cancel_of_get`: a cancel may name a get by its ids.
    """

    conversing: Conversing
    timeout: float
    now: Callable[[], float]
    new_id: Callable[[], str]
    resend_after: float = RESEND_AFTER
    cancel_of_get: bool = False

    def request(self, delivery: Delivery, examined: Examined, message: Message, table: RouteTable) -> Work | None:
        """Give the work of a request that is to be answered: it opens a conversation, unless it was here before.

        It is known again by its source and MessageID; without one, by the transport's message_id; without that too, by
        its fingerprint, where the broker marks it as redelivered. A replayed one is another than the one recorded.
        None where nobody takes it.
        """
        header, at, key = message.header, self.now(), self.new_id()
        routes = table.match(message)
        asked = set_of(message) if header.verb == Verb.EXECUTE else None
        takers = {} if asked is None or routes else _takers(message, asked, table)
        names = _named_by(message) if self.cancel_of_get and header.verb == Verb.CANCEL else ()
        taken = bool(routes) or any(takers.values())
        if not taken and not names:
            return None
        transport = delivery.properties()
        asker = asker_of(message, transport.reply_to)
        sent = asker.message_id.strip() or (f"amqp:{transport.message_id}" if transport.message_id else "")
        if mark := delivery.replay:
            sent = mark.known_as(asker.message_id.strip())
        options = [route.options for route in (*routes, *chain.from_iterable(takers.values()))]
        limits = [option.timeout for option in options if option.timeout is not None]
        deadline = deadline_of(message, now=at, default=self.timeout, route=max(limits, default=None))
        how = _How(
            at=at,
            deadline=deadline,
            new_id=self.new_id,
            entry=key,
            mode=Mode.AGGREGATE if any(option.aggregate for option in options) else Mode.STREAM,
            last_is_ok=any(option.last_is_ok for option in options),
            publish=any(option.publish for option in options),
            resend_after=self.resend_after,
        )
        targets = [Target(route.system.name, route.system.address) for route in routes]
        single = {number: [_receiver(route) for route in taking] for number, taking in takers.items()}

        def opening() -> Step:
            if asked is not None:
                return open_set(asker, asked, targets, single, **how)
            return open_request(asker, header.verb, header.noun, targets, **how)

        def cancelling(get: Conversation | None) -> Step:
            return open_cancel(asker, header.noun, get, at=at, new_id=self.new_id, entry=key)

        entry = Entry(
            "", at, IN, asker.source, header.verb, header.noun, header.message_id, header.correlation_id,
            body=message.raw, key=key,
        )  # fmt: skip
        return Work(
            delivery,
            examined,
            entry,
            # Without an id of its object it means nothing to a system.
            opening=opening if (taken and (message.content or has_ids(message))) or not names else None,
            key=(asker.source, sent) if sent else None,
            fingerprint="" if sent else _fingerprint(delivery, transport),
            ties=tracking_ids(message),
            names=names,
            cancelling=cancelling if names else None,
        )

    def cancelled(self, cancel: Work) -> Work:
        """Give the work by which the get hears of the cancel that names it, if there is one."""
        return Work(cancel.delivery, names=cancel.names, cancels=True, given=CancelAsked(self.now()))

    def reply(self, delivery: Delivery, examined: Examined, message: Message, unnamed: Mapping[str, str]) -> Work:
        """Give the work of a reply: its CorrelationID, else that of the transport, names the leg that it answers.

        Where both are missing its MessageID may do so; else its source may be known for `unnamed` replies, which belong
        to the only request that its system has not answered. `unnamed` gives the systems of such sources.
        """
        header, at, key = message.header, self.now(), self.new_id()
        leg = (header.correlation_id or "").strip() or delivery.properties().correlation_id
        system = "" if leg else unnamed.get(header.source or "", "")
        leg = leg or (header.message_id or "").strip()
        facts = facts_of(message, hashlib.sha256(message.raw).hexdigest())
        reply = reply_of(message)
        entry = Entry(
            "", at, IN, header.source or "", header.verb or "fault", header.noun, header.message_id,
            header.correlation_id, facts.result, tuple(error.code for error in reply.errors) if reply else (),
            body=message.raw, key=key,
        )  # fmt: skip
        given = ReplyArrived(at, leg, key, facts, redelivered=delivery.redelivered)
        return Work(delivery, examined, entry, leg=leg, alone=(system, header.noun) if system else None, given=given)

    def event(self, delivery: Delivery, examined: Examined, message: Message) -> Work | None:
        """Give the work of an event that may follow from a request; None where it cannot.

        Its CorrelationID may be the id of a leg, or its issuerTrackingID that of a control that was asked for.
        """
        if message.kind is not MessageKind.EVENT:
            return None
        header = message.header
        correlation = (header.correlation_id or "").strip()
        leg, ties = "" if correlation == header.message_id else correlation, tracking_ids(message)
        if not leg and not ties:
            return None
        at = self.now()
        entry = Entry(
            "", at, IN, header.source or "", header.verb, header.noun, header.message_id, header.correlation_id
        )  # fmt: skip
        return Work(delivery, examined, entry, ties=ties, leg=leg, given=EventSeen(at, header.verb, header.noun))

    def tied(self, work: Work) -> Message:
        """Give the event of a work as its receivers know it: with the id that the asker sent, where it follows.

        One that is tied by its issuerTrackingID alone keeps a CorrelationID that it has.
        """
        message = work.examined.message
        if message is None:
            raise LookupError("The work is of no message.")
        if work.result is None or not work.result.asker.echoed_id:
            return message
        if (message.header.correlation_id or "").strip() and work.result.leg(work.leg) is None:
            return message
        message_id = message.header.message_id or self.new_id()
        readdress(message.root, message_id=message_id, correlation_id=work.result.asker.echoed_id)
        return replace(message_of(serialized(message.root), message.root), repairs=message.repairs)

    def undeliverable(self, conversation: str, said: str, reason: str) -> None:
        """Tell a conversation that no queue took what it said."""
        self.conversing.tell(conversation, Undeliverable(self.now(), said, reason))

    async def bodies(
        self, works: Iterable[Work], said: Sequence[tuple[Work, Conversation, Outgoing]]
    ) -> dict[str, bytes]:
        """Give the bodies that are needed: those that have just come, and those that were kept."""
        at_hand = {
            work.entry.key: work.entry.body
            for work in works
            if work.entry is not None and work.entry.key is not None and work.entry.body is not None
        }
        wanted = {key for _, conversation, effect in said for key in needed(conversation, effect)}
        kept = await self.conversing.bodies(wanted - at_hand.keys())
        return {key: body for key, body in at_hand.items() if key in wanted} | kept


def _fingerprint(delivery: Delivery, transport: Transport) -> str:
    """Give what tells a request without any id from others: its bytes, and what of the transport comes again too."""
    told = repr((transport.reply_to, transport.correlation_id, sorted(transport.passed_on().items())))
    return f"request:{hashlib.sha256(told.encode() + delivery.body).hexdigest()}"


def _takers(message: Message, asked: SetFacts, table: RouteTable) -> dict[int, tuple[Route, ...]]:
    """Give the routes for each operation of a set, as if it came by itself."""
    return {
        operation.id: table.match(
            replace(message, header=replace(message.header, verb=operation.verb, noun=operation.noun))
        )
        for operation in asked.operations
    }


def _named_by(message: Message) -> tuple[Key, ...]:
    """Give the ids by which a cancel may name a get: the CorrelationID, then Request.IDs of kind transaction."""
    prefix, source = message.version.prefix, message.header.source or ""
    ids = message.request.iterchildren(f"{prefix}ID") if message.request is not None else ()
    said = [message.header.correlation_id or "", *(id_.text or "" for id_ in ids if id_.get("kind") == "transaction")]
    return tuple((source, text.strip()) for text in dict.fromkeys(said) if text.strip())


def _receiver(route: Route) -> Receiver:
    return Receiver(route.system.name, route.system.address, reads=route.options.reads)
