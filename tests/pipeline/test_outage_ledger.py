"""What the outage view keeps: whatever happens between two transactions, each change is told, and once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest
import pytest_asyncio

from gateway.adapters.oms import BatchPolicy, OutagePlan
from gateway.outages import DEFAULT_POLICY, PowerEvent
from gateway.pipeline.outage_ledger import LEASE, OutageLedger, Told
from gateway.store import StoreUnusable
from gateway.store.outages import OutageStore, StoredReport
from gateway.store.outages.opening import open_outages
from tests.outages.telling import CODES, FAILED, RESTORED, at, told

SECOND = 1_000_000


@dataclass
class Clock:
    now: int = at("14:03")

    def __call__(self) -> int:
        return self.now


@pytest_asyncio.fixture
async def store(sqlite_url: str) -> AsyncIterator[OutageStore]:
    opened = await open_outages(sqlite_url)
    yield opened
    await opened.close()


def ledger(store: OutageStore, clock: Clock, me: str = "a", **policy: float) -> OutageLedger:
    numbers = count()
    plan = OutagePlan(CODES, DEFAULT_POLICY, BatchPolicy(**policy), "OMS")  # type: ignore[arg-type] # whole numbers too
    return OutageLedger(store, plan, me, now=clock, new_id=lambda: f"{me}-{next(numbers)}")


def came(*events: PowerEvent, received: str = "14:03") -> list[Told]:
    return [Told(events, at(received), "HES")]


async def test_a_loss_that_is_held_survives_a_restart_and_is_not_told_where_power_came_back(store: OutageStore) -> None:
    clock = Clock()
    await ledger(store, clock, "a", suppress_momentary=60).take(came(told(FAILED, "14:03", "M-1")))
    assert (await store.standing()).reports == 1
    clock.now += 30 * SECOND
    again = ledger(store, clock, "b", suppress_momentary=60)
    await again.take(came(told(RESTORED, "14:03:30", "M-1"), told(FAILED, "14:03:30", "M-2")))
    clock.now += 60 * SECOND
    assert await again.wanted()
    await again.take()
    assert [[report.device.shown for report in going.reports] for going in again.going] == [["M-2"]]
    await again.sent(again.going[0])
    assert await store.left() is None


async def test_what_was_taken_is_not_told_again_when_it_comes_again(store: OutageStore) -> None:
    """As after a commit whose outcome nobody knows, and after a kill before the acknowledgement."""
    clock = Clock()
    gasp = told(FAILED, "14:03", "M-1")
    await ledger(store, clock).take(came(gasp))
    again = ledger(store, clock, "b")
    await again.take(came(gasp))
    [going] = again.going
    assert (going.id, going.repeated) == ("a-1", True)
    assert going.reports[0].event_id == "a-0"


async def test_another_process_goes_on_only_where_the_first_is_gone(store: OutageStore) -> None:
    clock = Clock()
    first, second = ledger(store, clock, "a", calm=0), ledger(store, clock, "b", calm=0)
    await first.take(came(told(FAILED, "14:03", "M-1")))
    clock.now += 2 * SECOND
    assert not await second.wanted()
    await second.take()  # asked for nothing: it leaves the other alone
    clock.now += 4 * SECOND
    assert await first.wanted()
    await first.take()
    assert [going.repeated for going in first.going] == [False]
    clock.now += LEASE
    assert await second.wanted()
    await second.take()
    assert [going.repeated for going in second.going] == [True]


async def test_a_process_that_lost_the_view_and_gets_it_back_trusts_the_store_alone(store: OutageStore) -> None:
    clock = Clock()
    first, second = ledger(store, clock, "a", calm=0, count=3), ledger(store, clock, "b", calm=0, count=3)
    await first.take(came(told(FAILED, "14:03", "M-1")))
    await second.take(came(told(FAILED, "14:03", "M-2")))
    await first.take(came(told(FAILED, "14:03", "M-3")))
    assert [[report.device.shown for report in going.reports] for going in first.going] == [["M-1", "M-2", "M-3"]]
    assert (await store.standing()).reports == 0


async def test_a_process_that_leaves_lets_another_go_on_at_once(store: OutageStore) -> None:
    clock = Clock()
    first, second = ledger(store, clock, "a", calm=0), ledger(store, clock, "b", calm=0)
    await first.take(came(told(FAILED, "14:03", "M-1")))
    await first.leave()
    clock.now += 2 * SECOND
    assert await second.wanted()


async def test_what_another_release_wrote_stops_the_view_before_anything_is_lost(store: OutageStore) -> None:
    async with store.begin() as unit:
        await unit.add([StoredReport(1, '{"version":9,"reports":[]}')], [])
    with pytest.raises(StoreUnusable, match="of version 9"):
        await ledger(store, Clock()).take(came(told(FAILED, "14:03", "M-1")))
    standing = await store.standing()
    assert (standing.devices, standing.reports) == ({}, 1)
