"""Dead letters: what was refused, as it came, with its reason in the headers."""

import re
from enum import StrEnum
from typing import Final

from gateway.adapters import properties_of
from gateway.broker.delivery import Delivery
from gateway.broker.topology import DEAD
from gateway.endpoints import AmqpAddress, Properties, Publication
from gateway.endpoints.amqp import HeaderValue
from gateway.message import Finding, Header

_LONGEST: Final = 1_000
_LONGEST_WORD: Final = 60
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9_-]+")


class Reason(StrEnum):
    """Why a message is dead; the first word of its routing key on cim.dead."""

    UNREADABLE = "unreadable"
    INVALID = "invalid"
    FOREIGN_CONTEXT = "foreign-context"
    UNBOUND = "unbound"
    UNROUTABLE = "unroutable"
    NO_CONVERSATION = "no-conversation"
    UNDELIVERABLE = "undeliverable"
    INTERNAL_ERROR = "internal-error"


def dead_letter(
    body: bytes,
    header: Header | None,
    reason: Reason,
    finding: Finding,
    delivery: Delivery,
    *,
    first_seen: str,
    more: dict[str, HeaderValue] | None = None,
) -> Publication:
    """Give the dead letter of a message: the original bytes, and headers that tell reason, code, rule and place.

    `first_seen` is an ISO time. Values from the message are cut, because AMQP headers have one frame to fit in.
    """
    transport = delivery.properties()
    headers: dict[str, HeaderValue] = {
        "reason": reason.value,
        "code": str(finding.code),
        "rule": finding.rule,
        "text": finding.text,
        "advice": finding.advice,
        "xpath": finding.xpath,
        "exchange": delivery.exchange,
        "routing_key": delivery.routing_key,
        "correlation_id": (header.echoed_id if header else None) or transport.correlation_id,
        "first_seen": first_seen,
        "attempts": transport.deliveries,
    } | (more or {})
    if finding.line is not None:
        headers["line"] = finding.line
    cut = {
        name: value[:_LONGEST] if isinstance(value, str) else value for name, value in headers.items() if value != ""
    }
    key = ".".join((reason.value, _word(header.noun if header else ""), _word(header.verb if header else "")))
    if header is None:
        properties = Properties(
            correlation_id=transport.correlation_id,
            reply_to=transport.reply_to,
            content_type="application/octet-stream",
            headers=cut,
        )
    else:
        properties = properties_of(header, reply_to=transport.reply_to, headers=cut, repeated=delivery.redelivered)
    return Publication(AmqpAddress(DEAD, key), body, properties)


def _word(text: str) -> str:
    """Make one word of a routing key from what a stranger wrote."""
    return _NO_WORD.sub("_", text)[:_LONGEST_WORD] or "-"
