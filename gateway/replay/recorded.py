"""A recorded message, whatever it was recorded in, and which of them a replay takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.message.verbs import MessageKind, Verb
from gateway.replay.mark import PROPERTY

OPERATOR: Final = "operator"
"""The kind of what an operator did: no message."""

_DEAD: Final = "dead"
_REFUSED: Final = ("refused", "unreadable")
_IMPORTED: Final = "imported:"
_ANSWERS: Final = frozenset({MessageKind.RESPONSE.value, MessageKind.FAULT.value})


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message that passed. `position` is its place in the source, which rises; `at` seconds since the epoch.

    What is not known is empty, the kind too. `masked`: personal data was taken out of the body when it was recorded.
    """

    position: int
    at: float
    incoming: bool
    body: bytes | None
    kind: str = ""
    source: str = ""
    system: str = ""
    verb: str = ""
    noun: str = ""
    message_id: str = ""
    correlation_id: str = ""
    outcome: str = ""
    routing_key: str = ""
    reply_to: str = ""
    headers: Mapping[str, str | int | bool] = field(default_factory=dict)
    masked: bool = False

    @property
    def dead(self) -> bool:
        """Whether it went to the dead letters."""
        outcome = self.outcome.removeprefix(_IMPORTED)
        return outcome.partition(":")[0] == _DEAD or outcome in _REFUSED

    @property
    def imported(self) -> bool:
        """Whether it was taken into the journal out of a file."""
        return self.outcome.startswith(_IMPORTED)

    @property
    def replayed(self) -> bool:
        """Whether a replay has sent it."""
        return self.body is not None and PROPERTY.encode() in self.body

    @property
    def answers(self) -> bool:
        """Whether it answers another."""
        return self.kind in _ANSWERS or self.verb == Verb.REPLY


class LeftOut(StrEnum):
    """Why a message that was asked for is not sent; the text is what a person is told."""

    NO_BODY = "without a body: only their headers were kept"
    DIRECTION = "went the other way (--direction both sends them too)"
    OPERATOR = "what operators did: no messages"
    DEAD = "went to the dead letters (--dead sends them too)"
    IMPORTED = "imported from a file: they never passed here (--imported sends them too)"
    REPLAYED = "sent by earlier replays (--replayed sends them too)"
    ANSWER = "answers, which systems give by themselves (--replies sends them too)"
    NO_ROUTE = "not taken by the route"
    UNREADABLE = "cannot be read, so that the system's adapter cannot write them"
    CONTEXT = "in the draft envelope, which has no such context"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the messages found are sent."""

    incoming: bool = True
    outgoing: bool = False
    dead: bool = False
    answers: bool = False
    replayed: bool = False
    imported: bool = False

    def leaves_out(self, message: Recorded) -> LeftOut | None:
        """Say why a message is left out; None where it is not."""
        if message.kind == OPERATOR:
            return LeftOut.OPERATOR
        if not (self.incoming if message.incoming else self.outgoing):
            return LeftOut.DIRECTION
        if message.dead and not self.dead:
            return LeftOut.DEAD
        if message.answers and not self.answers:
            return LeftOut.ANSWER
        if message.imported and not self.imported:
            return LeftOut.IMPORTED
        if message.replayed and not self.replayed:
            return LeftOut.REPLAYED
        return LeftOut.NO_BODY if message.body is None else None
