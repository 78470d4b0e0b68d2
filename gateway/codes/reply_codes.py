"""Reply codes (IEC 61968-9 Annex B, informative), Result and Error levels (IEC 61968-100).

Codes 1.1 to 1.4, 2.1 to 2.3, 2.7, 2.8 and 2.11 are not known from any source we could reach (`UNTOLD`).
Partners also send private codes, so a code that is read stays text; `ReplyCode` is what the gateway itself emits.
"""

from enum import StrEnum
from typing import Final

from gateway.codes.tables import table


class Result(StrEnum):
    """Reply.Result: the outcome of a request as a whole."""

    OK = "OK"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"


class Level(StrEnum):
    """Error.level: how grave one error is."""

    INFORM = "INFORM"
    WARNING = "WARNING"
    FATAL = "FATAL"
    CATASTROPHIC = "CATASTROPHIC"


class ReplyCode(StrEnum):
    """A reply code; its value is the text that goes into Error.code, its name says what it means."""

    NO_ERRORS = "0.0"
    PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES = "0.1"
    PARTIAL_RESULT_FINAL = "0.2"
    SIMPLE_ACKNOWLEDGMENT = "0.3"
    MANDATORY_HEADER_ELEMENTS_MISSING = "1.5"
    MANDATORY_REQUEST_ELEMENTS_MISSING = "1.6"
    MANDATORY_PAYLOAD_ELEMENTS_MISSING = "1.7"
    SCHEMA_VALIDATION_FAILED = "1.8"
    UNSUPPORTED_HEADER_REVISION = "1.9"
    INVALID_METER = "2.4"
    INVALID_NOUN = "2.5"
    INVALID_READING_TYPE = "2.6"
    INVALID_VERB = "2.9"
    UNSUPPORTED_READING_TYPE = "2.10"
    INVALID_USAGE_POINT = "2.12"
    METER_USAGE_POINT_MISMATCH = "2.13"
    INVALID_SOURCE = "2.14"
    INVALID_REQUEST_ID = "2.15"
    INVALID_SERVICE_LOCATION = "2.16"
    METER_SERVICE_LOCATION_MISMATCH = "2.17"
    COM_MODULE_METER_MISMATCH = "2.18"
    INVALID_CUSTOMER_ACCOUNT = "2.19"
    INVALID_SERVICE_SUPPLIER = "2.20"
    CUSTOMER_ACCOUNT_SERVICE_SUPPLIER_MISMATCH = "2.21"
    INVALID_CUSTOMER = "2.22"
    CUSTOMER_CUSTOMER_ACCOUNT_MISMATCH = "2.23"
    INVALID_CUSTOMER_AGREEMENT = "2.24"
    CUSTOMER_ACCOUNT_CUSTOMER_AGREEMENT_MISMATCH = "2.25"
    CUSTOMER_AGREEMENT_USAGE_POINT_MISMATCH = "2.26"
    CUSTOMER_ACCOUNT_USAGE_POINT_MISMATCH = "2.27"
    SERVICE_SUPPLIER_USAGE_POINT_MISMATCH = "2.28"
    OBJECT_RELATIONSHIP_MISMATCH = "2.29"
    INVALID_COM_MODULE = "2.30"
    INVALID_SERVICE_CATEGORY = "2.31"
    INVALID_USAGE_POINT_LOCATION = "2.32"
    INVALID_PRICING_STRUCTURE = "2.33"
    TOO_MANY_ITEMS_IN_REQUEST = "3.1"
    TOO_MANY_PENDING_REQUESTS = "3.2"
    REQUEST_TIMED_OUT = "4.1"
    HIGH_SYSTEM_ACTIVITY = "5.1"
    TRANSACTION_NOT_ATTEMPTED = "5.2"
    TRANSACTION_ATTEMPTED_AND_FAILED = "5.3"
    MULTIPLE_ERROR_TYPES = "5.4"
    READING_TYPES_UNAVAILABLE_IN_MDMS = "5.5"
    READING_TYPES_UNAVAILABLE_IN_AMI = "5.6"
    REQUESTED_DATA_UNAVAILABLE = "5.7"
    MANDATORY_FIELDS_MISSING = "5.8"
    ABORTED_FOR_TRANSACTIONAL_INTEGRITY = "5.9"
    CANCELED_PER_BUSINESS_RULE = "6.1"
    ON_HOLD_PER_BUSINESS_RULE = "6.2"
    RELEASED_FROM_BUSINESS_RULE_HOLD = "6.3"
    RESCHEDULED_PER_BUSINESS_RULE = "6.4"
    CANCELED_BY_USER = "6.5"
    TEMPORARY_AUTHENTICATION_FAILURE = "7.1"
    AUTHENTICATION_REQUIRED = "7.2"
    AUTHENTICATION_MECHANISM_INSUFFICIENT = "7.3"
    AUTHENTICATION_FAILURE = "7.4"
    ACTION_NOT_AUTHORIZED_FOR_USER = "7.5"
    AUTHENTICATION_REQUIRES_ENCRYPTION = "7.6"
    POLICY_VIOLATION = "7.7"

    @property
    def meaning(self) -> str:
        """The name in words: `schema validation failed`."""
        return self.name.replace("_", " ").lower()

    @property
    def category(self) -> str:
        """The class of the code, `badValue`: what its first number says."""
        return table("reply_categories")[self.partition(".")[0]].name

    def explain(self) -> str:
        """Say in a sentence what the code means, and which Result goes with it."""
        return reply_sentence(self.value)


UNTOLD: Final = ("1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "2.7", "2.8", "2.11")
"""Codes that the standard has, and whose meaning no source tells that we could reach."""


def result_of(code: ReplyCode) -> Result:
    """Give the Result that goes with a code: the reading testers use, first digit 0 is success [inferred]."""
    if code in (ReplyCode.PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES, ReplyCode.PARTIAL_RESULT_FINAL):
        return Result.PARTIAL
    return Result.OK if code.startswith("0.") else Result.FAILED


def reply_sentence(code: str) -> str:
    """Say what a reply code of two numbers means, as far as it is known. The Result is always inferred."""
    known = table("reply_codes").get(code)
    category = code.partition(".")[0]
    group = table("reply_categories").get(category)
    told = f"category {category} ({group.label})" if group is not None else f"category {category}, which is not known"
    if known is not None:
        result = result_of(ReplyCode(code))
        return f"Reply code {known.name}: {known.label}; {told}; goes with Result {result} [inferred]."
    if group is None:
        return f"Reply code {code}: {told}."
    would = f"would go with Result {Result.OK if category == '0' else Result.FAILED} [inferred]"
    if code in UNTOLD:
        return f"Reply code {code}: the standard has it, but its meaning is not known to us; {told}; {would}."
    return f"Reply code {code}: not in the list; {told}; {would}."
