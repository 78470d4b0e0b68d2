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
from gateway.replay import HEADER as REPLAY

RETRIED: Final = "cim-retried"
"""AMQP header: how often an operator has published this message again out of the dead letters, this time included."""

FIRST_SEEN: Final = "cim-first-seen"
"""AMQP header of such a message: when it first became a dead letter, an ISO time."""

URL_CUT: Final = "url_cut"
"""Header of a dead letter whose `receiver` is not the whole URL: secrets travel in a query."""

MASKED: Final = "masked"
"""Header of a dead letter that is not the message as it came: personal data was taken out of it."""

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
    reply_to: str | None = None,
) -> Publication:
    """Give the dead letter of a message: the original bytes, and headers that tell reason, code, rule and place.

    `first_seen` is an ISO time; a message that was retried out of the dead letters keeps its first one, and the count.
    `reply_to` is what the publication said that did not arrive; without it, what came with the delivery. Values from
    the message are cut, because AMQP headers have one frame to fit in.
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
    retried = transport.headers.get(RETRIED)
    if isinstance(retried, int) and retried > 0:
        headers |= {RETRIED: retried, "first_seen": str(transport.headers.get(FIRST_SEEN) or first_seen)}
    if mark := delivery.replay:
        headers[REPLAY] = str(mark)
    if finding.line is not None:
        headers["line"] = finding.line
    cut = {
        name: value[:_LONGEST] if isinstance(value, str) else value for name, value in headers.items() if value != ""
    }
    key = ".".join((reason.value, _word(header.noun if header else ""), _word(header.verb if header else "")))
    reply_to = transport.reply_to if reply_to is None else reply_to
    if header is None:
        properties = Properties(
            correlation_id=transport.correlation_id,
            reply_to=reply_to,
            content_type="application/octet-stream",
            headers=cut,
        )
    else:
        properties = properties_of(header, reply_to=reply_to, headers=cut, repeated=delivery.repeated)
    return Publication(AmqpAddress(DEAD, key), body, properties)


def _word(text: str) -> str:
    """Make one word of a routing key from what a stranger wrote."""
    return _NO_WORD.sub("_", text)[:_LONGEST_WORD] or "-"
