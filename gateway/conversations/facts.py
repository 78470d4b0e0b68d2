"""What the machine needs to know of a message, read from it."""

from typing import Final

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.inputs import ReplyFacts
from gateway.conversations.sets import OperationFacts, SetFacts
from gateway.conversations.values import Asker
from gateway.message import Message
from gateway.message.envelope import ReplyError
from gateway.message.parts import operation_set_of, reply_of
from gateway.message.payloads import whole_payload
from gateway.message.places import local_name, tag_of
from gateway.message.verbs import MessageKind

_CONTROLS: Final = frozenset({"EndDeviceControls", "OperationSet"})
_FOLLOWING: Final = frozenset({"EndDeviceControls", "EndDeviceEvents"})
_MOST_TIES: Final = 100
_LONGEST_TIE: Final = 255


def facts_of(message: Message, digest: str, *, on_request_channel: bool = False) -> ReplyFacts:
    """Give the facts of a checked ResponseMessage or FaultMessage; `digest` is that of its body.

    The draft's FaultMessage is empty: it counts as FAILED with 5.3 [inferred].
    """
    reply = reply_of(message)
    fault = message.kind is MessageKind.FAULT
    if reply is None:
        reason = "The system answered with a FaultMessage, which does not say why."
        error = ReplyError(ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED, level=Level.FATAL, reason=reason)
        return ReplyFacts(Result.FAILED, digest, errors=(error,), fault=fault, on_request_channel=on_request_channel)
    payload = message.payload
    return ReplyFacts(
        result=Result.FAILED if fault else reply.result,
        digest=digest,
        message_id=message.header.message_id or "",
        errors=reply.errors,
        ids=reply.ids,
        has_payload=payload is not None and len(payload) > 0,
        root=tag_of(message.content[0]) if len(message.content) == 1 else "",
        operation_id=reply.operation_id,
        on_request_channel=on_request_channel,
        fault=fault,
    )


def tracking_ids(message: Message) -> tuple[str, ...]:
    """Give the issuerTrackingIDs by which controls and what follows from them are known to belong together.

    Those of a request with EndDeviceControls, or of an event of controls or of devices; each once, the first hundred.
    """
    nouns = _CONTROLS if message.kind is MessageKind.REQUEST else _FOLLOWING
    payload = whole_payload(message) if message.header.noun in nouns else None
    if payload is None:
        return ()
    found = ((element.text or "").strip() for element in payload.iter("{*}issuerTrackingID"))
    return tuple(dict.fromkeys(text for text in found if 0 < len(text) <= _LONGEST_TIE))[:_MOST_TIES]


def set_of(message: Message) -> SetFacts:
    """Give the facts of a checked execute(OperationSet); an absent enforceTransactionalIntegrity is its version's."""
    asked = operation_set_of(message)
    if asked is None:
        raise ValueError("The message has no OperationSet.")
    integrity = asked.enforce_transactional_integrity
    return SetFacts(
        operations=tuple(
            OperationFacts(
                operation.operation_id,
                (operation.verb or "").strip(),
                local_name(operation.content) if operation.content is not None else (operation.noun or "").strip(),
                element=operation.element_operation is True,
            )
            for operation in asked.operations
        ),
        sequence=asked.enforce_msg_sequence is True,
        integrity=message.version.integrity_by_default if integrity is None else integrity,
    )


def asker_of(message: Message, reply_to: str = "") -> Asker:
    """Give who asks with a request; `reply_to` is that of the transport."""
    header = message.header
    return Asker(
        source=header.source or "",
        message_id=header.message_id or "",
        echoed_id=header.echoed_id or "",
        reply_address=header.reply_address or "",
        reply_to=reply_to,
        asynchronous=header.async_reply_flag is True,
        revision=header.revision or "",
        version=message.version,
        speech=message.speech,
    )
