"""Gathers reports for the outage management system: one at once as long as it is calm, many in a message in a storm.

    batches = Batches(BatchPolicy())
    ready = batches.take(happenings, now)       # what is to be sent now, each a message
    ready = batches.due(now)                    # likewise, when `batches.next` has come

Nothing is lost: a report is ready, or it waits in `waiting`, which is to be kept (`reports_to_json`) before what came
is acknowledged; `changes` tells what there is to be kept, and what no longer. Repeated, late and further events are
none of the system's business and go no further.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.adapters.oms.report import Report
from gateway.outages import CHANGES, Happening, Power, What

_SECOND: Final = 1_000_000
_LOSSES: Final = frozenset({What.LOST, What.PARTLY_LOST})
_RETURNS: Final = frozenset({What.RESTORED, What.MOMENTARY})


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """When reports are gathered. Times in seconds.

    It is a storm while more than `calm` reports come within `window`; then a batch goes out when there are `count` of
    them, or when the oldest has waited for `seconds`. With `suppress_momentary` each loss waits for so long, and goes
    out only if power is not back by then; what is back goes out neither as lost nor as restored. 0 sends all.
    """

    calm: int = 10
    window: float = 10.0
    count: int = 500
    seconds: float = 5.0
    suppress_momentary: float = 0.0


class Batches:
    """The reports that wait, in the order they came. Times are microseconds since 1970; linear in the reports."""

    def __init__(self, policy: BatchPolicy, waiting: Iterable[Report] = ()) -> None:
        self._policy = policy
        self._held: dict[str, list[Report]] = {}
        self._ready: deque[Report] = deque()
        self._recent: deque[int] = deque()
        self._number = 0
        self._fresh: list[Report] = []
        self._withdrawn: list[Report] = []
        self.suppressed = 0
        """Momentary outages that were not told."""
        for report in waiting:
            self._number = max(self._number, report.number)
            self._recent.append(report.since)
            self._sort_in(report)

    @property
    def waiting(self) -> tuple[Report, ...]:
        """All reports that are not sent; of each device in the order they came."""
        return (*self._ready, *(report for reports in self._held.values() for report in reports))

    @property
    def next(self) -> int | None:
        """When `due` is to be asked again; None while nothing waits."""
        moments = [self._ready[0].since + self._micro(self._policy.seconds)] if self._ready else []
        if self._held:  # in the order of their last report
            moments.append(next(iter(self._held.values()))[-1].since + self._micro(self._policy.suppress_momentary))
        return min(moments, default=None)

    def take(self, happenings: Iterable[Happening], now: int) -> list[tuple[Report, ...]]:
        """Take what happened; give the batches that are to be sent now."""
        for happening in happenings:
            if happening.what in CHANGES and not (happening.what is What.MOMENTARY and happening.lasted is None):
                self._number = max(self._number + 1, now)
                report = Report.of(happening, now, self._number)
                self._fresh.append(report)
                self._recent.append(now)
                self._sort_in(report)
        return self.due(now)

    def due(self, now: int) -> list[tuple[Report, ...]]:
        """Give the batches that are to be sent now."""
        self._release(now)
        start = now - self._micro(self._policy.window)
        while self._recent and self._recent[0] <= start:
            self._recent.popleft()
        batches = []
        while len(self._ready) >= self._policy.count:
            batches.append(self._batch(self._policy.count))
        storm = len(self._recent) > self._policy.calm
        if self._ready and (not storm or self._ready[0].since + self._micro(self._policy.seconds) <= now):
            batches.append(self._batch(len(self._ready)))
        return batches

    def changes(self) -> tuple[list[Report], list[Report]]:
        """Give the reports that were made since the last call, and those that will not be sent any more."""
        changes = self._fresh, self._withdrawn
        self._fresh, self._withdrawn = [], []
        return changes

    def _batch(self, count: int) -> tuple[Report, ...]:
        return tuple(self._ready.popleft() for _ in range(count))

    def _sort_in(self, report: Report) -> None:
        hold = self._micro(self._policy.suppress_momentary)
        held = self._held.pop(report.device.key, None)
        # A phase that was told as lost must be told as restored, so what follows it is not held back.
        if hold and report.what in _LOSSES and (held or report.before not in (Power.PARTLY, Power.OUT)):
            self._held[report.device.key] = [*(held or ()), report]
            return
        if held and report.what in _RETURNS and report.lasted is not None and report.lasted <= hold:
            self.suppressed += 1
            self._withdrawn += [*held, report]
            return
        self._ready.extend((*(held or ()), report))

    def _release(self, now: int) -> None:
        """Let those losses go that have been held for long enough."""
        latest = now - self._micro(self._policy.suppress_momentary)
        for key in list(self._held):
            if self._held[key][-1].since > latest:
                break  # in the order in which they came
            self._ready.extend(self._held.pop(key))

    @staticmethod
    def _micro(seconds: float) -> int:
        return round(seconds * _SECOND)
