"""The parts of a message as values, read on demand: Request, Reply, Payload and OperationSet."""

from collections.abc import Iterator

from lxml import etree

from gateway.codes import Level, Result
from gateway.message.envelope import (
    Identifier,
    IdKind,
    Location,
    Message,
    NamedObject,
    Operation,
    OperationSet,
    Option,
    Payload,
    Reply,
    ReplyError,
    Request,
)
from gateway.message.places import tag_of


def request_of(message: Message) -> Request | None:
    """Read the Request of a schema-valid message."""
    element = message.request
    if element is None:
        return None
    prefix = _prefix(message)
    return Request(
        start_time=element.findtext(prefix + "StartTime"),
        end_time=element.findtext(prefix + "EndTime"),
        options=tuple(
            Option(option.findtext(prefix + "name", ""), option.findtext(prefix + "value"))
            for option in element.iterchildren(prefix + "Option")
        ),
        ids=tuple(_identifier(child) for child in element.iterchildren(prefix + "ID")),
        content=tuple(_foreign(element, prefix)),
    )


def reply_of(message: Message) -> Reply | None:
    """Read the Reply of a schema-valid message."""
    element = message.reply
    if element is None:
        return None
    prefix = _prefix(message)
    return Reply(
        result=Result(element.findtext(prefix + "Result", "")),
        errors=tuple(_error(child, prefix) for child in element.iterchildren(prefix + "Error")),
        ids=tuple(_identifier(child) for child in element.iterchildren(prefix + "ID")),
        content=tuple(_foreign(element, prefix)),
        operation_id=_integer(element.findtext(prefix + "operationId")),
    )


def payload_of(message: Message) -> Payload | None:
    """Read the Payload of a schema-valid message."""
    element = message.payload
    if element is None:
        return None
    prefix = _prefix(message)
    return Payload(
        content=message.content,
        operation_set=operation_set_of(message),
        compressed=element.findtext(prefix + "Compressed"),
        ids=tuple(_identifier(child) for child in element.iterchildren(prefix + "ID")),
        format=element.findtext(prefix + "Format"),
    )


def operation_set_of(message: Message) -> OperationSet | None:
    """Read the OperationSet of a schema-valid message."""
    if message.payload is None:
        return None
    prefix = _prefix(message)
    element = message.payload.find(prefix + "OperationSet")
    if element is None:
        return None
    return OperationSet(
        operations=tuple(_operation(child, prefix) for child in element.iterchildren(prefix + "Operation")),
        enforce_msg_sequence=_boolean(element.findtext(prefix + "enforceMsgSequence")),
        enforce_transactional_integrity=_boolean(element.findtext(prefix + "enforceTransactionalIntegrity")),
    )


def has_ids(message: Message) -> bool:
    """Tell whether a message names objects by ID, in its Request or its Payload."""
    tag = f"{message.version.prefix}ID"
    parts = (part for part in (message.request, message.payload) if part is not None)
    return any((element.text or "").strip() for part in parts for element in part.iterchildren(tag))


def _prefix(message: Message) -> str:
    return message.version.prefix


def _foreign(element: etree._Element, prefix: str) -> Iterator[etree._Element]:
    return (child for child in element if not tag_of(child).startswith(prefix))


def _boolean(text: str | None) -> bool | None:
    return None if text is None else text.strip() in ("true", "1")


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)


def _identifier(element: etree._Element) -> Identifier:
    kind = element.get("kind")
    return Identifier(
        value=element.text or "",
        kind=None if kind is None else IdKind(kind),
        id_type=element.get("idType"),
        id_authority=element.get("idAuthority"),
        object_type=element.get("objectType"),
    )


def _optional_identifier(element: etree._Element | None) -> Identifier | None:
    return None if element is None else _identifier(element)


def _error(element: etree._Element, prefix: str) -> ReplyError:
    level = element.findtext(prefix + "level")
    location = element.find(prefix + "Location")
    named = element.find(prefix + "object")
    return ReplyError(
        code=element.findtext(prefix + "code", ""),
        level=None if level is None else Level(level),
        reason=element.findtext(prefix + "reason"),
        details=element.findtext(prefix + "details"),
        xpath=element.findtext(prefix + "xpath"),
        stack_trace=element.findtext(prefix + "stackTrace"),
        location=None if location is None else _location(location, prefix),
        id=_optional_identifier(element.find(prefix + "ID")),
        related_id=_optional_identifier(element.find(prefix + "relatedID")),
        object=None if named is None else _named_object(named, prefix),
        operation_id=_integer(element.findtext(prefix + "operationId")),
    )


def _location(element: etree._Element, prefix: str) -> Location:
    return Location(
        node=element.findtext(prefix + "node"),
        pipeline=element.findtext(prefix + "pipeline"),
        stage=element.findtext(prefix + "stage"),
    )


def _named_object(element: etree._Element, prefix: str) -> NamedObject:
    return NamedObject(
        mrid=element.findtext(prefix + "mRID"),
        names=tuple(name.findtext(prefix + "name", "") for name in element.iterchildren(prefix + "Name")),
        object_type=element.findtext(prefix + "objectType"),
    )


def _operation(element: etree._Element, prefix: str) -> Operation:
    return Operation(
        operation_id=int(element.findtext(prefix + "operationId", "")),
        noun=element.findtext(prefix + "noun"),
        verb=element.findtext(prefix + "verb"),
        element_operation=_boolean(element.findtext(prefix + "elementOperation")),
        content=next(_foreign(element, prefix), None),
    )
