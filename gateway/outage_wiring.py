"""The outage view of a running gateway, built from settings; where it is off, nothing of it is there."""

import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from gateway.adapters import Adapter
from gateway.adapters.oms import OutagePlan
from gateway.broker import Topology
from gateway.broker.outage_queue import OUTAGES, outage_bindings
from gateway.broker.topology import Binding, Queue
from gateway.pipeline.outage_view import OutageView, Reading
from gateway.pipeline.recording import Recorder
from gateway.pipeline.refusal import Sender
from gateway.routing import RouteTable
from gateway.rulebook import outage_plan, told_twice
from gateway.settings import Settings
from gateway.store import time_ordered_id
from gateway.store.outages import OutageStore

log = structlog.get_logger(__name__)


def view_queues(settings: Settings) -> list[tuple[Queue, tuple[Binding, ...]]]:
    """Give the queue that the view reads, with what binds it."""
    if not settings.outages.on:
        return []
    return [(OUTAGES, outage_bindings(settings.outages.outage_codes(), OUTAGES.name))]


def without_unused(settings: Settings, topology: Topology) -> Topology:
    """Have it told where the queue of the view is still there and the view is off."""
    return topology if settings.outages.on else replace(topology, unused=(OUTAGES.name,))


def checked_plan(settings: Settings, table: RouteTable) -> OutagePlan | None:
    """Give how the view works; None where it is off. Says in the log where routes tell its system too.

    Raises `SettingsError` where its system is none.
    """
    plan = outage_plan(settings, table)
    if plan is not None and (routes := told_twice(plan, table)):
        log.warning(
            "the system of the outage view gets power events as they come too: take them out of these routes",
            system=plan.system, routes=routes,
        )  # fmt: skip
    return plan


def make_view(
    settings: Settings, plan: OutagePlan, store: OutageStore, recorder: Recorder, adapter: Callable[[], Adapter]
) -> OutageView:
    """Make the view; `adapter` gives the system that is told, as the routes in force have it."""
    return OutageView(
        store, plan, adapter, recorder, Sender(settings.name, settings.context),
        Reading(settings.limits(), settings.off_loop_bytes), now=time.time, new_id=time_ordered_id,
    )  # fmt: skip
