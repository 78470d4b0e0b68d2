"""From values to bytes: builds a message in the namespace that the partner speaks, valid by that version's schema."""

import re
from copy import deepcopy
from typing import Final

from lxml import etree

from gateway.message.envelope import (
    Envelope,
    Header,
    Identifier,
    Operation,
    OperationSet,
    Payload,
    Reply,
    ReplyError,
    Request,
)
from gateway.message.namespaces import DRAFT_CONTEXTS, EnvelopeVersion
from gateway.message.nouns import PART9_NOUNS
from gateway.message.verbs import MessageKind

_DRAFT_NOUNS: Final = PART9_NOUNS | {"MeterServiceRequest"}
_UNWRITABLE: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NotExpressible(ValueError):  # noqa: N818 - says what the version of the envelope cannot
    """The draft envelope has no place for what should be said (its lists are closed, its ids are plain text)."""


def build(envelope: Envelope, version: EnvelopeVersion = EnvelopeVersion.FINAL) -> bytes:
    """Write a message as UTF-8 XML, elements in the order of the schema.

    In the draft, attributes of ids are left out (it has none) and a FaultMessage is empty (its type is).
    Characters that XML cannot carry become U+FFFD.
    Raises `NotExpressible` where the draft has no place for a noun, context, payload ids or error ids.
    """
    writer = _Writer(version)
    if version is EnvelopeVersion.DRAFT:
        _check_draft(envelope)
    root: etree._Element = etree.Element(writer.name(envelope.kind.value), nsmap={None: version.namespace})
    if envelope.header is not None:
        writer.header(root, envelope.header)
    if envelope.request is not None:
        writer.request(root, envelope.request)
    if envelope.reply is not None and not (version is EnvelopeVersion.DRAFT and envelope.kind is MessageKind.FAULT):
        writer.reply(root, envelope.reply)
    if envelope.payload is not None:
        writer.payload(root, envelope.payload)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def reply_element(reply: Reply, version: EnvelopeVersion) -> etree._Element:
    """Write a Reply alone, to be put into a message of that version."""
    holder: etree._Element = etree.Element("holder", nsmap={None: version.namespace})
    _Writer(version).reply(holder, reply)
    return holder[0]


def _check_draft(envelope: Envelope) -> None:
    header = envelope.header
    if header is not None and header.noun not in _DRAFT_NOUNS:
        raise NotExpressible(f"The draft envelope's list of nouns lacks {header.noun}.")
    if header is not None and header.context is not None and header.context not in DRAFT_CONTEXTS:
        raise NotExpressible(f"The draft envelope's list of contexts lacks {header.context}.")
    if envelope.payload is not None and envelope.payload.ids:
        raise NotExpressible("The draft envelope has no Payload.ID; use Request.ID.")
    if envelope.reply is not None and any(error.id or error.related_id for error in envelope.reply.errors):
        raise NotExpressible("The draft envelope has no Error.ID and no Error.relatedID.")


def _writable(text: str) -> str:
    """Replace the characters that XML cannot carry: a reply may quote what a transport handed over."""
    return _UNWRITABLE.sub("\ufffd", text)


class _Writer:
    """Writes the parts; knows the namespace and what the draft leaves out."""

    def __init__(self, version: EnvelopeVersion) -> None:
        self._prefix = version.prefix
        self._draft = version is EnvelopeVersion.DRAFT

    def name(self, local: str) -> str:
        return self._prefix + local

    def group(self, parent: etree._Element, local: str) -> etree._Element:
        return etree.SubElement(parent, self._prefix + local)

    def text(self, parent: etree._Element, local: str, value: str | float | None) -> None:
        if value is None:
            return
        element = self.group(parent, local)
        if isinstance(value, bool):
            element.text = "true" if value else "false"
        else:
            element.text = _writable(str(value))

    def header(self, root: etree._Element, header: Header) -> None:
        element = self.group(root, "Header")
        self.text(element, "Verb", header.verb)
        self.text(element, "Noun", header.noun)
        self.text(element, "Revision", header.revision)
        if header.replay_detection is not None:
            replay = self.group(element, "ReplayDetection")
            self.text(replay, "Nonce", header.replay_detection.nonce)
            self.text(replay, "Created", header.replay_detection.created)
        self.text(element, "Context", header.context)
        self.text(element, "Timestamp", header.timestamp)
        self.text(element, "Source", header.source)
        self.text(element, "AsyncReplyFlag", header.async_reply_flag)
        self.text(element, "ReplyAddress", header.reply_address)
        self.text(element, "AckRequired", header.ack_required)
        if header.user is not None:
            user = self.group(element, "User")
            self.text(user, "UserID", header.user.user_id)
            organization = header.user.organization
            if organization is None and self._draft:
                organization = ""  # the draft demands the element; an empty one says that it is not known
            self.text(user, "Organization", organization)
        self.text(element, "MessageID", header.message_id)
        self.text(element, "CorrelationID", header.correlation_id)
        self.text(element, "Comment", header.comment)
        for item in header.properties:
            group = self.group(element, "Property")
            self.text(group, "Name", item.name)
            self.text(group, "Value", item.value)

    def request(self, root: etree._Element, request: Request) -> None:
        element = self.group(root, "Request")
        self.text(element, "StartTime", request.start_time)
        self.text(element, "EndTime", request.end_time)
        for option in request.options:
            group = self.group(element, "Option")
            self.text(group, "name", option.name)
            self.text(group, "value", option.value)
        self.identifiers(element, "ID", request.ids)
        self.content(element, request.content)

    def reply(self, root: etree._Element, reply: Reply) -> None:
        element = self.group(root, "Reply")
        self.text(element, "Result", reply.result)
        for error in reply.errors:
            self.error(element, error)
        self.identifiers(element, "ID", reply.ids)
        self.content(element, reply.content)
        self.text(element, "operationId", reply.operation_id)

    def error(self, reply: etree._Element, error: ReplyError) -> None:
        element = self.group(reply, "Error")
        self.text(element, "code", error.code)
        self.text(element, "level", error.level)
        self.text(element, "reason", error.reason)
        self.text(element, "details", error.details)
        self.text(element, "xpath", error.xpath)
        self.text(element, "stackTrace", error.stack_trace)
        if error.location is not None:
            location = self.group(element, "Location")
            self.text(location, "node", error.location.node)
            self.text(location, "pipeline", error.location.pipeline)
            self.text(location, "stage", error.location.stage)
        self.identifiers(element, "ID", () if error.id is None else (error.id,))
        self.identifiers(element, "relatedID", () if error.related_id is None else (error.related_id,))
        if error.object is not None:
            named = self.group(element, "object")
            self.text(named, "mRID", error.object.mrid)
            for name in error.object.names:
                self.text(self.group(named, "Name"), "name", name)
            self.text(named, "objectType", error.object.object_type)
        self.text(element, "operationId", error.operation_id)

    def payload(self, root: etree._Element, payload: Payload) -> None:
        element = self.group(root, "Payload")
        self.content(element, payload.content)
        if payload.operation_set is not None:
            self.operation_set(element, payload.operation_set)
        self.text(element, "Compressed", payload.compressed)
        self.identifiers(element, "ID", payload.ids)
        self.text(element, "Format", payload.format)

    def operation_set(self, payload: etree._Element, operations: OperationSet) -> None:
        element = self.group(payload, "OperationSet")
        self.text(element, "enforceMsgSequence", operations.enforce_msg_sequence)
        self.text(element, "enforceTransactionalIntegrity", operations.enforce_transactional_integrity)
        for operation in operations.operations:
            self.operation(element, operation)

    def operation(self, operations: etree._Element, operation: Operation) -> None:
        element = self.group(operations, "Operation")
        self.text(element, "operationId", operation.operation_id)
        self.text(element, "noun", operation.noun)
        self.text(element, "verb", operation.verb)
        self.text(element, "elementOperation", operation.element_operation)
        if operation.content is not None:
            self.content(element, (operation.content,))

    def identifiers(self, parent: etree._Element, local: str, identifiers: tuple[Identifier, ...]) -> None:
        for identifier in identifiers:
            element = self.group(parent, local)
            element.text = _writable(identifier.value)
            if self._draft:
                continue
            for attribute, value in (
                ("idType", identifier.id_type),
                ("idAuthority", identifier.id_authority),
                ("kind", identifier.kind),
                ("objectType", identifier.object_type),
            ):
                if value is not None:
                    element.set(attribute, _writable(value))

    def content(self, parent: etree._Element, content: tuple[etree._Element, ...]) -> None:
        for element in content:
            copied = deepcopy(element)  # appending would take the element out of the tree it was read from
            copied.tail = None
            parent.append(copied)
