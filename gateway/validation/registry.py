"""The rules that XSD cannot state, each declared once: ids, codes and descriptions come from here.

Findings, documentation and tests all read these declarations. A rule marked `inferred` is a policy of cimgate's reading
of the standard, not the standard's own text.
"""

from collections.abc import Callable, Iterable
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
class Place:
    """Where something stands, kept without its element: a streamed document forgets its elements."""

    xpath: str
    line: int | None
    element: str

    @classmethod
    def of(cls, element: etree._Element, path: Callable[[etree._Element], str] = xpath_of) -> "Place":
        """Give the place of an element; `path` writes its XPath where the tree alone cannot tell it."""
        return cls(path(element), element.sourceline, local_name(element))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a stable id, the reply code and severity it usually has, what it demands, and what it rests on.

    `fixed` says why a site cannot set the severity; it is empty for most rules.
    """

    id: str
    code: ReplyCode
    summary: str
    source: str
    severity: Severity = Severity.ERROR
    inferred: bool = False
    other_codes: tuple[ReplyCode, ...] = ()
    fixed: str = ""

    def finding(
        self,
        place: etree._Element | Place,
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
        where = place if isinstance(place, Place) else Place.of(place)
        return Finding(
            self.id,
            code or self.code,
            text,
            advice,
            severity or self.severity,
            where.xpath,
            where.line,
            where.element,
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
_TIMES: Final = "IEC 61968-100, times; what common libraries read of xs:dateTime"
_CODES: Final = "IEC 61968-9 Annexes C to F, codes"
_REFERENCES: Final = "IEC 61968-9, references between objects of a payload"
_READINGS: Final = "IEC 61968-9 Annex C, measuring period"
_CONTROLS: Final = "IEC 61968-9, end device controls; what head ends demand"

VERB_OF_KIND: Final = Rule(
    "verb-of-kind",
    VERB,
    "The verb belongs to the type of message: requests, replies and events have their own.",
    _VERBS,
)
VERB_DEPRECATED: Final = Rule(
    "verb-deprecated", VERB, "Verbs of drafts (update, show, publish and others) are not used any more.", _VERBS
)
VERB_SUBSCRIPTION: Final = Rule(
    "verb-subscription",
    VERB,
    "Subscriptions are made at the gateway; the draft's verbs subscribe and unsubscribe do not make or end any.",
    _VERBS,
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
    "generic-root",
    SCHEMA,
    "The root Message is for the inside of intermediaries alone.",
    _ROOTS,
    fixed="under this root the gateway cannot tell a request from an event",
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
    fixed="it keeps messages of one environment out of another; the setting `context` says which is this one",
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
REPLY_ADDRESS_UNCOVERED: Final = Rule(
    "reply-address-uncovered",
    ReplyCode.POLICY_VIOLATION,
    "Where tables `[[endpoints]]` are set, one covers a ReplyAddress that is a URL; others are never called.",
    _GATEWAY,
    Severity.WARNING,
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
CANCEL_OF_GET: Final = Rule(
    "cancel-of-get",
    REQUEST,
    "A cancel names an object; one that names a get by its CorrelationID is taken where allow_cancel_of_get says so.",
    "IEC 61968-9 Annex M",
    severity=Severity.WARNING,
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
    fixed="it protects the gateway; the limits are the settings `max_decompressed_bytes` and `max_compression_ratio`",
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
    "operation-id-size",
    SCHEMA,
    "An operationId has at most 18 digits.",
    _GATEWAY,
    inferred=True,
    fixed="the gateway reads the ids as numbers",
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
OPERATION_INTEGRITY: Final = Rule(
    "operation-integrity",
    SCHEMA,
    "A set of several operations says whether all must succeed: the versions of the envelope have opposite defaults.",
    _SETS,
    Severity.WARNING,
    inferred=True,
)
OPERATION_LINK: Final = Rule(
    "operation-link",
    SCHEMA,
    "A MasterDataLinkageConfig links what exists, or what an earlier operation of the set creates.",
    _SETS,
    Severity.WARNING,
    inferred=True,
)

_DIALECT: Final = "the dialect of the source decides; see its namespaces, nouns, mode and tense in the settings"
DIALECT_NAMESPACE: Final = Rule(
    "dialect-namespace",
    SCHEMA,
    "Elements are in the namespaces of the standard; others are read as ours where the settings of the source say so.",
    _GATEWAY,
    inferred=True,
    fixed=_DIALECT,
)
DIALECT_NOUN: Final = Rule(
    "dialect-noun",
    NOUN,
    "Nouns have the names of the standard; others are read as ours where the settings of the source say so.",
    _GATEWAY,
    inferred=True,
    fixed=_DIALECT,
)
STRONGLY_TYPED_TENSE: Final = Rule(
    "strongly-typed-tense",
    VERB,
    "In a strongly typed message the operation's name and the header's verb agree whether it commands or reports.",
    _GATEWAY,
    inferred=True,
    fixed=_DIALECT,
)

CODE_SYNTAX: Final = Rule(
    "code-syntax",
    SCHEMA,
    "A reference that is written like a code, in numbers with dots, is a whole code of its kind.",
    _CODES,
    other_codes=(ReplyCode.INVALID_READING_TYPE,),
)
REF_DANGLING: Final = Rule(
    "ref-dangling",
    SCHEMA,
    "A reference is a code, or the mRID or a name of an object in the same payload.",
    _REFERENCES,
    Severity.WARNING,
    inferred=True,
    other_codes=(ReplyCode.INVALID_READING_TYPE,),
)
REF_EMPTY: Final = Rule(
    "ref-empty",
    SCHEMA,
    "A reference has its ref, and that is neither empty nor the question mark of a template.",
    _REFERENCES,
    Severity.WARNING,
    inferred=True,
    other_codes=(ReplyCode.INVALID_READING_TYPE,),
)
TIMESTAMP_OFFSET: Final = Rule(
    "timestamp-offset", SCHEMA, "A time says its offset from UTC, or Z.", _TIMES, Severity.WARNING
)
TIMESTAMP_24: Final = Rule(
    "timestamp-24",
    SCHEMA,
    "Midnight is 00:00:00 of the day that begins; XML allows 24:00:00, many systems do not read it.",
    _TIMES,
    Severity.WARNING,
    inferred=True,
)
PERIOD_BACKWARDS: Final = Rule(
    "period-backwards", SCHEMA, "A period does not end before it starts.", _TIMES, Severity.WARNING, inferred=True
)
INTERVAL_GRID: Final = Rule(
    "interval-grid",
    SCHEMA,
    "The times of an interval block stand where the measuring period of its reading type puts them.",
    _READINGS,
    Severity.WARNING,
    inferred=True,
)
INTERVAL_ORDER: Final = Rule(
    "interval-order",
    SCHEMA,
    "The readings of an interval block stand in the order of their times, each time once.",
    _READINGS,
    Severity.WARNING,
    inferred=True,
)
CONTROL_START: Final = Rule(
    "control-start",
    PAYLOAD,
    "A control that is created says when it starts.",
    _CONTROLS,
    Severity.WARNING,
    inferred=True,
)
RESULT_AND_CODES: Final = Rule(
    "result-and-codes",
    SCHEMA,
    "The result of a reply and the codes of its errors do not contradict each other.",
    _REPLY,
    Severity.WARNING,
    inferred=True,
)

RULES: Final[tuple[Rule, ...]] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
"""All rules, in the order of their declaration."""
