"""What can happen to a conversation. `at` is the time, in seconds since the epoch."""

from dataclasses import dataclass

from gateway.codes import Result
from gateway.message.envelope import Identifier, ReplyError


@dataclass(frozen=True, slots=True)
class ReplyFacts:
    """What the machine sees of a reply (`facts_of` reads it from a message).

    `digest` tells bodies apart where the MessageID cannot. `root` is the name of the payload's one XML root as
    `{namespace}local`; empty without a payload, and where the payload is none that could be merged.
    `on_request_channel`: it came back on the call that carried the request (SOAP, HTTP), not at the reply address.
    """

    result: Result
    digest: str
    message_id: str = ""
    errors: tuple[ReplyError, ...] = ()
    ids: tuple[Identifier, ...] = ()
    has_payload: bool = False
    root: str = ""
    operation_id: int | None = None
    on_request_channel: bool = False
    fault: bool = False


@dataclass(frozen=True, slots=True)
class ReplyArrived:
    """A reply came for a leg. `entry` names its body in the store; `redelivered` is the broker's mark."""

    at: float
    leg: str
    entry: str
    reply: ReplyFacts
    redelivered: bool = False


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The broker has taken these publications (ids of outgoing effects)."""

    at: float
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """No queue took the request of a leg; `reason` says it in words."""

    at: float
    leg: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time of `Conversation.due` has come (a timer that fires early does no harm)."""

    at: float


@dataclass(frozen=True, slots=True)
class RequestAgain:
    """The request came once more: from the broker (`redelivered`), else from the asker, who repeats it."""

    at: float
    redelivered: bool = False


@dataclass(frozen=True, slots=True)
class EventSeen:
    """An event came that carries the id of a leg, of the asker, or an issuerTrackingID of the request."""

    at: float
    verb: str
    noun: str


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """The asker of a get cancels it (`open_cancel` answers the cancel itself)."""

    at: float


@dataclass(frozen=True, slots=True)
class AlarmClosed:
    """A person has mended what the alarm is about."""

    at: float


Input = ReplyArrived | Confirmed | Undeliverable | TimerFired | RequestAgain | EventSeen | CancelAsked | AlarmClosed
