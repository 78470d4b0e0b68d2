"""The outage view at work: power events come from its queue, are folded, and what changes is told to a system.

A message is acknowledged once what it means is in the store (`outage_ledger`); what is to be told is there too, with
its MessageID, before it is published, and leaves the store when the system's queue has it and the journal knows. So a
kill at any point loses nothing, and what may go out twice is marked and has the same MessageID.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from gateway.adapters import Adapter
from gateway.adapters.oms import OutagePlan, batch_message
from gateway.broker import Delivery, Outlet, Session
from gateway.broker.outage_queue import OUTAGES
from gateway.crashpoints import crash_point
from gateway.endpoints import Publication
from gateway.logs import about
from gateway.message import Finding, Header, Limits, Message, Unreadable, read
from gateway.message.instants import from_microseconds
from gateway.outages import OutageCodes, PowerEvent, power_events
from gateway.pipeline.burial import Burial, internal_error
from gateway.pipeline.dead_letter import Reason
from gateway.pipeline.examination import Examined
from gateway.pipeline.outage_ledger import Going, OutageLedger, Told
from gateway.pipeline.patience import Patience
from gateway.pipeline.recording import Recorder
from gateway.pipeline.refusal import Sender
from gateway.pipeline.settlement import Counts, Settlement
from gateway.store import StoreUnavailable, StoreUnusable
from gateway.store.outages import OutageStore

log = structlog.get_logger(__name__)

_SECOND: Final = 1_000_000
_PREFETCH: Final = 1_000
_MESSAGES_AT_ONCE: Final = 500  # fewer, and the view falls behind the pipeline in a storm: each await costs it a turn
_EVENTS_AT_ONCE: Final = 5_000
_INTERVAL: Final = 0.2
_GRACE: Final = 5.0
_FEW: Final = 50
"""A message with so many reports is written on the spot; a larger one in a thread."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the view reads messages: larger ones than `off_loop_bytes` in a thread."""

    limits: Limits
    off_loop_bytes: int


class OutageView:
    """Keeps the view, session after session. `adapter` gives the system that is told; `now` is since the epoch."""

    def __init__(
        self, store: OutageStore, plan: OutagePlan, adapter: Callable[[], Adapter], recorder: Recorder,
        sender: Sender, reading: Reading, *,
        now: Callable[[], float], new_id: Callable[[], str],
    ) -> None:  # fmt: skip
        self._plan = plan
        self._adapter = adapter
        self._recorder = recorder
        self._sender = sender
        self._reading = reading
        self._now = now
        self._ledger = OutageLedger(store, plan, new_id(), now=lambda: round(now() * _SECOND), new_id=new_id)
        self._patience = Patience(
            "outages cannot be kept: store not available, the outage view pauses", "the outage view goes on"
        )
        self._stopping = False
        self._wake = asyncio.Event()
        self._sent = asyncio.Event()
        self._on_the_way: Delivery | None = None
        self._idle = asyncio.Event()
        self._outlet: Outlet | None = None
        self._burial: Burial

    async def serve(self, session: Session, burial: Burial, counts: Counts) -> None:
        """Work until the session is lost, or until cancelled; `burial` makes the dead letters.

        Raises `SessionLost` if it cannot begin, `StoreUnusable` where the store is of another release.
        """
        self._burial = burial
        self._ledger.forget()
        settlement = Settlement(counts, self._recorder, burial.undelivered, own=self._heard)
        outlet = self._outlet = await session.open_outlet(OUTAGES.name, settlement, prefetch=_PREFETCH)
        settlement.serve(session, outlet)
        try:
            async with asyncio.TaskGroup() as group:
                work = (self._take(outlet), self._send(outlet), self._keep_time())
                tasks = [group.create_task(one) for one in work]
                await asyncio.wait({session.lost})
                for task in tasks:
                    task.cancel()
        except* StoreUnusable as several:
            raise several.exceptions[0] from None

    async def finish(self) -> None:
        """Fold and send what is in hand; another process may go on with what waits. No more comes by then.

        What the system does not take stays in the store, so that a stop does not wait for it.
        """
        self._stopping = True
        if self._outlet is not None:
            await self._outlet.intake.emptied()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                while self._ledger.going:
                    self._idle.clear()
                    await self._idle.wait()
        with contextlib.suppress(StoreUnavailable):  # then the others wait a little
            await self._ledger.leave()

    def waiting_for(self) -> float:
        """Seconds since the last confirm of the broker while some are due."""
        return 0.0 if self._outlet is None else self._outlet.publisher.waiting_for()

    async def _take(self, outlet: Outlet) -> None:
        """Take what comes, many messages at once, and fold it."""
        while True:
            events, told = 0, list[tuple[Delivery, Told]]()
            for delivery in await outlet.intake.batch(_MESSAGES_AT_ONCE):
                if (one := await self._read(outlet, delivery)) is None:
                    continue
                told.append((delivery, one))
                events += len(one.events)
                if events >= _EVENTS_AT_ONCE:
                    await self._keep(outlet, told)
                    events, told = 0, []
            if told:
                await self._keep(outlet, told)

    async def _keep(self, outlet: Outlet, told: list[tuple[Delivery, Told]]) -> None:
        """Fold what was told and acknowledge it; a message that cannot be folded must not hold up the others."""
        try:
            await self._patience.use(partial(self._ledger.take, [one for _, one in told]))
        except StoreUnusable:
            raise
        except Exception as error:
            if len(told) > 1:
                for one in told:
                    await self._keep(outlet, [one])
                return
            log.exception("a message cannot be taken into the outage view")
            self._bury(outlet, told[0][0], None, Reason.INTERNAL_ERROR, internal_error(error))
            return
        for delivery, _ in told:
            outlet.intake.settle(delivery)
        outlet.intake.acknowledge()
        self._wake.set()

    async def _read(self, outlet: Outlet, delivery: Delivery) -> Told | None:
        """Give the power events of a message; what cannot be read is a dead letter."""
        limits, codes = self._reading.limits, self._plan.codes
        try:
            if len(delivery.body) > self._reading.off_loop_bytes:
                message, events, nameless = await asyncio.to_thread(_found, delivery.body, limits, codes)
            else:
                message, events, nameless = _found(delivery.body, limits, codes)
        except Unreadable as error:
            self._bury(outlet, delivery, None, Reason.UNREADABLE, error.finding)
            return None
        except Exception as error:  # a defect of ours must neither lose a message nor stop those behind it
            log.exception("internal error")
            self._bury(outlet, delivery, None, Reason.INTERNAL_ERROR, internal_error(error))
            return None
        if nameless:
            log.warning(
                "power events name neither device nor usage point: the outage view leaves them out", events=nameless,
                **about(message.header),
            )  # fmt: skip
        _, _, published = delivery.said  # the same when it comes again
        return Told(events, round((published or self._now()) * _SECOND), message.header.source or "")

    def _bury(
        self, outlet: Outlet, delivery: Delivery, message: Message | None, reason: Reason, finding: Finding
    ) -> None:
        self._recorder.opened(delivery, Examined(message, (finding,)))
        letter = self._burial.letter(delivery, message, reason, finding, "not due", f"queue:{OUTAGES.name}")
        outlet.publisher.publish(letter, delivery)
        outlet.publisher.flush()

    async def _keep_time(self) -> None:
        """Let reports go whose time has come, and do what another process has left undone."""
        while True:
            await asyncio.sleep(_INTERVAL)
            if not self._stopping and await self._patience.use(self._ledger.wanted):
                await self._patience.use(self._ledger.take)
                self._wake.set()

    async def _send(self, outlet: Outlet) -> None:
        """Send what is to be told, one message after the other, so that the system hears of it in order."""
        while True:
            self._wake.clear()
            while self._ledger.going:
                going = self._ledger.going[0]
                publication = await self._publication(going)
                delivery = self._on_the_way = Delivery.of_our_own()
                self._sent.clear()
                self._recorder.said(delivery, publication, system=self._plan.system)
                crash_point("publish")
                outlet.publisher.publish(publication, delivery)
                outlet.publisher.flush()
                await self._sent.wait()
                await self._patience.use(partial(self._ledger.sent, going))
                if len(going.reports) > 1:
                    log.info("outages told in one message", system=self._plan.system, devices=len(going.reports))
            self._idle.set()
            await self._wake.wait()

    def _heard(self, delivery: Delivery) -> None:
        """Hear that what was published is confirmed and in the journal; of an earlier session it says nothing."""
        if delivery is self._on_the_way:
            self._sent.set()

    async def _publication(self, going: Going) -> Publication:
        if len(going.reports) > _FEW:
            message = await asyncio.to_thread(_written, going, self._sender)
        else:
            message = _written(going, self._sender)
        return self._adapter().publication(message, reply_to="", passed_on={}, repeated=going.repeated)


def _found(body: bytes, limits: Limits, codes: OutageCodes) -> tuple[Message, tuple[PowerEvent, ...], int]:
    """Read a message; gives its power events, and how many it has that name no device."""
    message = read(body, limits)
    found = list(power_events(message, codes))
    events = tuple(event for event in found if isinstance(event, PowerEvent))
    return message, events, len(found) - len(events)


def _written(going: Going, sender: Sender) -> Message:
    at = from_microseconds(going.made).isoformat(timespec="milliseconds")
    header = Header("", "", context=sender.context, timestamp=at, source=sender.name, message_id=going.id)
    return read(batch_message(going.reports, header, iter(())))
