"""The outage view and its store: what was told is folded, and what follows from it is to be sent, in one transaction.

Several gateway processes may share a store; one of them works at the view at a time. Who has messages in hand is that
one (the broker hands them to one consumer); where there are none, who did last, until it has not been seen for a while.
So every transaction begins with a look at whose turn it is, and what is in memory counts only as long as nobody else
had it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.adapters.oms import Batches, OutagePlan, Report, reports_from_json, reports_to_json
from gateway.crashpoints import crash_point
from gateway.outages import BadState, DeviceState, Happening, Policy, PowerEvent, fold_all, from_json, to_json
from gateway.store import StoreUnusable
from gateway.store.outages import OutageStore, OutageUnit, StoredBatch, StoredDevice, StoredReport

_SECOND: Final = 1_000_000
LEASE: Final = 5 * _SECOND
"""After so long without a sign of the process that works at the view, another one does what is left to be done."""

_SIGN: Final = 2 * _SECOND
_LOOK: Final = 1 * _SECOND
_LONGEST: Final = 300
_FEW: Final = 200
"""So many events are folded on the spot; more of them in a thread."""


@dataclass(frozen=True, slots=True)
class Told:
    """The power events of one message, when it came (microseconds since 1970), and its source."""

    events: tuple[PowerEvent, ...]
    received: int
    source: str


@dataclass(frozen=True, slots=True)
class Going:
    """Reports on their way in one message with a MessageID; `repeated` where they may have been sent before."""

    id: str
    made: int
    reports: tuple[Report, ...]
    repeated: bool = False


class OutageLedger:
    """One process's hand in the view. `me` names the process; `now` is microseconds since 1970."""

    def __init__(
        self, store: OutageStore, plan: OutagePlan, me: str, *, now: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._plan = plan
        self._me = me
        self._now = now
        self._new_id = new_id
        self._batches: Batches | None = None
        self._number = 0
        self._seen = 0
        self._looked = 0
        self._turn = asyncio.Lock()
        self.going: deque[Going] = deque()
        """What is to be sent, in order."""

    def forget(self) -> None:
        """Trust nothing but the store from now on: another process may have had the view meanwhile."""
        self._batches = None
        self.going.clear()

    async def take(self, told: Sequence[Told] = ()) -> None:
        """Fold what was told; without anything, do what the time asks for. What is to be sent is in `going` then.

        Raises what the store raises; then nothing of it is done, or all of it: to take it again is right in both cases.
        Raises `StoreUnusable` where another release has written what is to be told, `BadState` for such a device.
        """
        async with self._turn:
            try:
                found = await self._take(told)
            except BaseException:
                self._batches = None  # it may be ahead of the store, or behind
                raise
            known = {one.id for one in self.going}
            self.going.extend(one for one in found if one.id not in known)

    async def wanted(self) -> bool:
        """Tell whether the time asks for something: a report is due, or another process has left something undone."""
        now = self._now()
        if self._batches is not None:
            due = self._batches.next
            asleep = bool(due is not None or self.going) and self._seen + _SIGN <= now
            return asleep or (due is not None and due <= now)
        if self._looked + _LOOK > now:
            return False
        self._looked = now
        left = await self._store.left()
        return left is not None and self._is_free(left.owner, left.seen, now)

    async def sent(self, going: Going) -> None:
        """Let what was sent leave the store."""
        await self._store.sent(going.id)
        crash_point("outages sent")
        if self.going and self.going[0].id == going.id:
            self.going.popleft()

    async def leave(self) -> None:
        """Let another process go on at once."""
        async with self._turn, self._store.begin() as unit:
            if (await unit.holder()).owner == self._me:
                await unit.hold("", self._now())
            self._batches = None

    def _is_free(self, owner: str, seen: int, now: int) -> bool:
        return owner in ("", self._me) or seen + LEASE <= now

    async def _take(self, told: Sequence[Told]) -> list[Going]:
        found: list[Going] = []
        async with self._store.begin() as unit:
            now = self._now()
            holder = await unit.holder()
            if holder.owner != self._me:
                self._batches = None
                while len(self.going) > 1:  # the first is on its way already
                    self.going.pop()
                if not told and not self._is_free(holder.owner, holder.seen, now):
                    return []
            batches = self._batches
            if batches is None:
                batches = self._batches = Batches(self._plan.batching, await _reports(unit))
                left = await unit.batches()
                self._number = max((self._number, *(stored.number for stored in left)))
                found += [_going(stored) for stored in left]
            known = await unit.devices({event.device.key for one in told for event in one.events})
            devices, happenings = await self._folded(told, known)
            ready = batches.take(happenings, now)
            fresh, withdrawn = batches.changes()
            made = [self._made(reports, now) for reports in ready]
            over = {report.number for reports in ready for report in reports} | {one.number for one in withdrawn}
            await unit.put(devices)
            await unit.add(
                [StoredReport(one.number, reports_to_json([one])) for one in fresh if one.number not in over],
                [stored for stored, _ in made],
            )
            await unit.drop(over - {one.number for one in fresh})
            await unit.hold(self._me, now)
            crash_point("outages")
        crash_point("outages kept")
        self._seen = now
        return [*found, *(going for _, going in made)]

    async def _folded(
        self, told: Sequence[Told], known: Mapping[str, StoredDevice]
    ) -> tuple[list[StoredDevice], list[Happening]]:
        if sum(len(one.events) for one in told) > _FEW:
            return await asyncio.to_thread(folded, told, known, self._plan.policy)
        return folded(told, known, self._plan.policy)

    def _made(self, reports: Sequence[Report], now: int) -> tuple[StoredBatch, Going]:
        """Give a batch its MessageID, and its events mRIDs where they have none: sent again it is the same."""
        named = tuple(one if one.event_id else replace(one, event_id=self._new_id()) for one in reports)
        id_ = self._new_id()
        self._number = max(self._number + 1, now)
        return StoredBatch(id_, self._number, now, reports_to_json(named)), Going(id_, now, named)


def folded(
    told: Sequence[Told], known: Mapping[str, StoredDevice], policy: Policy
) -> tuple[list[StoredDevice], list[Happening]]:
    """Fold what was told into the devices that are known; gives those that have changed, and what happened."""
    states: dict[str, DeviceState] = {key: from_json(device.document) for key, device in known.items()}
    last: dict[str, tuple[Told, PowerEvent]] = {}
    happenings: list[Happening] = []
    for one in told:
        changed, happened = fold_all(states, one.events, one.received, policy)
        states |= changed
        happenings += happened
        last |= {event.device.key: (one, event) for event in one.events if event.device.key in changed}
    return [_device(key, states[key], one, event) for key, (one, event) in last.items()], happenings


def _device(key: str, state: DeviceState, told: Told, event: PowerEvent) -> StoredDevice:
    view = state.view
    return StoredDevice(
        key, to_json(state), view.power, view.since, view.restored, event.device.shown[:_LONGEST], event.code,
        told.source[:_LONGEST],
        told.received,
    )  # fmt: skip


async def _reports(unit: OutageUnit) -> list[Report]:
    return [report for stored in await unit.reports() for report in _read(stored.document)]


def _going(stored: StoredBatch) -> Going:
    return Going(stored.id, stored.made, _read(stored.document), repeated=True)


def _read(document: str) -> tuple[Report, ...]:
    try:
        return reports_from_json(document)
    except BadState as error:
        raise StoreUnusable(
            f"what is to be told of outages cannot be read ({error}): run the release of cimgate that wrote it, or a "
            "newer one"
        ) from error
