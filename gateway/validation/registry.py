"""The rules that XSD cannot state, each declared once: ids, codes and descriptions come from here.

Findings, documentation and tests all read these declarations. A rule marked `inferred` is a policy of cimgate's reading
of the standard, not the standard's own text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.codes import ReplyCode
from gateway.message import Finding, Severity
from gateway.message.places import local_name, xpath_of

NOUN: Final = ReplyCode.INVALID_NOUN
VERB: Final = ReplyCode.INVALID_VERB
HEADER: Final = ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING
REQUEST: Final = ReplyCode.MANDATORY_REQUEST_ELEMENTS_MISSING
PAYLOAD: Final = ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING
SCHEMA: Final = ReplyCode.SCHEMA_VALIDATION_FAILED


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a stable id, the reply code and severity it usually has, what it demands, and what it rests on."""

    id: str
    code: ReplyCode
    summary: str
    source: str
    severity: Severity = Severity.ERROR
    inferred: bool = False
    other_codes: tuple[ReplyCode, ...] = ()

    def finding(
        self,
        place: etree._Element,
        text: str,
        advice: str,
        *,
        found: str = "",
        allowed: Iterable[str] = (),
        code: ReplyCode | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """Tell that the rule is broken at a place. The code must be one that the rule declares."""
        if code is not None and code not in (self.code, *self.other_codes):
            raise ValueError(f"The rule {self.id} does not declare the code {code}.")
        return Finding(
            self.id,
            code or self.code,
            text,
            advice,
            severity or self.severity,
            xpath_of(place),
            place.sourceline,
            local_name(place),
            found,
            tuple(str(item) for item in allowed),
        )


_VERBS: Final = "IEC 61968-100, verbs and the messages that carry them"
_HEADER: Final = "IEC 61968-100, header"
_REPLY: Final = "IEC 61968-100, reply"
_ROOTS: Final = "IEC 61968-100, root elements"
_PAYLOAD: Final = "IEC 61968-100, when a payload is required"
_PARTS: Final = "IEC 61968-100, structure of the payload"
_COMPRESSED: Final = "IEC 61968-100, compressed payload"
_PATTERNS: Final = "IEC 61968-100, exchange patterns and correlation"
_NOUNS: Final = "IEC 61968-9, nouns and their profiles"
_SETS: Final = "IEC 61968-9 Annex K and IEC 61968-100, operation sets"
_GATEWAY: Final = "cimgate"

VERB_OF_KIND: Final = Rule(
    "verb-of-kind",
    VERB,
    "The verb belongs to the type of message: requests, replies and events have their own.",
    _VERBS,
)
VERB_DEPRECATED: Final = Rule(
    "verb-deprecated", VERB, "Verbs of drafts (update, show, subscribe and others) are not used any more.", _VERBS
)
NOUN_UNKNOWN: Final = Rule("noun-unknown", NOUN, "The noun is one whose schema is installed.", _NOUNS, inferred=True)
NOUN_OF_PAYLOAD: Final = Rule(
    "noun-of-payload",
    NOUN,
    "The payload's root has the noun's name and namespace, the parameters of a get those of Get and the noun.",
    _NOUNS,
    inferred=True,
)
GENERIC_ROOT: Final = Rule(
    "generic-root", SCHEMA, "The root Message is for the inside of intermediaries alone.", _ROOTS
)
SOAP_WRAPPED: Final = Rule(
    "soap-wrapped", SCHEMA, "Over AMQP a message travels without a SOAP envelope.", _GATEWAY, inferred=True
)
CONTEXT_FOREIGN: Final = Rule(
    "context-foreign",
    ReplyCode.POLICY_VIOLATION,
    "The context, where there is one, is that of this gateway.",
    _HEADER,
    inferred=True,
)
ASYNC_REPLY_ADDRESS: Final = Rule(
    "async-reply-address", HEADER, "A request for asynchronous replies says where they go.", _PATTERNS, inferred=True
)
ASYNC_ID: Final = Rule(
    "async-id",
    HEADER,
    "A request for asynchronous replies has a MessageID or a CorrelationID to match them by.",
    _PATTERNS,
    inferred=True,
)
REPLY_ADDRESS_FORM: Final = Rule(
    "reply-address-form",
    SCHEMA,
    "ReplyAddress is queue:NAME, topic:NAME or an http:// or https:// URL; a warning unless replies are asynchronous.",
    _HEADER,
)
QUERY_ONE_WAY: Final = Rule(
    "query-one-way",
    SCHEMA,
    "A get wants its reply, so AckRequired is not false.",
    _PATTERNS,
    Severity.WARNING,
    inferred=True,
)
BLANK_CORRELATION: Final = Rule(
    "blank-correlation",
    HEADER,
    "An empty CorrelationID counts as absent.",
    _PATTERNS,
    Severity.WARNING,
    inferred=True,
)
PAYLOAD_REQUIRED: Final = Rule(
    "payload-required",
    PAYLOAD,
    "Requests to create or change carry a payload; for events its absence is a warning.",
    _PAYLOAD,
)
PAYLOAD_FORBIDDEN: Final = Rule(
    "payload-forbidden", SCHEMA, "A get has its parameters in Request and no payload.", _PAYLOAD
)
ID_REQUIRED: Final = Rule(
    "id-required",
    REQUEST,
    "Requests to cancel, close or delete name their object: in Request.ID, Payload.ID or a typed payload.",
    _PAYLOAD,
    inferred=True,
)
ONE_PAYLOAD: Final = Rule("one-payload", SCHEMA, "A payload has one root.", _PARTS, inferred=True)
PROFILE_WITHOUT_SCHEMA: Final = Rule(
    "profile-without-schema",
    SCHEMA,
    "The parameters of a get can only be checked where a schema of them is installed.",
    _NOUNS,
    Severity.WARNING,
    inferred=True,
)
COMPRESSED_BASE64: Final = Rule("compressed-base64", SCHEMA, "Compressed holds base64.", _COMPRESSED)
COMPRESSED_GZIP: Final = Rule(
    "compressed-gzip", SCHEMA, "Under the base64 of Compressed is gzip, unless the format is BINARY.", _COMPRESSED
)
COMPRESSED_BOMB: Final = Rule(
    "compressed-bomb",
    SCHEMA,
    "What Compressed holds stays within the limits of size and ratio.",
    _GATEWAY,
    inferred=True,
)
COMPRESSED_XML: Final = Rule(
    "compressed-xml", SCHEMA, "What Compressed holds is well-formed XML, unless Format says otherwise.", _COMPRESSED
)
FAILED_WITHOUT_ERROR: Final = Rule(
    "failed-without-error", SCHEMA, "A reply FAILED names at least one error.", _REPLY, Severity.WARNING
)
EXECUTE_OPERATION_SET: Final = Rule(
    "execute-operation-set",
    NOUN,
    "The verbs execute and executed, the noun OperationSet and an OperationSet in the payload go together.",
    _SETS,
    other_codes=(PAYLOAD,),
)
OPERATIONS_NONE: Final = Rule("operations-none", PAYLOAD, "An OperationSet has operations.", _SETS, inferred=True)
OPERATION_ID_UNIQUE: Final = Rule("operation-id-unique", SCHEMA, "An operationId is unique in its set.", _SETS)
OPERATION_ID_SIZE: Final = Rule(
    "operation-id-size", SCHEMA, "An operationId has at most 18 digits.", _GATEWAY, inferred=True
)
OPERATION_ORDER: Final = Rule(
    "operation-order",
    SCHEMA,
    "With enforceMsgSequence the operations stand in ascending order of their ids.",
    _SETS,
    inferred=True,
)
OPERATION_VERB_MISSING: Final = Rule(
    "operation-verb-missing", PAYLOAD, "An operation has a verb.", _SETS, inferred=True
)
OPERATION_VERB: Final = Rule(
    "operation-verb", VERB, "An operation creates, changes or deletes; nothing else is allowed in a set.", _SETS
)
OPERATION_TENSE: Final = Rule(
    "operation-tense", VERB, "Operations of execute are in the present tense, those of executed in the past.", _SETS
)
OPERATION_ELEMENT: Final = Rule(
    "operation-element", SCHEMA, "elementOperation is for delete and deleted alone.", _SETS, inferred=True
)
OPERATION_NOUN: Final = Rule(
    "operation-noun", NOUN, "The noun of an operation is that of its payload.", _SETS, inferred=True
)
OPERATION_PAYLOAD: Final = Rule("operation-payload", PAYLOAD, "An operation has a payload.", _SETS, inferred=True)

DIALECT_NAMESPACE: Final = Rule(
    "dialect-namespace",
    SCHEMA,
    "Elements are in the namespaces of the standard; others are read as ours where the settings of the source say so.",
    _GATEWAY,
    inferred=True,
)
DIALECT_NOUN: Final = Rule(
    "dialect-noun",
    NOUN,
    "Nouns have the names of the standard; others are read as ours where the settings of the source say so.",
    _GATEWAY,
    inferred=True,
)
STRONGLY_TYPED_TENSE: Final = Rule(
    "strongly-typed-tense",
    VERB,
    "In a strongly typed message the operation's name and the header's verb agree whether it commands or reports.",
    _GATEWAY,
    inferred=True,
)

RULES: Final[tuple[Rule, ...]] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
"""All rules, in the order of their declaration."""
