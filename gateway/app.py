"""The running gateway, built from settings: the one place where parts are wired together."""

import asyncio
import contextlib
import importlib
import os
import random
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from gateway.adapters import Adapter
from gateway.broker import (
    BrokerUnreachable,
    LoginRefused,
    Session,
    SessionLost,
    Topology,
    TopologyError,
    connect,
)
from gateway.broker.subscribing import SubscriptionQueues
from gateway.broker.topology import apply
from gateway.feeding import start_feed
from gateway.outage_wiring import checked_plan, make_view
from gateway.pipeline import Pipeline, Rules, Settlement
from gateway.pipeline.conversing import Conversing
from gateway.pipeline.delivering import Deliverer
from gateway.pipeline.discretion import Discretion
from gateway.pipeline.forwarding import Forwarder
from gateway.pipeline.housekeeping import DAY, Housekeeper, Retention
from gateway.pipeline.pages import Keep
from gateway.pipeline.recording import Recorder
from gateway.pipeline.refusal import Sender
from gateway.pipeline.subscribing import Subscribing
from gateway.pipeline.talks import Talks
from gateway.pipeline.workers import Workers
from gateway.readiness import Readiness
from gateway.resources import ResourceError
from gateway.routing import RoutingError
from gateway.rulebook import masks, route_table, schema_set
from gateway.settings import Settings, SettingsError
from gateway.store import Store, StoreUnavailable, time_ordered_id
from gateway.store.journal import Journal
from gateway.store.journal.opening import open_journal
from gateway.store.opening import open_store
from gateway.store.outages.opening import open_outages
from gateway.store.subscriptions.opening import open_subscriptions
from gateway.subscriptions import Marker, Subscription
from gateway.validation import SchemaError
from gateway.wiring import access, http_endpoints, iso_now, make_rules, reply_places, topology

if TYPE_CHECKING:
    from gateway.pipeline.outage_view import OutageView

log = structlog.get_logger(__name__)
T = TypeVar("T")

_WATCH_INTERVAL: Final = 1.0
_TIMER_INTERVAL: Final = 0.25


class Gateway:
    """One gateway process: holds a session with the broker, and opens another whenever it is lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # It explains refusals and takes half a second to import: now, not at the first one, where it would stall all.
        importlib.import_module("xmlschema")
        self._marker = Marker()
        self._rules = self._make_rules()
        self._subscribing: Subscribing
        self._deliverer: Deliverer
        self._topology = topology(settings, self._rules.table)
        self._pipeline: Pipeline | None = None
        self._view: OutageView | None = None
        self._discretion = Discretion(masks(settings, schema_set(settings)), settings.limits())
        self._forwarder = Forwarder(http_endpoints(settings), settings.coverage())
        for table in settings.endpoints:
            if table.exposed:
                log.warning(
                    "the Authorization of an endpoint goes over plain http, for all on the way to read: use https",
                    endpoint=table.name, url=table.url,
                )  # fmt: skip
        self._stopping = asyncio.Event()
        self._blocked = ""
        self._readiness = Readiness(settings.ready_file)

    @property
    def rules(self) -> Rules:
        """What decides about messages; each that comes after a change sees wholly the new."""
        return self._rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        rules = replace(rules, subscribers=replace(rules.subscribers, marker=self._marker))
        self._rules = rules
        if self._pipeline is not None:
            self._pipeline.rules = rules

    def stop(self) -> None:
        """Ask for a graceful end: what is in hand is finished first."""
        self._stopping.set()

    async def reload(self) -> None:
        """Read routes and schemas again; what is wrong with the new ones is logged, and the old stay in force.

        The queues of new systems are declared before the new routes are.
        """
        try:
            rules = self._make_rules()
            wanted = topology(self._settings, rules.table)
            if wanted != self._topology:
                await self._declare(wanted)
        except (RoutingError, ResourceError, SchemaError, SettingsError, TopologyError, ConnectionError) as error:
            log.error("reload refused, the rules stay as they were", reason=str(error))  # noqa: TRY400 - no defect
            return
        self._topology = wanted
        old, self.rules = self.rules, rules
        old.examiner.close()
        log.info("routes and schemas reloaded", routes=len(rules.table.routes))

    async def run(self) -> None:
        """Serve until `stop`.

        Raises `LoginRefused`, `TopologyError`, `StoreUnusable` or `FeedUnavailable` at the start, where only a person
        can help.
        """
        settings = self._settings
        url = settings.store.get_secret_value()
        async with contextlib.AsyncExitStack() as opened:
            opened.callback(lambda: self.rules.examiner.close())  # noqa: PLW0108 - of the rules in force by then
            if (store := await self._patiently(partial(open_store, url))) is None:
                return
            opened.push_async_callback(store.close)
            if (journal := await self._patiently(partial(open_journal, url))) is None:
                return
            opened.push_async_callback(journal.close)
            pipeline = self._pipeline = self._make_pipeline(store, journal)
            if (plan := self._plan) is not None:
                if (outages := await self._patiently(partial(open_outages, url))) is None:
                    return
                opened.push_async_callback(outages.close)
                adapter = partial(self._adapter, plan.system)
                self._view = make_view(settings, plan, outages, pipeline.recorder, adapter)
            if not await self._subscribed(opened, url, pipeline):
                return
            housekeeper = Housekeeper(store, journal, self._retention(), time.time)
            cleaning = asyncio.create_task(housekeeper.keep(), name="housekeeping")
            opened.push_async_callback(lambda: cleaning)
            opened.callback(housekeeper.stop)
            writer = asyncio.create_task(pipeline.recorder.serve(), name="journal")
            opened.push_async_callback(_ended, writer)
            await start_feed(settings, access(settings), self._readiness, opened)
            await self._run(pipeline, writer)

    async def _subscribed(self, opened: contextlib.AsyncExitStack, url: str, pipeline: Pipeline) -> bool:
        """Read the subscriptions, and follow their changes from then on; False where the stop came first."""
        store = await self._patiently(partial(open_subscriptions, url))
        if store is None:
            return False
        opened.push_async_callback(store.close)
        settings = self._settings
        workers = Workers(
            http_endpoints(settings), settings.coverage(), pipeline.burial, settings.outages.outage_codes(),
            settings.limits(),
        )  # fmt: skip
        self._deliverer = Deliverer(store, workers)
        process = f"{settings.name} {socket.gethostname()}:{os.getpid()}"
        self._subscribing = Subscribing(store, process, self._declare_subscriptions, self._subscriptions_changed)
        opened.push_async_callback(self._subscribing.leave)
        return await self._patiently(self._subscribing.read) is not None

    async def _declare_subscriptions(self, subscriptions: Sequence[Subscription]) -> None:
        """Make queues of subscriptions; one that cannot be is told in the log and holds up no other."""
        async with SubscriptionQueues.open(access(self._settings)) as queues:
            for subscription in subscriptions:
                try:
                    await queues.declare(subscription)
                except TopologyError as error:
                    log.error("a subscription has no queue", subscription=subscription.name, reason=str(error))  # noqa: TRY400

    async def _subscriptions_changed(self, subscriptions: Sequence[Subscription]) -> None:
        self._marker = Marker(subscriptions)
        self.rules = self._rules
        await self._deliverer.take(subscriptions)

    def _make_pipeline(self, store: Store, journal: Journal) -> Pipeline:
        settings = self._settings
        conversing = Conversing(store, now=time.time, new_id=time_ordered_id)
        return Pipeline(
            self.rules,
            Talks(
                conversing, settings.request_timeout, time.time, time_ordered_id,
                settings.resend_after, settings.allow_cancel_of_get,
            ),
            Recorder(
                journal, Keep(settings.journal), self._discretion, time.time,
                off_loop_bytes=settings.off_loop_bytes, classes=settings.keep_journal_of,
            ),
            Sender(settings.name, settings.context),
            reply_places(settings, self._topology),
            self._discretion,
            now=iso_now,
            new_id=_new_id,
            trace=settings.log_level == "debug",
        )  # fmt: skip

    def _adapter(self, system: str) -> Adapter:
        return self.rules.adapters[system]

    def _retention(self) -> Retention:
        settings = self._settings
        nouns = {noun: days * DAY for noun, days in settings.keep_journal_of.items()}
        return Retention(settings.keep_conversations * DAY, settings.keep_journal * DAY, nouns, settings.journal_bytes)

    async def _patiently(self, open_it: Callable[[], Awaitable[T]]) -> T | None:
        """Open something, and wait for it where it is only away for now; None where the stop came first."""
        delay = self._settings.reconnect_first
        while not self._stopping.is_set():
            try:
                return await open_it()
            except StoreUnavailable as error:
                log.warning("store not available, trying again", reason=str(error), retry_in=round(delay, 1))
                await self._pause(delay)
                delay = min(delay * 2, self._settings.reconnect_most)
        return None

    async def _run(self, pipeline: Pipeline, writer: asyncio.Task[None]) -> None:
        delay, served = self._settings.reconnect_first, False
        try:
            while not self._stopping.is_set():
                pipeline.recorder.forget()
                settlement = Settlement(
                    pipeline.counts, pipeline.recorder, pipeline.bury_undelivered, pipeline.confirmed
                )
                try:
                    session = await self._open(settlement)
                except (BrokerUnreachable, SessionLost, LoginRefused, TopologyError) as error:
                    if isinstance(error, LoginRefused | TopologyError) and not served:
                        raise
                    # Jitter, so that many gateways do not come back in the same instant.
                    pause = delay * random.uniform(0.8, 1.2)  # noqa: S311 - no secret hangs on it
                    log.warning("broker not available, trying again", reason=str(error), retry_in=round(pause, 1))
                    delay = min(delay * 2, self._settings.reconnect_most)
                    await self._pause(pause)
                    continue
                delay, served = self._settings.reconnect_first, True
                await self._serve(session, settlement, pipeline, writer)
        finally:
            counts = pipeline.counts
            log.info(
                "stopped", taken=counts.taken, settled=counts.settled, dead=counts.dead, replied=counts.replied,
                published=counts.published,
            )  # fmt: skip

    async def _declare(self, wanted: Topology) -> None:
        connection = await connect(access(self._settings), "topology")
        try:
            await apply(connection, wanted)
        finally:
            await connection.close()

    async def _open(self, settlement: Settlement) -> Session:
        await self._subscribing.before_session()
        session = await Session.open(
            access(self._settings), self._topology, settlement,
            prefetch=self._settings.prefetch, on_blocked=self._on_blocked,
        )  # fmt: skip
        settlement.serve(session)
        return session

    async def _serve(
        self, session: Session, settlement: Settlement, pipeline: Pipeline, writer: asyncio.Task[None]
    ) -> None:
        settings = self._settings
        log.info("serving", broker=access(settings).shown, context=settings.context, queue=self._topology.intake)
        work = asyncio.create_task(pipeline.serve(session, settlement, settings.batch), name="pipeline")
        timer = asyncio.create_task(pipeline.keep_time(session, _TIMER_INTERVAL), name="timer")
        posts = asyncio.create_task(self._forwarder.serve(session, pipeline.burial), name="posts")
        changes = asyncio.create_task(self._subscribing.keep(), name="subscriptions")
        delivery = asyncio.create_task(self._deliverer.serve(session), name="delivery")
        view = asyncio.create_task(self._keep_view(session, pipeline), name="outages")
        watch = asyncio.create_task(self._watch(session), name="watch")
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        try:
            with self._readiness.serving():
                ends: set[asyncio.Future[Any]] = {work, timer, posts, delivery, view, writer, stopping, session.lost}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set() and not session.lost.done() and not work.done():
                await self._finish(session, pipeline)
        finally:
            tasks = (work, timer, posts, delivery, view, changes, watch, stopping)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            reason = session.lost.exception() if session.lost.done() else results[0]
            await session.close()
        if writer.done():
            writer.result()  # a defect: without a writer nothing is acknowledged any more
        for result in results[:6]:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                raise result
        if not self._stopping.is_set():
            log.warning("session lost", reason=str(reason), in_hand=session.intake.in_hand)

    async def _finish(self, session: Session, pipeline: Pipeline) -> None:
        log.info("stopping", in_hand=session.intake.in_hand)
        try:
            async with asyncio.timeout(self._settings.stop_timeout):
                await session.stop_consuming()
                # Side by side: an endpoint that hangs must not keep the rest from its end.
                ends = (_emptied(session, pipeline), *(part.finish() for part in self._parts))
                await asyncio.gather(*ends)
        except TimeoutError:
            log.warning(
                "not all finished in time, the rest goes back to the broker",
                in_hand=session.intake.in_hand, posts=self._forwarder.under_way,
            )  # fmt: skip

    async def _keep_view(self, session: Session, pipeline: Pipeline) -> None:
        """Keep the outage view, where it is switched on."""
        if self._view is None:
            await asyncio.wait({session.lost})
        else:
            await self._view.serve(session, pipeline.burial, pipeline.counts)

    @property
    def _parts(self) -> tuple["Forwarder | Deliverer | OutageView", ...]:
        """What takes messages from queues of its own."""
        parts = self._forwarder, self._deliverer
        return parts if self._view is None else (*parts, self._view)

    async def _watch(self, session: Session) -> None:
        """Give the session up when confirms stay out: their fate is unknown, so the messages come again, marked."""
        while True:
            await asyncio.sleep(_WATCH_INTERVAL)
            waited = max(part.waiting_for() for part in (session.publisher, *self._parts))
            if waited > self._settings.confirm_timeout and not self._blocked:
                session.fail(f"No publisher confirm for {waited:.0f} s.")

    def _on_blocked(self, reason: str | None) -> None:
        self._blocked = reason or ""
        if reason:
            log.warning("broker blocks publishing, intake pauses", reason=reason)
        else:
            log.info("broker takes messages again")

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _make_rules(self) -> Rules:
        table = route_table(self._settings)
        self._plan = checked_plan(self._settings, table)
        return make_rules(self._settings, table)


async def _emptied(session: Session, pipeline: Pipeline) -> None:
    await session.intake.emptied()
    await pipeline.finish()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _new_id() -> str:
    return str(uuid.uuid4())
