"""The state of a conversation: everything there is to know about it, in values that become one JSON document."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gateway.codes import Result
from gateway.conversations.effects import Answer, Effect, HandOn, Outgoing, PublishEvent, Send
from gateway.conversations.sets import Plan, Role
from gateway.message import EnvelopeVersion
from gateway.message.envelope import Identifier, ReplyError
from gateway.message.speech import CANONICAL, Speech

NewId = Callable[[], str]
"""Gives a fresh UUID text each time."""

RESEND_AFTER: Final = 60.0
"""Seconds after which what was not confirmed is published again, marked as repeated, where nothing else is set."""


class Kind(StrEnum):
    """What sort of conversation it is."""

    REQUEST = "request"
    CANCEL = "cancel of a get"
    SET = "operation set"


class Mode(StrEnum):
    """How the replies of several legs, or the parts of one, reach the asker."""

    STREAM = "stream"
    AGGREGATE = "aggregate"


class State(StrEnum):
    """How far a conversation is; from `done` on it has ended, and stays as its own tombstone."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    PARTIAL = "partial"
    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the asker has (or will have, once it is confirmed) the last answer."""
        return self in _FINAL


_FINAL: Final = frozenset({State.DONE, State.FAILED, State.TIMED_OUT, State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, and how the answer must be written and addressed. `echoed_id` is what the answer is correlated by."""

    source: str = ""
    message_id: str = ""
    echoed_id: str = ""
    reply_address: str = ""
    reply_to: str = ""
    asynchronous: bool = False
    revision: str = ""
    version: EnvelopeVersion = EnvelopeVersion.FINAL
    speech: Speech = CANONICAL


@dataclass(frozen=True, slots=True)
class Target:
    """A system that is to receive the request, with the address of its leg."""

    system: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One delivery of a request to one system.

    `outcome` is None until the leg has ended. `seen` identifies the replies taken so far; `parts` counts those that
    were no acknowledgement, `good` tells that one of them was no failure, `troubled` that one reported something wrong.
    `errors` and `ids` are those of replies that are kept, `untold` what the gateway itself has to say about the leg.

    Where a set goes on whole, `unreported` holds the operations that no reply was about yet. Where it is unrolled, the
    leg is for `operation_id`, in its `role`: the payload of its request is that of the operation, or of the kept reply
    `payload` where that is named (a state that is brought back); one that undoes another leg names it (`undoes`).
    """

    id: str
    system: str
    verb: str
    noun: str
    address: str = ""
    outcome: Result | None = None
    acknowledged: bool = False
    parts: int = 0
    good: bool = False
    troubled: bool = False
    untold: tuple[ReplyError, ...] = ()
    errors: tuple[ReplyError, ...] = ()
    ids: tuple[Identifier, ...] = ()
    seen: tuple[str, ...] = ()
    unreported: tuple[int, ...] = ()
    role: Role = Role.DO
    operation_id: int | None = None
    undoes: str = ""
    payload: str = ""

    @property
    def open(self) -> bool:
        """Whether its last reply is still to come."""
        return self.outcome is None


@dataclass(frozen=True, slots=True)
class Part:
    """A reply that is kept for the one answer: its entry, its leg's system, its Result and payload root."""

    entry: str
    system: str
    result: Result
    has_payload: bool = False
    root: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One request with all its replies. `answers` is what the asker was told, in order; `outbox` what is unconfirmed.

    `entry` names the request's body in the store. `last_is_ok`: the asker reads PARTIAL as "more follows" always.
    `publish`: the past-tense event follows a success (`event`), unless the system publishes it itself (`event_seen`).
    `plan` is that of a set which is unrolled; `alarm` says what a person must mend, until that person has closed it.
    What is not confirmed is published again at `resend_at`, and then every `resend_after` seconds.
    """

    id: str
    asker: Asker
    verb: str
    noun: str
    opened: float
    deadline: float
    legs: tuple[Leg, ...]
    kind: Kind = Kind.REQUEST
    entry: str = ""
    mode: Mode = Mode.STREAM
    last_is_ok: bool = False
    publish: bool = False
    state: State = State.OPEN
    result: Result | None = None
    kept: tuple[Part, ...] = ()
    answers: tuple[HandOn | Answer, ...] = ()
    event: PublishEvent | None = None
    event_seen: bool = False
    plan: Plan | None = None
    alarm: str = ""
    outbox: tuple[str, ...] = ()
    resend_at: float | None = None
    resend_after: float = RESEND_AFTER

    @property
    def final(self) -> bool:
        """Whether it has ended; nothing new is said to the asker then."""
        return self.state.final

    @property
    def settled(self) -> bool:
        """Whether it has ended and all that follows from it is confirmed: the timer may forget it."""
        return self.final and not self.outbox

    @property
    def due(self) -> float | None:
        """When the timer must look at it next; None: never again."""
        times = [] if self.final else [self.deadline]
        if self.outbox and self.resend_at is not None:
            times.append(self.resend_at)
        return min(times, default=None)

    def leg(self, leg_id: str) -> Leg | None:
        """Give one of its legs."""
        return next((leg for leg in self.legs if leg.id == leg_id), None)

    def with_leg(self, changed: Leg) -> "Conversation":
        """Give it with one leg changed."""
        return replace(self, legs=tuple(changed if leg.id == changed.id else leg for leg in self.legs))

    def telling(self, *answers: HandOn | Answer) -> "Conversation":
        """Give it with more said to the asker."""
        return replace(
            self, answers=(*self.answers, *answers), outbox=(*self.outbox, *(answer.id for answer in answers))
        )

    def unconfirmed(self) -> tuple[Outgoing, ...]:
        """Give everything that is still to be confirmed, marked as repeated."""
        waiting = frozenset(self.outbox)
        return tuple(replace(outgoing, repeated=True) for outgoing in self._published() if outgoing.id in waiting)

    def _published(self) -> Iterator[Outgoing]:
        yield from (Send(leg.id) for leg in self.legs)
        yield from self.answers
        if self.event is not None:
            yield self.event


Step = tuple[Conversation, tuple[Effect, ...]]
"""What a step gives: the conversation after it, and what is to be done."""
