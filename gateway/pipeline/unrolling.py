"""The single request for one operation of a set: to do it, to read the state before it, or to undo it."""

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from gateway.conversations import Leg, Role
from gateway.message import Envelope, Header, Message, MessageKind, build
from gateway.message.envelope import Identifier, IdKind, Operation, Payload, Request
from gateway.message.parts import operation_set_of
from gateway.message.places import local_name, tag_of


def single_request(asked: Message, leg: Leg, old: etree._Element | None, now: str) -> bytes:
    """Write the request of a leg: the operation's payload, or the `old` state where that is brought back.

    The state before an operation is asked for by the ids of its objects: mRID, else the first name [inferred].
    Raises `LookupError` where the set has no such operation.
    """
    operation = _operation(asked, leg.operation_id)
    header = replace(
        asked.header,
        verb=leg.verb,
        noun=leg.noun,
        timestamp=now,
        reply_address=None,
        async_reply_flag=None,
        ack_required=None,
        replay_detection=None,
    )
    root = operation.content if old is None else old
    if leg.role is Role.READ:
        ids = () if operation.content is None else tuple(_ids(operation.content))
        return _written(header, asked, request=Request(ids=ids))
    return _written(header, asked, payload=Payload(content=() if root is None else (root,)))


def _operation(asked: Message, number: int | None) -> Operation:
    operations = operation_set_of(asked)
    for operation in operations.operations if operations is not None else ():
        if operation.operation_id == number:
            return operation
    raise LookupError(f"The set has no operation {number}.")


def _ids(root: etree._Element) -> Iterator[Identifier]:
    """Give the ids of the objects that stand below a payload's root."""
    space = tag_of(root)[: tag_of(root).rfind("}") + 1]
    for child in root:
        kind = local_name(child)
        mrid = child.findtext(f"{space}mRID")
        if mrid:
            yield Identifier(mrid, IdKind.UUID, object_type=kind)
        elif name := child.findtext(f"{space}Names/{space}name"):
            yield Identifier(name, IdKind.NAME, object_type=kind)


def _written(
    header: Header, asked: Message, *, request: Request | None = None, payload: Payload | None = None
) -> bytes:
    return build(Envelope(MessageKind.REQUEST, header, request=request, payload=payload), asked.version)
