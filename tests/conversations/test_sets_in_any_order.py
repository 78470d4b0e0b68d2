"""OperationSets over simulated systems: messages are lost, doubled, delayed, and the gateway stops at any moment.

A system is a dictionary. It takes requests in the order they were sent, and remembers what it answered to which
MessageID: at-least-once delivery is safe with such systems alone.
"""

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.codes import Level, Result
from gateway.conversations import (
    Answer,
    Asker,
    Confirmed,
    Conversation,
    Effect,
    Input,
    OperationFacts,
    PublishEvent,
    Receiver,
    ReplyArrived,
    ReplyFacts,
    RequestAgain,
    Role,
    Send,
    SetFacts,
    TimerFired,
    Undeliverable,
    from_json,
    open_set,
    step,
    to_json,
)
from gateway.conversations.values import Leg
from gateway.message.envelope import ReplyError
from tests.conversations.talking import ids

LIMIT = 50.0
NEVER = 99
NAMES = ("MDM", "MS")
OBJECTS = ("m-1", "m-2")
NOUNS = ("MeterConfig", "MasterDataLinkageConfig")

Objects = dict[str, str]
OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["create", "change", "delete"]),
        st.sampled_from(NOUNS),
        st.sampled_from(OBJECTS),
        st.sampled_from([NAMES[:1], NAMES[:1], NAMES]),
    ),
    min_size=1,
    max_size=4,
)


@dataclass
class System:
    """A receiving system: its objects, its queue, and what it has answered to which request."""

    objects: Objects
    queue: list[tuple[str, bool]] = field(default_factory=list)
    answered: dict[str, tuple[ReplyFacts, str]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def work(self, leg: Leg, target: str, value: str, *, fails: bool) -> tuple[ReplyFacts, str]:
        """Do what a request says; a failure leaves everything as it is."""
        if leg.id in self.answered:
            return self.answered[leg.id]
        there, code, body = target in self.objects, "", ""
        if leg.verb == "get":
            body = self.objects.get(target, "")
            code = "" if there else "2.4"
        elif fails:
            code = "5.1"
        elif there is (leg.verb == "create"):
            code = "5.3" if there else "2.4"
        elif leg.verb == "delete":
            del self.objects[target]
        else:
            self.objects[target] = value
        if not code:
            self.done.append(leg.id)
        errors = (ReplyError(code, level=Level.FATAL),) if code else ()
        result = Result.FAILED if code else Result.OK
        facts = ReplyFacts(result, f"answer to {leg.id}", errors=errors, has_payload=bool(body))
        self.answered[leg.id] = facts, body
        return facts, body


class Sets(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.new_id = ids()
        self.document = ""
        self.systems: dict[str, System] = {}
        self.before: dict[str, Objects] = {}
        self.arriving: list[Input] = []
        self.values: dict[int, tuple[str, str]] = {}
        self.bodies: dict[str, str] = {}
        self.heard: dict[str, Answer] = {}
        self.first_times: list[str] = []
        self.events: list[PublishEvent] = []
        self.refused_to_undo = False

    @property
    def conversation(self) -> Conversation:
        return from_json(self.document)

    @initialize(
        operations=OPERATIONS,
        there=st.tuples(*(st.frozensets(st.sampled_from(OBJECTS)) for _ in NAMES)),
        sequence=st.booleans(), integrity=st.sampled_from([True, True, False]),
        reads=st.booleans(), stops_after=st.sampled_from([0, 1, NEVER]),
    )  # fmt: skip
    def ask(
        self,
        operations: list[tuple[str, str, str, tuple[str, ...]]],
        there: tuple[frozenset[str], ...],
        sequence: bool,
        integrity: bool,
        reads: bool,
        stops_after: int,
    ) -> None:
        for name, objects in zip(NAMES, there, strict=True):
            self.systems[name] = System({f"{noun} {one}": f"old {one}" for one in objects for noun in NOUNS})
        self.before = {name: dict(system.objects) for name, system in self.systems.items()}
        asked = []
        single = {}
        for number, (verb, noun, target, receivers) in enumerate(operations, 1):
            asked.append(OperationFacts(number, verb, noun))
            single[number] = [Receiver(name, reads=reads) for name in receivers]
            self.values[number] = (f"{noun} {target}", f"new {number}")
        opened, effects = open_set(
            Asker("CIS", "M-1"), SetFacts(tuple(asked), sequence, integrity), (), single,
            at=0.0, deadline=LIMIT, new_id=self.new_id, publish=True,
        )  # fmt: skip
        self.document = to_json(opened)
        self._carry_out(effects, RequestAgain(0.0), stops_after)

    def _waiting(self) -> list[str]:
        return [name for name, system in self.systems.items() if system.queue]

    @precondition(lambda self: self._waiting())
    @rule(
        data=st.data(), fails=st.booleans(),
        silent=st.sampled_from([False, False, True]), twice=st.booleans(),
    )  # fmt: skip
    def a_system_works(self, data: st.DataObject, fails: bool, silent: bool, twice: bool) -> None:
        name = data.draw(st.sampled_from(self._waiting()))
        self._work(name, fails=fails, silent=silent, twice=twice)

    def _work(self, name: str, *, fails: bool = False, silent: bool = False, twice: bool = False) -> None:
        system = self.systems[name]
        leg_id, _ = system.queue.pop(0)
        leg = self.conversation.leg(leg_id)
        assert leg is not None, "a request went out before it was written"
        assert leg.operation_id is not None
        assert leg.system == name
        target, value = self.values[leg.operation_id]
        self.refused_to_undo |= fails and leg.role is Role.UNDO
        facts, body = system.work(leg, target, self.bodies[leg.payload] if leg.payload else value, fails=fails)
        entry = f"reply to {leg.id}"
        self.bodies[entry] = body
        if not silent:
            self.arriving += [ReplyArrived(self.now, leg_id, entry, facts)] * (2 if twice else 1)

    @precondition(lambda self: self.arriving)
    @rule(data=st.data(), stops_after=st.sampled_from([0, 1, NEVER, NEVER]), unwritten=st.booleans())
    def something_arrives(self, data: st.DataObject, stops_after: int, unwritten: bool) -> None:
        given = self.arriving.pop(data.draw(st.integers(0, len(self.arriving) - 1)))
        self._happen(replace(given, at=self.now), stops_after, unwritten=unwritten)

    @precondition(lambda self: any(not first for s in self.systems.values() for _, first in s.queue))
    @rule(data=st.data())
    def a_queue_is_gone_before_its_request_is_confirmed(self, data: st.DataObject) -> None:
        gone = [(n, i) for n, s in self.systems.items() for i, (_, confirmed) in enumerate(s.queue) if not confirmed]
        name, place = data.draw(st.sampled_from(gone))
        leg_id, _ = self.systems[name].queue.pop(place)
        if any(one == leg_id for one, _ in self.systems[name].queue) or leg_id in self.systems[name].answered:
            return
        self._happen(Undeliverable(self.now, leg_id), NEVER)

    @rule(passed=st.sampled_from([1.0, 30.0, 70.0]), stops_after=st.sampled_from([0, NEVER]))
    def time_passes(self, passed: float, stops_after: int) -> None:
        self.now += passed
        due = self.conversation.due
        if due is not None and due <= self.now:
            self._happen(TimerFired(self.now), stops_after)

    def _happen(self, given: Input, stops_after: int, *, unwritten: bool = False) -> None:
        before = self.conversation
        after, effects = step(before, given, self.new_id)
        if unwritten:
            self._bring_back(given)
            return
        new = [effect for effect in effects if isinstance(effect, Answer | PublishEvent) and not effect.repeated]
        assert not (before.final and new), "something new was said after the end"
        self.document = to_json(after)
        self._carry_out(effects, given, stops_after)

    def _carry_out(self, effects: tuple[Effect, ...], given: Input, stops_after: int) -> None:
        published = [effect for effect in effects if isinstance(effect, Send | Answer | PublishEvent)]
        self.first_times += [effect.id for effect in published if isinstance(effect, Answer) and not effect.repeated]
        self.events += [effect for effect in published if isinstance(effect, PublishEvent) and not effect.repeated]
        stopped = stops_after < len(published)
        for effect in published[:stops_after]:
            if isinstance(effect, Send):
                leg = self.conversation.leg(effect.id)
                assert leg is not None
                self.systems[leg.system].queue.append((effect.id, not stopped))
            elif isinstance(effect, Answer):
                self.heard[effect.id] = effect
        if stopped:
            self._bring_back(given)
            return
        confirmed = Confirmed(self.now, tuple(effect.id for effect in published))
        self.document = to_json(step(self.conversation, confirmed, self.new_id)[0])

    def _bring_back(self, given: Input) -> None:
        if isinstance(given, ReplyArrived | RequestAgain):
            self.arriving.append(replace(given, redelivered=True))

    @invariant()
    def there_is_one_answer_at_most(self) -> None:
        assert len(self.first_times) <= 1
        if self.document:
            assert len(self.conversation.answers) == int(self.conversation.final)

    @invariant()
    def nothing_is_sent_after_the_end(self) -> None:
        if self.document and self.conversation.final:
            assert not any(leg.open for leg in self.conversation.legs)

    def teardown(self) -> None:
        if not self.document:
            return
        for _ in range(60):
            while name := next(iter(self._waiting()), None):
                self._work(name)
            while self.arriving:
                self._happen(replace(self.arriving.pop(0), at=self.now), NEVER)
            self.time_passes(70.0, NEVER)
        ended = self.conversation
        assert ended.settled
        assert list(self.heard) == [ended.answers[0].id]
        (answer,) = self.heard.values()
        self._judge(ended, answer)

    def _judge(self, ended: Conversation, answer: Answer) -> None:
        codes: dict[int, set[str]] = {}
        for error in answer.errors:
            if error.operation_id is not None:
                codes.setdefault(error.operation_id, set()).add(error.code)
        assert set(codes) == set(self.values), "every operation has a code"
        if ended.plan is None:
            self._nothing_was_done()
            return
        done = {leg_id for system in self.systems.values() for leg_id in system.done}
        for number, said in codes.items():
            legs = [leg for leg in ended.legs if leg.operation_id == number and leg.role is Role.DO]
            if "0.0" in said:
                assert legs
                assert all(leg.id in done for leg in legs), "done, says the answer"
            if said == {"5.2"} and not any(leg.untold for leg in legs):
                assert not any(leg.id in done for leg in legs), "not attempted, says the answer"
        if not ended.plan.integrity:
            return
        if answer.result is Result.OK:
            assert all(said == {"0.0"} for said in codes.values())
        elif not ended.alarm:
            assert answer.result is Result.FAILED
            self._nothing_was_done()
        grave = [error for error in answer.errors if error.level is Level.CATASTROPHIC]
        assert bool(ended.alarm) is bool(grave)
        unsure = any(leg.role is not Role.READ and leg.outcome is Result.PARTIAL for leg in ended.legs)
        assert not grave or unsure or self.refused_to_undo, "an alarm without a reason"
        assert len(self.events) == (1 if answer.result is Result.OK else 0)

    def _nothing_was_done(self) -> None:
        assert {name: system.objects for name, system in self.systems.items()} == self.before


TestSets = Sets.TestCase
TestSets.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


@given(
    operations=OPERATIONS,
    there=st.frozensets(st.sampled_from(OBJECTS)),
    fates=st.lists(st.sampled_from(["done"] * 6 + ["fails", "done in silence", "lost"]), max_size=8),
    sequence=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_set_that_must_be_all_or_nothing_is_so_whatever_its_requests_meet(
    operations: list[tuple[str, str, str, tuple[str, ...]]], there: frozenset[str], fates: list[str], sequence: bool
) -> None:
    """Let each request, in the order they are sent, meet its fate; what undoes an operation meets none but `done`."""
    world = Sets()
    world.ask(operations, (there, there), sequence=sequence, integrity=True, reads=True, stops_after=NEVER)
    left = list(fates)
    while not world.conversation.final:
        while name := next(iter(world._waiting()), None):
            leg = world.conversation.leg(world.systems[name].queue[0][0])
            assert leg is not None
            fate = left.pop(0) if left and leg.role is not Role.UNDO else "done"
            if fate == "lost":
                world.systems[name].queue.pop(0)
            else:
                world._work(name, fails=fate == "fails", silent=fate == "done in silence")
        while world.arriving:
            world._happen(world.arriving.pop(0), NEVER)
        if not world._waiting() and not world.conversation.final:
            world.time_passes(70.0, NEVER)
    world.teardown()
    lost_deletes = [leg for leg in world.conversation.legs if leg.verb == "delete" and leg.outcome is Result.PARTIAL]
    assert lost_deletes or not world.conversation.alarm
