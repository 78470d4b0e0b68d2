"""A true story, told in any order, more than once and in batches: what the view says in the end is what is true.

The model knows the true order: it replays it with a set of what is out.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.adapters.oms import Batches, BatchPolicy, Report, reports_from_json, reports_to_json
from gateway.outages import (
    DeviceState,
    Power,
    PowerEvent,
    Scope,
    What,
    describe,
    fold_all,
    from_json,
    to_json,
)
from gateway.outages.codes import ENDS
from gateway.outages.state import MOST_FACTS
from tests.outages.telling import FAILED, PHASE_FAILED, PHASE_RESTORED, RESTORED, VOLTAGE_LOST, VOLTAGE_NORMAL, at, told

SECOND = 1_000_000
DEVICES = ("M-1", "M-2", "M-3")
LOSS = {Scope.SUPPLY: FAILED, Scope.VOLTAGE: VOLTAGE_LOST, Scope.PHASE: PHASE_FAILED}
BACK = {Scope.SUPPLY: RESTORED, Scope.VOLTAGE: VOLTAGE_NORMAL, Scope.PHASE: PHASE_RESTORED}
STANDS = {
    What.LOST: Power.OUT,
    What.PARTLY_LOST: Power.PARTLY,
    What.RESTORED: Power.ON,
    What.MOMENTARY: Power.ON,
    What.PARTLY_RESTORED: Power.PARTLY,
}


@dataclass
class Truth:
    """What is out at a device, since when."""

    out: dict[Scope, int] = field(default_factory=dict)
    restored: int | None = None
    told: int = 0

    def happens(self, scope: Scope, moment: int, *, back: bool) -> None:
        self.told += 1
        if not back:
            self.out.setdefault(scope, moment)
            return
        self.restored = moment
        for ended in ENDS[scope]:
            self.out.pop(ended, None)

    @property
    def view(self) -> tuple[Power, int | None, int | None]:
        whole = [since for scope, since in self.out.items() if scope is not Scope.PHASE]
        if whole:
            return Power.OUT, min(whole), self.restored
        if self.out:
            return Power.PARTLY, self.out[Scope.PHASE], self.restored
        return (Power.UNKNOWN if self.restored is None else Power.ON), None, self.restored


class Story(RuleBasedStateMachine):
    """Events happen, arrive when they like, and again; the gateway stops and goes on from what it has kept."""

    @initialize(hold=st.sampled_from([0.0, 30.0, 600.0]), calm=st.sampled_from([0, 2, 100]), count=st.integers(1, 4))
    def begin(self, hold: float, calm: int, count: int) -> None:
        self.now = at("08:00")
        self.truth = {device: Truth() for device in DEVICES}
        self.waiting: list[PowerEvent] = []
        self.arrived: list[PowerEvent] = []
        self.states: dict[str, str] = {}
        self.policy = BatchPolicy(calm=calm, window=60, count=count, seconds=20, suppress_momentary=hold)
        self.batches = Batches(self.policy)
        self.oms = dict.fromkeys(DEVICES, Power.ON)

    def _hears(self, batches: list[tuple[Report, ...]]) -> None:
        for batch in batches:
            assert len(batch) > 0
            for report in batch:
                self.oms[report.device.names[0].name] = STANDS[report.what]

    def _arrive(self, events: list[PowerEvent]) -> None:
        states = {key: from_json(text) for key, text in self.states.items()}
        changed, happenings = fold_all(states, events, self.now)
        self.states |= {key: to_json(state) for key, state in changed.items()}
        for happening in happenings:
            assert describe(happening, UTC).startswith("electric meter M-")
        self._hears(self.batches.take(happenings, self.now))

    @rule(
        device=st.sampled_from(DEVICES),
        scope=st.sampled_from(Scope),
        back=st.booleans(),
        seconds=st.integers(1, 900),
        copies=st.integers(1, 3),
    )
    def something_happens(self, device: str, scope: Scope, back: bool, seconds: int, copies: int) -> None:
        self.now += seconds * SECOND
        truth = self.truth[device]
        if truth.told == MOST_FACTS:
            return
        truth.happens(scope, self.now, back=back)
        event = told((BACK if back else LOSS)[scope], None, device)
        event = PowerEvent(event.device, event.code, event.meaning, scope, self.now, "", "e")
        self.waiting += [event] * copies

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def some_arrive_in_any_order(self, data: st.DataObject) -> None:
        order = data.draw(st.permutations(range(len(self.waiting))))
        count = data.draw(st.integers(1, len(order)))
        events = [self.waiting[place] for place in order[:count]]
        self.waiting = [self.waiting[place] for place in order[count:]]
        self.arrived += events
        self._arrive(events)

    @precondition(lambda self: self.arrived)
    @rule(data=st.data())
    def one_arrives_again(self, data: st.DataObject) -> None:
        self._arrive([data.draw(st.sampled_from(self.arrived))])

    @rule(seconds=st.integers(1, 100))
    def time_goes_by(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self._hears(self.batches.due(self.now))

    @rule()
    def the_gateway_starts_anew(self) -> None:
        self.batches = Batches(self.policy, reports_from_json(reports_to_json(self.batches.waiting)))

    @invariant()
    def what_waits_is_due_at_some_time(self) -> None:
        if hasattr(self, "batches"):
            assert (self.batches.next is None) is (not self.batches.waiting)

    def teardown(self) -> None:
        if not hasattr(self, "truth"):
            return
        self._arrive(self.waiting)
        while (moment := self.batches.next) is not None:
            self.now = max(self.now, moment)
            self._hears(self.batches.due(self.now))
        for device, truth in self.truth.items():
            text = self.states.get(f"name {device}")
            view = (DeviceState() if text is None else from_json(text)).view
            assert (view.power, view.since, view.restored) == truth.view
            assert self.oms[device] is (Power.ON if view.power is Power.UNKNOWN else view.power)


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from(Scope), st.booleans()),
        min_size=17,
        max_size=60,
        unique_by=lambda fact: fact[0],
    ),
    st.randoms(use_true_random=False),
)
def test_whether_a_device_is_out_is_right_after_a_story_of_any_length_told_in_any_order(
    story: list[tuple[int, Scope, bool]], order: random.Random
) -> None:
    truth = Truth()
    for second, scope, back in sorted(story):
        truth.happens(scope, at("08:00") + second * SECOND, back=back)
    events = []
    for second, scope, back in story:
        event = told((BACK if back else LOSS)[scope], None)
        events.append(PowerEvent(event.device, event.code, event.meaning, scope, at("08:00") + second * SECOND))
    order.shuffle(events)
    changed, _ = fold_all({}, events, at("12:00"))
    view = changed["name M-1"].view if events else DeviceState().view
    assert (view.power, view.restored) == (truth.view[0], truth.view[2])
