"""The IEC 61968-100 envelope as values: every element and attribute of the final schema, in Python's spelling.

Times stay text as they were sent: the gateway hands them on and must not change their form.
"""

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from gateway.codes import Level, Result
from gateway.message._hot import hot_value
from gateway.message.findings import Finding
from gateway.message.namespaces import EnvelopeVersion
from gateway.message.speech import CANONICAL, Speech
from gateway.message.verbs import MessageKind


@hot_value
class Property:
    """A name and value agreed between partners, for routing and filtering (Header.Property)."""

    name: str
    value: str | None = None


@hot_value
class User:
    """Who acts (Header.User). The draft demands an organization, the final version does not."""

    user_id: str
    organization: str | None = None


@hot_value
class ReplayDetection:
    """A nonce that its source must not repeat for a day, and when it was made (Header.ReplayDetection)."""

    nonce: str
    created: str


@hot_value
class Header:
    """Header of a message. Verb and noun are as sent, so that a wrong one can be shown; absent ones are empty."""

    verb: str
    noun: str
    revision: str | None = None
    replay_detection: ReplayDetection | None = None
    context: str | None = None
    timestamp: str | None = None
    source: str | None = None
    async_reply_flag: bool | None = None
    reply_address: str | None = None
    ack_required: bool | None = None
    user: User | None = None
    message_id: str | None = None
    correlation_id: str | None = None
    comment: str | None = None
    properties: tuple[Property, ...] = ()

    @property
    def one_way(self) -> bool:
        """AckRequired=false: no reply at all; an absent flag means reply normally [inferred]."""
        return self.ack_required is False

    @property
    def echoed_id(self) -> str | None:
        """What a reply carries as CorrelationID: the request's own, else its MessageID; blank counts as absent."""
        for candidate in (self.correlation_id, self.message_id):
            if candidate is not None and candidate.strip():
                return candidate
        return None


class IdKind(StrEnum):
    """What sort of id it is (ID/@kind); the default is uuid, for mRIDs."""

    NAME = "name"
    UUID = "uuid"
    TRANSACTION = "transaction"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Identifier:
    """Request.ID, Reply.ID, Payload.ID, Error.ID and Error.relatedID. The draft knows only the text."""

    value: str
    kind: IdKind | None = None
    id_type: str | None = None
    id_authority: str | None = None
    object_type: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A parameter of a request without a normative name (Request.Option)."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Parameters of a request. `content` holds the Get profile and other foreign elements."""

    start_time: str | None = None
    end_time: str | None = None
    options: tuple[Option, ...] = ()
    ids: tuple[Identifier, ...] = ()
    content: tuple[etree._Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """Where an error happened inside the answering system (Error.Location)."""

    node: str | None = None
    pipeline: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class NamedObject:
    """Error.object, deprecated: the object an error is about, by mRID and plain names."""

    mrid: str | None = None
    names: tuple[str, ...] = ()
    object_type: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyError:
    """One Error of a reply; code 0.0 reports a success. `xpath` must be a QName, so real paths go to details."""

    code: str
    level: Level | None = None
    reason: str | None = None
    details: str | None = None
    xpath: str | None = None
    stack_trace: str | None = None
    location: Location | None = None
    id: Identifier | None = None
    related_id: Identifier | None = None
    object: NamedObject | None = None
    operation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome of a request. Without `operation_id` it speaks of the whole request or OperationSet."""

    result: Result
    errors: tuple[ReplyError, ...] = ()
    ids: tuple[Identifier, ...] = ()
    content: tuple[etree._Element, ...] = ()
    operation_id: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of an OperationSet; `content` is its payload root, at most one."""

    operation_id: int
    noun: str | None = None
    verb: str | None = None
    element_operation: bool | None = None
    content: etree._Element | None = None


@dataclass(frozen=True, slots=True)
class OperationSet:
    """Several operations as one transaction (Annex K). A flag of None was not written."""

    operations: tuple[Operation, ...]
    enforce_msg_sequence: bool | None = None
    enforce_transactional_integrity: bool | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The payload: exactly one of foreign content, an operation set, a compressed text or ids; then the format."""

    content: tuple[etree._Element, ...] = ()
    operation_set: OperationSet | None = None
    compressed: str | None = None
    ids: tuple[Identifier, ...] = ()
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole message as values, ready to be built. A FaultMessage has a reply and no header."""

    kind: MessageKind
    header: Header | None = None
    request: Request | None = None
    reply: Reply | None = None
    payload: Payload | None = None


@hot_value
class Message:
    """A message as it was read: the raw bytes, the header as values, and the parsed tree for the checks.

    `root` is the envelope's element; `wrapped` tells that it stood inside a SOAP envelope. `payload` is the Payload
    element, `content` the foreign roots in it (nouns). Request, reply and operation set are read on demand by
    `gateway.message.parts`. The tree must not be changed: the raw bytes are what is handed on.

    `repairs` tell what was mended for a source with a dialect of its own, and `speech` how that source writes; `raw`
    holds the mended message then, and the lines of the tree are still those of the bytes that came.
    """

    raw: bytes
    kind: MessageKind
    version: EnvelopeVersion
    header: Header
    root: etree._Element
    request: etree._Element | None = None
    reply: etree._Element | None = None
    payload: etree._Element | None = None
    content: tuple[etree._Element, ...] = ()
    wrapped: bool = False
    repairs: tuple[Finding, ...] = ()
    speech: Speech = CANONICAL
