"""The rules that XSD cannot state, as pure functions from a message to findings."""

from collections.abc import Callable
from typing import Final

from gateway.message import Finding, Message, MessageKind
from gateway.validation.rules.exchange import address_findings, context_findings, correlation_findings
from gateway.validation.rules.nouns import noun_findings, profile_findings
from gateway.validation.rules.operations import operation_findings, reply_id_findings
from gateway.validation.rules.payloads import payload_findings
from gateway.validation.rules.replies import reply_findings
from gateway.validation.rules.site import Site
from gateway.validation.rules.times import header_time_findings, request_time_findings
from gateway.validation.rules.verbs import verb_findings

__all__ = ["ALWAYS", "RULES_OF", "Site"]

RuleCheck = Callable[[Message, Site], tuple[Finding, ...]]

ALWAYS: Final[tuple[tuple[RuleCheck, str], ...]] = (
    (verb_findings, "Verb"),
    (noun_findings, "Noun"),
    (context_findings, "Context"),
)
"""Rules that make sense even where the envelope is broken, with the element they are about: one fault is told once."""

_ALL: Final[tuple[RuleCheck, ...]] = tuple(rule for rule, _ in ALWAYS)
_EVENTS: Final = (*_ALL, header_time_findings, correlation_findings, payload_findings, operation_findings)

RULES_OF: Final[dict[MessageKind, tuple[RuleCheck, ...]]] = {
    MessageKind.REQUEST: (*_EVENTS, request_time_findings, profile_findings, address_findings),
    MessageKind.RESPONSE: (*_ALL, header_time_findings, correlation_findings, reply_findings, reply_id_findings),
    MessageKind.EVENT: _EVENTS,
    MessageKind.GENERIC: _ALL,
    MessageKind.FAULT: (reply_id_findings,),
}
"""The rules of each kind of message whose envelope is valid."""
