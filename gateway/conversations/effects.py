"""What is to be done after a step, in the order given."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.codes import Level, ReplyCode, Result
from gateway.message.envelope import Identifier, Reply, ReplyError
from gateway.message.verbs import Verb


class Fate(StrEnum):
    """What became of something that came in; for the journal, the counters and `conversations show`."""

    ACKNOWLEDGED = "acknowledged"
    KEPT = "kept for the answer"
    LATE = "late"
    DUPLICATE = "duplicate"
    CONSEQUENT = "consequent event"
    STRAY = "stray"
    WARNED = "accepted with a warning"


@dataclass(frozen=True, slots=True)
class Send:
    """Publish the request of a leg to its system, MessageID and CorrelationID being the leg's id (`id`)."""

    id: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class HandOn:
    """Publish to the asker the reply that is kept as `entry`, with `id` as its MessageID.

    `rewritten` gives the Reply it carries: as it came where `result` is None; else with this Result, `code` in place of
    its own 0.x codes, and `errors` after those of its own.
    """

    id: str
    entry: str
    result: Result | None = None
    code: str = ""
    errors: tuple[ReplyError, ...] = ()
    acknowledgement: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Publish to the asker an answer of the gateway's own, with `id` as its MessageID.

    `parts` are entries whose payload roots, all of one name, go in as one (`merged`); empty: no payload.
    """

    id: str
    result: Result
    errors: tuple[ReplyError, ...] = ()
    ids: tuple[Identifier, ...] = ()
    parts: tuple[str, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class PublishEvent:
    """Publish the event that follows a success: the payload of the request, this past-tense verb, `id` as MessageID.

    Of an OperationSet only the `operations` named stand in it (all, where none is), their verbs in the past tense too.
    """

    id: str
    verb: Verb
    operations: tuple[int, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """Note what became of the input; nothing is published for it."""

    fate: Fate
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Tell the operators: something stays undone until a person mends it. The conversation keeps the text."""

    text: str


Outgoing = Send | HandOn | Answer | PublishEvent
"""What is published, and confirmed by its id."""

Effect = Outgoing | Record | Alarm


def rewritten(reply: Reply, effect: HandOn) -> Reply:
    """Give the Reply with which a reply of a system is handed on to the asker."""
    if effect.result is None:
        return reply
    first = (ReplyError(effect.code, level=Level.INFORM, reason=ReplyCode(effect.code).meaning),) if effect.code else ()
    own = tuple(error for error in reply.errors if error.code not in _PROGRESS)
    return Reply(effect.result, (*first, *own, *effect.errors), reply.ids, reply.content, reply.operation_id)


_PROGRESS = frozenset(code.value for code in ReplyCode if code.startswith("0."))
