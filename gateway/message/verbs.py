"""The verbs of IEC 61968-100 and which message may carry which (the verb table of Part 100)."""

from enum import StrEnum
from typing import Final


class MessageKind(StrEnum):
    """The root element of a message. `Message` is the generic form for the inside of intermediaries."""

    REQUEST = "RequestMessage"
    RESPONSE = "ResponseMessage"
    EVENT = "EventMessage"
    FAULT = "FaultMessage"
    GENERIC = "Message"


class Verb(StrEnum):
    """Header.Verb in the final schema: lower case, US spelling."""

    CANCEL = "cancel"
    CANCELED = "canceled"
    CHANGE = "change"
    CHANGED = "changed"
    CREATE = "create"
    CREATED = "created"
    CLOSE = "close"
    CLOSED = "closed"
    DELETE = "delete"
    DELETED = "deleted"
    EXECUTE = "execute"
    EXECUTED = "executed"
    GET = "get"
    REPLY = "reply"


EVENT_OF: Final[dict[Verb, Verb]] = {
    Verb.CREATE: Verb.CREATED,
    Verb.CHANGE: Verb.CHANGED,
    Verb.CANCEL: Verb.CANCELED,
    Verb.CLOSE: Verb.CLOSED,
    Verb.DELETE: Verb.DELETED,
    Verb.EXECUTE: Verb.EXECUTED,
}
"""The event that follows a successful transaction; get has none."""

REQUEST_OF: Final[dict[Verb, Verb]] = {event: request for request, event in EVENT_OF.items()}

TRANSACTION_VERBS: Final = frozenset(EVENT_OF)
EVENT_VERBS: Final = frozenset(REQUEST_OF)
REQUEST_VERBS: Final = TRANSACTION_VERBS | {Verb.GET}
OPERATION_VERBS: Final = frozenset({Verb.CREATE, Verb.CREATED, Verb.CHANGE, Verb.CHANGED, Verb.DELETE, Verb.DELETED})
"""Verbs allowed inside an OperationSet (Annex K)."""

VERBS_OF: Final[dict[MessageKind, frozenset[Verb]]] = {
    MessageKind.REQUEST: REQUEST_VERBS,
    MessageKind.RESPONSE: frozenset({Verb.REPLY}),
    MessageKind.EVENT: EVENT_VERBS,
    MessageKind.GENERIC: frozenset(Verb),
    MessageKind.FAULT: frozenset(),
}

DEPRECATED: Final[dict[str, str]] = {
    "update": "change",
    "updated": "changed",
    "show": "reply",
    "cancelled": "canceled",
    "subscribe": "a subscription to the topic",
    "unsubscribe": "the end of the subscription to the topic",
    "publish": "created, changed, canceled, closed or deleted",
    "report": "created",
    "stop": "cancel",
    "terminate": "close",
}
"""Verbs of drafts and drafts' habits, with what to use instead. `report`, `stop`, `terminate`: [inferred]."""

SUBSCRIPTION_VERBS: Final = frozenset({"subscribe", "unsubscribe"})
"""Those among them that ask for events, or for no more."""
