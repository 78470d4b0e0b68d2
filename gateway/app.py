"""The running gateway, built from settings: the one place where parts are wired together."""

import asyncio
import contextlib
import importlib
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from gateway.adapters import Adapter, Subscribers
from gateway.broker import (
    Access,
    BrokerUnreachable,
    LoginRefused,
    Session,
    SessionLost,
    Topology,
    TopologyError,
    connect,
    topology_of,
)
from gateway.broker.topology import apply, intake_queue
from gateway.endpoints import AmqpAddress, parse_address
from gateway.pipeline import Examiner, Pipeline, Rules, Settlement
from gateway.pipeline.conversing import Conversing
from gateway.pipeline.dispatch import Dispatch
from gateway.pipeline.housekeeping import DAY, keep_house
from gateway.pipeline.refusal import Sender
from gateway.pipeline.talks import Talks
from gateway.resources import ResourceError
from gateway.routing import RouteTable, RoutingError
from gateway.rulebook import dialects, route_table, schema_set, serving_checker, unnamed
from gateway.settings import Settings, SettingsError
from gateway.store import Store, StoreUnavailable, time_ordered_id
from gateway.store.opening import open_store
from gateway.validation import SchemaError

log = structlog.get_logger(__name__)

_WATCH_INTERVAL: Final = 1.0
_TIMER_INTERVAL: Final = 0.25


def access(settings: Settings) -> Access:
    """Give how the broker is reached."""
    return Access(settings.broker_url(), settings.name, settings.heartbeat)


def addresses(table: RouteTable) -> dict[str, AmqpAddress]:
    """Give the address of each system; routing has checked their form."""
    found = {name: parse_address(system.address) for name, system in table.systems.items()}
    return {name: address for name, address in found.items() if address is not None}


def topology(settings: Settings, table: RouteTable) -> Topology:
    """Lay out the topology for the context and the systems of the routing tables."""
    return topology_of(settings.context, addresses(table).items())


class Gateway:
    """One gateway process: holds a session with the broker, and opens another whenever it is lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # It explains refusals and takes half a second to import: now, not at the first one, where it would stall all.
        importlib.import_module("xmlschema")
        self._rules = self._make_rules()
        self._topology = topology(settings, self._rules.table)
        self._pipeline: Pipeline | None = None
        self._stopping = asyncio.Event()
        self._blocked = ""

    @property
    def rules(self) -> Rules:
        """What decides about messages; each that comes after a change sees wholly the new."""
        return self._rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
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

        Raises `LoginRefused`, `TopologyError` or `StoreUnusable` where only a person can help, at the start.
        """
        try:
            store = await self._open_store()
            if store is None:
                return
            keep = self._settings.keep_conversations * DAY
            house = asyncio.create_task(keep_house(store, keep, time.time), name="housekeeping")
            try:
                self._pipeline = self._make_pipeline(store)
                await self._run(self._pipeline)
            finally:
                house.cancel()
                await asyncio.gather(house, return_exceptions=True)
                await store.close()
        finally:
            self.rules.examiner.close()

    def _make_pipeline(self, store: Store) -> Pipeline:
        settings = self._settings
        conversing = Conversing(store, now=time.time, new_id=time_ordered_id)
        return Pipeline(
            self.rules,
            Talks(
                conversing,
                settings.request_timeout,
                time.time,
                time_ordered_id,
                settings.resend_after,
                settings.allow_cancel_of_get,
            ),
            Sender(settings.name, settings.context),
            frozenset(self._topology.own_queues),
            now=_iso_now,
            new_id=_new_id,
            trace=settings.log_level == "debug",
        )

    async def _open_store(self) -> Store | None:
        """Open the store, and wait for it where it is only away for now; None where the stop came first."""
        delay = self._settings.reconnect_first
        while not self._stopping.is_set():
            try:
                return await open_store(self._settings.store.get_secret_value())
            except StoreUnavailable as error:
                log.warning("store not available, trying again", reason=str(error), retry_in=round(delay, 1))
                await self._pause(delay)
                delay = min(delay * 2, self._settings.reconnect_most)
        return None

    async def _run(self, pipeline: Pipeline) -> None:
        delay, served = self._settings.reconnect_first, False
        try:
            while not self._stopping.is_set():
                settlement = Settlement(pipeline.counts, pipeline.bury_undelivered, pipeline.confirmed)
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
                await self._serve(session, pipeline)
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
        session = await Session.open(
            access(self._settings), self._topology, settlement,
            prefetch=self._settings.prefetch, on_blocked=self._on_blocked,
        )  # fmt: skip
        settlement.serve(session)
        return session

    async def _serve(self, session: Session, pipeline: Pipeline) -> None:
        settings = self._settings
        log.info("serving", broker=access(settings).shown, context=settings.context, queue=self._topology.intake)
        work = asyncio.create_task(pipeline.serve(session, settings.batch), name="pipeline")
        timer = asyncio.create_task(pipeline.keep_time(session, _TIMER_INTERVAL), name="timer")
        watch = asyncio.create_task(self._watch(session), name="watch")
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        try:
            with _ready(settings.ready_file):
                ends: set[asyncio.Future[Any]] = {work, timer, stopping, session.lost}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set() and not session.lost.done() and not work.done():
                await self._finish(session)
        finally:
            for task in (work, timer, watch, stopping):
                task.cancel()
            results = await asyncio.gather(work, timer, watch, stopping, return_exceptions=True)
            reason = session.lost.exception() if session.lost.done() else results[0]
            await session.close()
        for result in results[:2]:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                raise result
        if not self._stopping.is_set():
            log.warning("session lost", reason=str(reason), in_hand=session.intake.in_hand)

    async def _finish(self, session: Session) -> None:
        log.info("stopping", in_hand=session.intake.in_hand)
        try:
            async with asyncio.timeout(self._settings.stop_timeout):
                await session.stop_consuming()
                await session.intake.emptied()
        except TimeoutError:
            log.warning("not all finished in time, the rest goes back to the broker", in_hand=session.intake.in_hand)

    async def _watch(self, session: Session) -> None:
        """Give the session up when confirms stay out: their fate is unknown, so the messages come again, marked."""
        while True:
            await asyncio.sleep(_WATCH_INTERVAL)
            waited = session.publisher.waiting_for()
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
        settings = self._settings
        table = route_table(settings)
        spoken = dialects(settings, schema_set(settings))
        examiner = Examiner(lambda: serving_checker(settings), spoken, settings.limits(), settings.off_loop_bytes)
        adapters = {
            name: Adapter(name, address, spoken.speech_of(table.systems[name].dialect or name))
            for name, address in addresses(table).items()
        }
        dispatch = Dispatch(
            adapters=adapters,
            systems={source: adapters[name].address for name, system in table.systems.items()
                     for source in (name, *system.sources)},
            sender=Sender(settings.name, settings.context),
            intake=intake_queue(settings.context),
            own_queues=frozenset(topology(settings, table).own_queues),
            limits=settings.limits(),
            now=_iso_now,
        )  # fmt: skip
        subscribers = Subscribers(settings.context, all_events=settings.publish_events)
        return Rules(examiner, table, adapters, spoken, dispatch, subscribers, unnamed(settings, table))


def _iso_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _new_id() -> str:
    return str(uuid.uuid4())


@contextlib.contextmanager
def _ready(file: Path | None) -> Iterator[None]:
    if file is not None:
        file.write_text(f"{time.time():.0f}\n")
    try:
        yield
    finally:
        if file is not None:
            file.unlink(missing_ok=True)
