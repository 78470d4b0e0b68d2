"""Requests, replies and a gateway that may stop at any moment; what comes is lost, doubled, delayed and mixed up."""

from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.codes import Level, Result
from gateway.conversations import (
    Answer,
    Asker,
    CancelAsked,
    Confirmed,
    Conversation,
    Effect,
    HandOn,
    Input,
    Mode,
    PublishEvent,
    Record,
    ReplyArrived,
    ReplyFacts,
    RequestAgain,
    Send,
    State,
    Target,
    TimerFired,
    Undeliverable,
    from_json,
    open_cancel,
    open_request,
    rewritten,
    step,
    to_json,
)
from gateway.message.envelope import Reply, ReplyError
from tests.conversations.talking import ids

LIMIT = 50.0
NEVER = 99

CODES = st.sampled_from(["0.0", "0.1", "0.2", "0.3", "5.7", "2.4"])
ANSWERS = st.builds(
    ReplyFacts,
    result=st.sampled_from(Result),
    digest=st.sampled_from(["one", "two", "three"]),
    message_id=st.sampled_from(["", "R-1", "R-2"]),
    errors=st.lists(CODES.map(lambda code: ReplyError(code, level=Level.FATAL)), max_size=2).map(tuple),
    has_payload=st.booleans(),
    root=st.sampled_from(["", "{urn}MeterReadings", "{urn}EndDeviceEvents"]),
    on_request_channel=st.booleans(),
    fault=st.booleans(),
)


@dataclass
class World:
    """What lies outside the gateway's process, and stays when it stops: the store, the broker, the asker's queue."""

    document: str
    bodies: dict[str, Reply] = field(default_factory=dict)
    heard: dict[str, tuple[HandOn | Answer, Reply]] = field(default_factory=dict)
    events: list[PublishEvent] = field(default_factory=list)


class Requests(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.new_id = ids()
        self.worlds: dict[str, World] = {}
        self.owner: dict[str, str] = {}
        self.arriving: list[tuple[str, Input]] = []
        self.numbers = ids()

    @precondition(lambda self: len(self.worlds) < 3)
    @rule(
        systems=st.integers(1, 3),
        mode=st.sampled_from(Mode),
        asynchronous=st.booleans(),
        last_is_ok=st.booleans(),
        verb=st.sampled_from(["get", "create"]),
        stops_after=st.sampled_from([0, 1, NEVER]),
    )
    def ask(self, systems: int, mode: Mode, asynchronous: bool, last_is_ok: bool, verb: str, stops_after: int) -> None:
        asker = Asker("CIS", message_id=f"M-{len(self.worlds)}", asynchronous=asynchronous)
        opened, effects = open_request(
            asker,
            verb,
            "MeterConfig",
            [Target(f"SYSTEM-{number}") for number in range(systems)],
            at=self.now,
            deadline=self.now + LIMIT,
            new_id=self.new_id,
            mode=mode,
            last_is_ok=last_is_ok,
            publish=True,
        )
        self.worlds[opened.id] = World(to_json(opened))
        self.owner |= {leg.id: opened.id for leg in opened.legs}
        self._carry_out(opened.id, effects, RequestAgain(self.now), stops_after)

    @precondition(lambda self: self.owner)
    @rule(data=st.data(), reply=ANSWERS, twice=st.booleans(), echoes=st.booleans())
    def a_system_replies(self, data: st.DataObject, reply: ReplyFacts, twice: bool, echoes: bool) -> None:
        leg = data.draw(st.sampled_from(sorted(self.owner)))
        entry = f"body {self.numbers()} for {self.owner[leg]}"
        given = replace(reply, message_id=leg) if echoes else reply
        self.worlds[self.owner[leg]].bodies[entry] = Reply(given.result, given.errors)
        arrived = ReplyArrived(self.now, leg, entry, given)
        self.arriving += [(self.owner[leg], arrived)] * (2 if twice else 1)

    @precondition(lambda self: self.arriving)
    @rule(
        data=st.data(), lost=st.booleans(), stops_after=st.sampled_from([0, 1, NEVER, NEVER]), unwritten=st.booleans()
    )
    def something_arrives(self, data: st.DataObject, lost: bool, stops_after: int, unwritten: bool) -> None:
        conversation, given = self.arriving.pop(data.draw(st.integers(0, len(self.arriving) - 1)))
        if lost and not (isinstance(given, ReplyArrived | RequestAgain) and given.redelivered):
            return
        self._happen(conversation, replace(given, at=self.now), stops_after, unwritten=unwritten)

    @precondition(lambda self: self.owner)
    @rule(data=st.data(), stops_after=st.sampled_from([0, NEVER]))
    def no_queue_takes_a_request(self, data: st.DataObject, stops_after: int) -> None:
        leg = data.draw(st.sampled_from(sorted(self.owner)))
        self._happen(self.owner[leg], Undeliverable(self.now, leg), stops_after)

    @precondition(lambda self: self.worlds)
    @rule(data=st.data())
    def the_asker_repeats_its_request(self, data: st.DataObject) -> None:
        self._happen(data.draw(st.sampled_from(sorted(self.worlds))), RequestAgain(self.now), NEVER)

    @precondition(lambda self: self.worlds)
    @rule(data=st.data(), stops_after=st.sampled_from([0, NEVER]))
    def the_asker_cancels_its_request(self, data: st.DataObject, stops_after: int) -> None:
        one = data.draw(st.sampled_from(sorted(self.worlds)))
        found = from_json(self.worlds[one].document)
        cancel, _ = open_cancel(Asker("CIS"), "MeterConfig", found, at=self.now, new_id=self.new_id)
        self._happen(one, CancelAsked(self.now), stops_after)
        ended_now = not found.final and from_json(self.worlds[one].document).state is State.CANCELLED
        assert (cancel.result is Result.OK) is ended_now

    @rule(passed=st.sampled_from([1.0, 30.0, 70.0]), stops_after=st.sampled_from([0, NEVER]))
    def time_passes(self, passed: float, stops_after: int) -> None:
        self.now += passed
        for one, world in self.worlds.items():
            due = from_json(world.document).due
            if due is not None and due <= self.now:
                self._happen(one, TimerFired(self.now), stops_after)

    def _happen(self, one: str, given: Input, stops_after: int, *, unwritten: bool = False) -> None:
        world = self.worlds[one]
        before = from_json(world.document)
        after, effects = step(before, given, self.new_id)
        if unwritten:  # the process stopped before it could commit
            self._bring_back(one, given)
            return
        self._check(before, after, effects, world)
        world.document = to_json(after)
        self._carry_out(one, effects, given, stops_after)

    def _carry_out(self, one: str, effects: tuple[Effect, ...], given: Input, stops_after: int) -> None:
        world = self.worlds[one]
        published = [effect for effect in effects if not isinstance(effect, Record)]
        for effect in published[:stops_after]:
            if isinstance(effect, HandOn):
                world.heard.setdefault(effect.id, (effect, rewritten(world.bodies[effect.entry], effect)))
            elif isinstance(effect, Answer):
                world.heard.setdefault(effect.id, (effect, Reply(effect.result, effect.errors)))
            elif isinstance(effect, PublishEvent) and not effect.repeated:
                world.events.append(effect)
        if stops_after < len(published):
            self._bring_back(one, given)
            return
        confirmed = Confirmed(
            self.now, tuple(e.id for e in published if isinstance(e, Send | HandOn | Answer | PublishEvent))
        )
        world.document = to_json(step(from_json(world.document), confirmed, self.new_id)[0])

    def _bring_back(self, one: str, given: Input) -> None:
        """Do as the broker does with what was not acknowledged. Timers and returns are not the broker's."""
        if isinstance(given, ReplyArrived | RequestAgain):
            self.arriving.append((one, replace(given, redelivered=True)))

    def _check(self, before: Conversation, after: Conversation, effects: tuple[Effect, ...], world: World) -> None:
        new = [e for e in effects if isinstance(e, HandOn | Answer | PublishEvent) and not e.repeated]
        if before.final:
            assert not new, "something new was said after the end"
            assert after.state is before.state
            assert not any(isinstance(effect, Send) for effect in effects)
        for effect in effects:
            named = (
                (effect.entry,) if isinstance(effect, HandOn) else effect.parts if isinstance(effect, Answer) else ()
            )
            assert all(entry in world.bodies for entry in named), "a reply went to the wrong asker"
            if isinstance(effect, Answer) and effect.result is Result.FAILED:
                assert effect.errors, "a failure without a code"

    @invariant()
    def each_request_ends_once(self) -> None:
        for world in self.worlds.values():
            conversation = from_json(world.document)
            said = [
                answer for answer in conversation.answers if isinstance(answer, Answer) or not answer.acknowledgement
            ]
            ends = [answer for answer in said if self._ends(answer, world, conversation)]
            assert ends == (said[-1:] if conversation.final else [])
            assert conversation.final <= bool(said)
            assert len(world.events) <= 1

    def _ends(self, answer: HandOn | Answer, world: World, conversation: Conversation) -> bool:
        """Read an answer as its asker does."""
        if isinstance(answer, Answer):
            reply = Reply(answer.result, answer.errors)
        else:
            reply = rewritten(world.bodies[answer.entry], answer)
        if reply.result is not Result.PARTIAL:
            return True
        return not conversation.last_is_ok and any(error.code == "0.2" for error in reply.errors)

    def teardown(self) -> None:
        for one, given in self.arriving:
            self._happen(one, replace(given, at=self.now), NEVER)
        for _ in range(3):
            self.time_passes(200.0, NEVER)
        for world in self.worlds.values():
            conversation = from_json(world.document)
            assert conversation.settled
            assert conversation.due is None
            assert {answer.id for answer in conversation.answers} == set(world.heard), (
                "an answer never reached the asker"
            )


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
