"""Rules outside a check, declared like the others: those of reading, which come before it, and those of the way after.

Who reads or hands on a message tells these findings itself, by id; here they are described, for people.
"""

from typing import Final

from gateway.codes import ReplyCode
from gateway.validation.registry import Rule

_READING: Final = "cimgate, reading"
_WAY: Final = "cimgate, the way through the gateway"
_UNREADABLE: Final = "what cannot be read cannot be judged"
_NO_WAY: Final = "the gateway has no way to hand the message on"


def _reading(rule: str, summary: str, code: ReplyCode = ReplyCode.SCHEMA_VALIDATION_FAILED) -> Rule:
    return Rule(rule, code, summary, _READING, fixed=_UNREADABLE)


def _way(rule: str, summary: str, code: ReplyCode, *others: ReplyCode) -> Rule:
    return Rule(rule, code, summary, _WAY, other_codes=others, fixed=_NO_WAY)


READING_RULES: Final = (
    _reading("xml-empty", "A message has a body."),
    _reading("message-too-large", "A message has at most `max_message_bytes`; a larger one is not parsed."),
    _reading("xml-doctype", "A message has no DOCTYPE; entities and DTDs are never read."),
    _reading("xml-depth", "Elements nest at most 256 deep."),
    _reading("xml-attributes", "An element has at most 64 attributes."),
    _reading("xml-not-well-formed", "A message is well-formed XML in the encoding that it declares."),
    _reading("envelope-root", "The root is a message of IEC 61968-100 in a known namespace."),
    _reading("strongly-typed", "A message is in the generic form; a strongly typed one only from a lenient source."),
    _reading("header-unusable", "A header has a verb and a noun.", ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING),
)
"""What a message must be so that it can be read at all."""

WAY_RULES: Final = (
    _way(
        "routing-key",
        "The routing key is one that a binding of `cim.in` takes.",
        ReplyCode.TRANSACTION_NOT_ATTEMPTED,
    ),
    _way(
        "no-route",
        "A route takes the message; 2.5 where none has its noun, 2.9 otherwise.",
        ReplyCode.INVALID_NOUN,
        ReplyCode.INVALID_VERB,
    ),
    _way(
        "reply-key",
        "A reply is published with the routing key `<CONTEXT>.REPLY.<application>`.",
        ReplyCode.INVALID_REQUEST_ID,
    ),
    _way("no-queue", "The queue that a message is delivered to exists.", ReplyCode.TRANSACTION_NOT_ATTEMPTED),
    _way(
        "no-reply-address",
        "The answer to a request has a place to go: ReplyAddress (a URL where a table `[[endpoints]]` covers it), "
        "AMQP's reply_to, or the queue of the asker's system.",
        ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING,
    ),
    _way(
        "endpoint-uncovered",
        "The URL of an answer is still covered by the table `[[endpoints]]` in whose queue the answer waits.",
        ReplyCode.TRANSACTION_NOT_ATTEMPTED,
    ),
    _way(
        "endpoint-refused",
        "The endpoint of a URL takes the answer that is posted to it; a redirect or a 4xx is final, except 408, 425, "
        "429, and 401 where the endpoint has an authorization.",
        ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
    ),
    _way(
        "endpoint-unavailable",
        "The endpoint of a URL takes the answer within `give_up_after`.",
        ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
    ),
    _way(
        "internal-error",
        "The gateway handles the message without a defect of its own.",
        ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
    ),
)
"""What a valid message must be so that it can be handed on."""
