"""Conversations: what follows when something happens between an asker and the systems that answer. Pure.

How to wire it
--------------
A request comes: ask the store for (source, MessageID). Known: feed `RequestAgain`. Else `open_request(...)`, or
`open_set(...)` with `set_of(message)` for an execute(OperationSet).
A reply comes: its CorrelationID, or else its MessageID, names a leg; feed `ReplyArrived` with `facts_of(message, ...)`.
A publication is confirmed: feed `Confirmed`. The request of a leg came back unroutable: `Undeliverable`; an answer or
event that did so goes to the dead letters, and counts as confirmed.
The time in `Conversation.due` comes: feed `TimerFired`. An event names a leg, or the asker's id: feed `EventSeen`.

A cancel that names a get (see `cancelling`) where the site allows it: `open_cancel`, and `CancelAsked` to the get.

Each input gives `(conversation, effects)` by `step`. Then, in this order:

1. Commit `to_json(conversation)` and the body that came in (as the input's `entry`), unless `step` gave the very same
   object back. Should another process have been first: load it anew, and feed the same input again.
2. Carry out the effects: `Send`, `HandOn`, `Answer` and `PublishEvent` are published with their `id` as MessageID, and
   with the mark of a repeat where `repeated` says so; `Record` and `Alarm` are noted.
3. When they are confirmed, feed `Confirmed` with their ids and commit (many may share a commit), then acknowledge.

So what is to be published is written before it is published. After a crash the broker delivers the input again: feed it
with `redelivered=True`, and what was not confirmed comes out anew, marked as repeated. What the broker does not deliver
again (a deadline) comes out at `due`. Columns of the store: `final` = `settled`, `deadline` = `due`.

A `Send` says what is in its leg: verb, noun, system. In an unrolled set (`Conversation.plan`) its payload is that
of the leg's `operation_id` in the request, or of the kept reply `payload` where that is named; a leg in the role of
reading is a get for the objects that the operation names.

A conversation that has ended is its own tombstone: it swallows late replies, and still ties events to its asker.
"""

from gateway.conversations.cancelling import open_cancel
from gateway.conversations.deadlines import deadline_of, seconds_of
from gateway.conversations.documents import BadDocument, from_json, to_json
from gateway.conversations.effects import (
    Alarm,
    Answer,
    Effect,
    Fate,
    HandOn,
    Outgoing,
    PublishEvent,
    Record,
    Send,
    rewritten,
)
from gateway.conversations.facts import asker_of, facts_of, set_of, tracking_ids
from gateway.conversations.inputs import (
    AlarmClosed,
    CancelAsked,
    Confirmed,
    EventSeen,
    Input,
    ReplyArrived,
    ReplyFacts,
    RequestAgain,
    TimerFired,
    Undeliverable,
)
from gateway.conversations.merging import NotMergeable, merged
from gateway.conversations.opening import open_request, open_set
from gateway.conversations.planning import Refused, Whole, plan
from gateway.conversations.sets import OperationFacts, Plan, PlannedOperation, Receiver, Role, SetFacts
from gateway.conversations.step import step
from gateway.conversations.values import (
    RESEND_AFTER,
    Asker,
    Conversation,
    Kind,
    Leg,
    Mode,
    NewId,
    Part,
    State,
    Step,
    Target,
)

__all__ = [
    "RESEND_AFTER",
    "Alarm",
    "AlarmClosed",
    "Answer",
    "Asker",
    "BadDocument",
    "CancelAsked",
    "Confirmed",
    "Conversation",
    "Effect",
    "EventSeen",
    "Fate",
    "HandOn",
    "Input",
    "Kind",
    "Leg",
    "Mode",
    "NewId",
    "NotMergeable",
    "OperationFacts",
    "Outgoing",
    "Part",
    "Plan",
    "PlannedOperation",
    "PublishEvent",
    "Receiver",
    "Record",
    "Refused",
    "ReplyArrived",
    "ReplyFacts",
    "RequestAgain",
    "Role",
    "Send",
    "SetFacts",
    "State",
    "Step",
    "Target",
    "TimerFired",
    "Undeliverable",
    "Whole",
    "asker_of",
    "deadline_of",
    "facts_of",
    "from_json",
    "merged",
    "open_cancel",
    "open_request",
    "open_set",
    "plan",
    "rewritten",
    "seconds_of",
    "set_of",
    "step",
    "to_json",
    "tracking_ids",
]
