"""Example envelopes: what surrounds the payload of an example, by its verb."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.codes import Level, ReplyCode, Result
from gateway.message import Envelope, Header, MessageKind, Property, Reply, ReplyError, Verb
from gateway.message.envelope import (
    Identifier,
    IdKind,
    Operation,
    OperationSet,
    Option,
    Payload,
    ReplayDetection,
    Request,
    User,
)
from gateway.message.nouns import OPERATION_SET
from gateway.message.verbs import VERBS_OF

if TYPE_CHECKING:
    from lxml import etree

_NOW: Final = "2026-03-17T10:47:00+01:00"
_MESSAGE_ID: Final = "5f2a6c1e-0b7d-4e0a-9a53-6d1c2f8e4b70"
_CORRELATION_ID: Final = "c1a8b7f4-3d52-4f6e-8c09-2e7b5a9d1f36"
_BY_IDS: Final = frozenset({Verb.CANCEL, Verb.CLOSE, Verb.DELETE})


@dataclass(frozen=True, slots=True)
class Parts:
    """What goes into an example besides its header.

    `payload` is an instance of the noun, `profile` one of its Get profile; `object_id` and `object_type` name the
    object that a request is about; `operations` are the steps of an operation set, noun and instance.
    """

    payload: "etree._Element | None" = None
    profile: "etree._Element | None" = None
    object_id: str = ""
    object_type: str = ""
    operations: "tuple[tuple[str, etree._Element], ...]" = ()


def kind_of(verb: Verb) -> MessageKind:
    """Give the message that carries a verb."""
    kinds = (MessageKind.REQUEST, MessageKind.RESPONSE, MessageKind.EVENT)
    return next(kind for kind in kinds if verb in VERBS_OF[kind])


def envelope(verb: Verb, noun: str, parts: Parts, *, context: str, source: str, full: bool) -> Envelope:
    """Put an example together; `full` with every element of header, request and reply that fits the verb."""
    kind = kind_of(verb)
    header = _header(kind, verb, noun, context, source, full=full)
    payload = None
    if parts.operations:
        payload = Payload(operation_set=_operation_set(verb, parts))
    elif parts.payload is not None and verb is not Verb.GET and verb not in _BY_IDS:
        payload = Payload(content=(parts.payload,))
    request = _request(verb, parts, full=full) if kind is MessageKind.REQUEST else None
    reply = _reply(noun, parts, full=full) if kind is MessageKind.RESPONSE else None
    return Envelope(kind, header, request, reply, payload)


def _header(kind: MessageKind, verb: Verb, noun: str, context: str, source: str, *, full: bool) -> Header:
    answers = kind is MessageKind.RESPONSE
    system = source or ("CIS" if kind is MessageKind.REQUEST else "HES-NORTH")
    if not full:
        correlation = _CORRELATION_ID if answers else None
        return Header(
            verb,
            noun,
            context=context,
            timestamp=_NOW,
            source=system,
            message_id=_MESSAGE_ID,
            correlation_id=correlation,
        )
    asks = kind is MessageKind.REQUEST
    return Header(
        verb,
        noun,
        revision="1",
        replay_detection=ReplayDetection("000017", _NOW),
        context=context,
        timestamp=_NOW,
        source=system,
        async_reply_flag=True if asks else None,
        reply_address=f"topic:{context}.REPLY.{system}" if asks else None,
        ack_required=True if asks else None,
        user=User("clerk-17", "North Electric"),
        message_id=_MESSAGE_ID,
        correlation_id=_CORRELATION_ID,
        comment="An example.",
        properties=(Property("Region", "North"),),
    )


def _request(verb: Verb, parts: Parts, *, full: bool) -> Request | None:
    named = (Identifier(parts.object_id, kind=IdKind.UUID, object_type=parts.object_type or None),)
    if verb in _BY_IDS:
        return Request(ids=named)
    if verb is not Verb.GET:
        return None
    content = () if parts.profile is None else (parts.profile,)
    if not full:
        return Request(ids=() if content else named, content=content)
    start, end = "2026-03-17T00:00:00+01:00", "2026-03-18T00:00:00+01:00"
    return Request(start, end, (Option("timeout", "60"),), named, content)


def _reply(noun: str, parts: Parts, *, full: bool) -> Reply:
    if not full:
        return Reply(Result.OK)
    done = ReplyError(
        ReplyCode.NO_ERRORS, Level.INFORM, "no error", "An error with the code 0.0 tells of a success.", noun
    )
    named = (Identifier(parts.object_id, kind=IdKind.UUID, object_type=parts.object_type),) if parts.object_id else ()
    return Reply(Result.OK, (done,), named)


def _operation_set(verb: Verb, parts: Parts) -> OperationSet:
    inner = Verb.CREATED if verb is Verb.EXECUTED else Verb.CREATE
    steps = tuple(
        Operation(number, noun, inner, element_operation=False, content=content)
        for number, (noun, content) in enumerate(parts.operations, 1)
    )
    return OperationSet(steps, enforce_msg_sequence=True, enforce_transactional_integrity=True)


def verbs_of(noun: str) -> tuple[Verb, ...]:
    """Give the verbs with which a noun can be sent, in the order of request, event and reply."""
    if noun == OPERATION_SET:
        return (Verb.EXECUTE, Verb.EXECUTED, Verb.REPLY)
    requests = (Verb.GET, Verb.CREATE, Verb.CHANGE, Verb.CANCEL, Verb.CLOSE, Verb.DELETE)
    events = (Verb.CREATED, Verb.CHANGED, Verb.CANCELED, Verb.CLOSED, Verb.DELETED)
    return (*requests, *events, Verb.REPLY, Verb.EXECUTE, Verb.EXECUTED)
