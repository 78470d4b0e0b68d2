"""The way of a message, from intake to settle, top to bottom.

Steps work on the batch that intake has at hand: nothing here makes a task or a future for a single message. A message
is acknowledged only when every publication made for it is confirmed, so `_forward` must publish at least once for
each: to its receivers, or to the dead letters. Nothing is dropped, whatever goes wrong in between.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from gateway.adapters import Adapter, Subscribers, properties_of, repairs_of
from gateway.broker import Delivery, Failure, Session
from gateway.conversations import Conversation, EventSeen, Fate, Record, ReplyArrived
from gateway.crashpoints import crash_point
from gateway.dialects import Dialects, speak
from gateway.endpoints import AmqpAddress, Publication
from gateway.endpoints.amqp import OUT_EXCHANGE
from gateway.logs import about
from gateway.message import Finding, Message, MessageKind
from gateway.message.subjects import subjects_of
from gateway.pipeline.burial import Burial, answers_nothing, internal_error, unbound
from gateway.pipeline.dead_letter import Reason
from gateway.pipeline.discretion import Discretion
from gateway.pipeline.dispatch import Dispatch, NoAddress
from gateway.pipeline.examination import Examined, Examiner
from gateway.pipeline.pages import Outcome
from gateway.pipeline.recording import Recorder
from gateway.pipeline.refusal import ReplyPlaces, Sender, fault, is_due, reply_address, response
from gateway.pipeline.settlement import Counts, Settlement
from gateway.pipeline.talks import Talks
from gateway.pipeline.work import Work, outgoing
from gateway.routing import RouteTable
from gateway.routing.routes import Route

log = structlog.get_logger(__name__)

_REASONS: Mapping[str, Reason] = {"context-foreign": Reason.FOREIGN_CONTEXT}


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about messages; replaced as a whole, so that each message sees wholly the old or wholly the new."""

    examiner: Examiner
    table: RouteTable
    adapters: Mapping[str, Adapter]
    dialects: Dialects
    dispatch: Dispatch
    subscribers: Subscribers
    unnamed: Mapping[str, str]
    """The systems of sources whose replies may lack every id."""


class Pipeline:
    """Takes messages from a session and brings each to exactly one end: its receivers, or the dead letters."""

    def __init__(
        self, rules: Rules, talks: Talks, recorder: Recorder, sender: Sender, places: ReplyPlaces,
        discretion: Discretion, *,
        now: Callable[[], str], new_id: Callable[[], str], trace: bool = False,
    ) -> None:  # fmt: skip
        self.rules = rules
        self._talks = talks
        self.recorder = recorder
        self.counts = Counts()
        self.burial = Burial(self.counts, now, discretion, recorder)
        self._sender = sender
        self._places = places
        self._now = now
        self._trace = trace  # a line for each delivered message is for debugging: it costs as much as the message
        self._new_id = new_id
        self._reply_key = f"{sender.context}.REPLY."

    async def serve(self, session: Session, settlement: Settlement, batch_limit: int) -> None:
        """Work until cancelled: batches in the order they came, several on their way at the same time."""
        intake, publisher = session.intake, session.publisher
        while True:
            works: list[Work] = []
            for delivery in await intake.batch(batch_limit):
                rules = self.rules
                if rules.examiner.is_small(delivery.body):
                    examined = rules.examiner.examine(delivery.body)
                else:
                    publisher.flush()
                    examined = await rules.examiner.examine_large(delivery.body)
                self._handle(session, delivery, examined, rules, works)
            if works:
                publisher.flush()
                await self._converse(session, settlement, works)
            publisher.flush()
            await publisher.drain()

    async def keep_time(self, session: Session, interval: float) -> None:
        """Feed the conversations whose time has come, until cancelled; and those that have something to hear."""
        while True:
            await asyncio.sleep(interval)
            await self._speak(session, await self._talks.conversing.due())
            session.publisher.flush()

    async def finish(self) -> None:
        """Write down, before a stop, what is confirmed by now: else it would be published again after the start."""
        await self._talks.conversing.take([])
        await self.recorder.flushed()

    def bury_undelivered(self, delivery: Delivery, publication: Publication, failure: Failure) -> Publication | None:
        """Give the dead letter for a publication that no queue took; None where that was a dead letter itself."""
        conversation, said = publication.origin
        if conversation:
            self._talks.undeliverable(conversation, said, failure.text)
        return self.burial.undelivered(delivery, publication, failure)

    def confirmed(self, delivery: Delivery) -> None:
        """Hear that everything published for a delivery is confirmed."""
        self._talks.conversing.confirmed(delivery)

    async def _converse(self, session: Session, settlement: Settlement, works: list[Work]) -> None:
        """Commit what each message means to its conversation, then publish what follows."""
        told = await self._talks.conversing.take(works)
        for work in works:
            if work.result is not None:
                self._note(work, work.result)
            if work.failure is not None:
                self._fail(session, work.delivery, work.examined, work.failure)
                continue
            try:
                if isinstance(work.given, EventSeen):
                    event = self._talks.tied(work)
                    self._deliver(session, work.delivery, event, self.rules.table.match(event), self.rules)
                elif work.result is None and isinstance(work.given, ReplyArrived):
                    # It answers nothing that was asked through this gateway.
                    self._hand_on_reply(session, work.delivery, work.examined, self.rules)
            except Exception as error:  # noqa: BLE001 - told by `_fail`
                self._fail(session, work.delivery, work.examined, error)
        await self._speak(session, [*told, *works])
        for work in works:
            if work.result is not None and not work.delivery.outstanding and not work.delivery.closed:
                settlement.settled(work.delivery)

    def _note(self, work: Work, conversation: Conversation) -> None:
        """Note for the journal to which conversation a message belongs."""
        page = self.recorder.page(work.delivery)
        page.conversation = page.conversation or conversation.id
        if isinstance(work.given, EventSeen) or page.outcome:
            return
        again = any(isinstance(effect, Record) and effect.fate is Fate.DUPLICATE for effect in work.effects)
        page.outcome = Outcome.DUPLICATE if again else Outcome.CONVERSATION

    async def _speak(self, session: Session, works: Sequence[Work]) -> None:
        """Publish what conversations have decided."""
        said = [(work, work.result, effect) for work in works if work.result for effect in outgoing(work)]
        try:
            bodies = await self._talks.bodies(works, said)
        except Exception as error:  # noqa: BLE001 - told by `_fail`
            for work in works:
                if len(works) > 1:  # one of them is at fault: it must not take the others along
                    await self._speak(session, [work])
                else:
                    work.delivery.sent += tuple((conversation.id, effect.id) for _, conversation, effect in said)
                    self._fail(session, work.delivery, work.examined, error)
            return
        dispatch = self.rules.dispatch
        for work, conversation, effect in said:
            work.delivery.sent += ((conversation.id, effect.id),)
            try:
                publication = dispatch.publication(conversation, effect, bodies)
            except NoAddress as error:
                publication = self.burial.unaddressed(work, conversation, error.reason, bodies)
            except Exception as error:  # noqa: BLE001 - told by `_fail`
                self._fail(session, work.delivery, work.examined, error)
                continue
            crash_point("publish")
            leg = conversation.leg(effect.id)
            self._publish(session, publication, work.delivery, system=leg.system if leg else "")

    def _handle(
        self, session: Session, delivery: Delivery, examined: Examined, rules: Rules, works: list[Work]
    ) -> None:
        self.counts.taken += 1
        self.recorder.opened(delivery, examined)
        try:
            self._forward(session, delivery, examined, rules, works)
        except Exception as error:  # noqa: BLE001 - told by `_fail`
            self._fail(session, delivery, examined, error)

    def _fail(self, session: Session, delivery: Delivery, examined: Examined, error: Exception) -> None:
        """Bury a message that the gateway failed on: a defect of ours must neither lose it nor stop those behind it."""
        log.error("internal error", exc_info=error, **about(examined.header))
        self._bury(session, delivery, examined.message, Reason.INTERNAL_ERROR, internal_error(error))

    def _forward(
        self, session: Session, delivery: Delivery, examined: Examined, rules: Rules, works: list[Work]
    ) -> None:
        message = examined.message
        if message is None:
            self._refuse(session, delivery, examined, Reason.UNREADABLE)
        elif delivery.unbound:
            self._refuse(session, delivery, examined, Reason.UNBOUND, unbound(delivery, self._sender.context))
        elif examined.errors:
            reason = _REASONS.get(examined.errors[0].rule, Reason.INVALID)
            self._refuse(session, delivery, examined, reason)
        elif message.kind in (MessageKind.RESPONSE, MessageKind.FAULT):
            works.append(self._talks.reply(delivery, examined, message, rules.unnamed))
        elif is_due(message) and (work := self._talks.request(delivery, examined, message, rules.table)):
            works.append(work)
            if work.cancelling is not None:
                works.append(self._talks.cancelled(work))
        elif (routes := rules.table.match(message)) or rules.subscribers.hear(message, follows=delivery.follows):
            if work := self._talks.event(delivery, examined, message):
                works.append(work)
            else:
                self._deliver(session, delivery, message, routes, rules)
        else:
            self._refuse(session, delivery, examined, Reason.UNROUTABLE, rules.table.unroutable(message))

    def _deliver(
        self, session: Session, delivery: Delivery, message: Message, routes: Sequence[Route], rules: Rules
    ) -> None:
        """Publish a message to every system that has a route for it, and an event once to whoever subscribes."""
        transport = delivery.properties()
        passed_on = transport.passed_on()
        page = self.recorder.page(delivery)
        page.outcome = Outcome.DELIVERED
        self.recorder.keep(page, [route.options.journal for route in routes])
        for route in routes:
            publication = rules.adapters[route.system.name].publication(
                message, reply_to=transport.reply_to, passed_on=passed_on, repeated=delivery.repeated
            )
            self._publish(session, publication, delivery, system=route.system.name, route=route.name)
        if rules.subscribers.hear(message, follows=delivery.follows):
            # What a system gets need not be wanted by others too, nor what the gateway itself says.
            unwanted = None if routes or delivery.follows else partial(rules.table.unroutable, message)
            subjects = page.subjects = subjects_of(message)
            publication = rules.subscribers.publication(
                message, subjects, passed_on=passed_on, repeated=delivery.repeated, unwanted=unwanted
            )
            self._publish(session, publication, delivery)
        if self._trace:
            log.debug("delivered", systems=[route.system.name for route in routes], **about(message.header))

    def _hand_on_reply(self, session: Session, delivery: Delivery, examined: Examined, rules: Rules) -> None:
        """Publish a reply to the topic it was sent to, in the dialect of the system named there."""
        message = examined.message
        if message is None:
            return
        if not delivery.routing_key.startswith(self._reply_key):
            unnamed = rules.unnamed.get(message.header.source or "", "")
            finding = answers_nothing(message, delivery.routing_key, self._reply_key, unnamed)
            self._refuse(session, delivery, examined, Reason.NO_CONVERSATION, finding)
            return
        transport = delivery.properties()
        headers = transport.passed_on() | repairs_of(message)
        properties = properties_of(message.header, headers=headers, repeated=delivery.repeated)
        address = AmqpAddress(OUT_EXCHANGE, delivery.routing_key)
        asker = delivery.routing_key.removeprefix(self._reply_key)
        adapter = rules.adapters.get(asker)
        body = speak(message.raw, rules.dialects.speech_of(asker) if adapter is None else adapter.speech)
        self.recorder.page(delivery).outcome = Outcome.DELIVERED
        self._publish(session, Publication(address, body, properties, message.header), delivery, system=asker)

    def _refuse(
        self, session: Session, delivery: Delivery, examined: Examined, reason: Reason, finding: Finding | None = None
    ) -> None:
        """Answer the sender where an answer is due, and keep the message in the dead letters."""
        message = examined.message
        errors = examined.errors if finding is None else (finding, *examined.errors)
        answered = "not due"
        if message is None or is_due(message):
            transport = delivery.properties()
            address, answered = reply_address(
                (examined.header.reply_address or "") if examined.header else "", transport.reply_to, self._places
            )
            if address is not None:
                if message is None:
                    cause = transport.correlation_id or transport.message_id
                    answer = fault(errors, address, self._sender, correlation_id=cause, version=examined.version)
                else:
                    answer = response(
                        message, errors, address, self._sender, message_id=self._new_id(), now=self._now()
                    )
                self.recorder.said(delivery, answer)
                session.publisher.publish(answer, delivery)
                self.counts.replied += 1
                answered = str(address)
        self._bury(session, delivery, message, reason, errors[0], answered)

    def _bury(
        self, session: Session, delivery: Delivery, message: Message | None, reason: Reason, finding: Finding,
        answered: str = "not due",
    ) -> None:  # fmt: skip
        session.publisher.publish(self.burial.letter(delivery, message, reason, finding, answered), delivery)

    def _publish(
        self, session: Session, publication: Publication, delivery: Delivery, *, system: str = "", route: str = ""
    ) -> None:
        self.recorder.said(delivery, publication, system=system, route=route)
        session.publisher.publish(publication, delivery)
        self.counts.published += 1
