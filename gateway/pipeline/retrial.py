"""A second try for a dead letter: the message as it came, to where it was to go, with a mark that it is one."""

from collections.abc import Mapping
from typing import Final

from gateway.adapters import properties_of
from gateway.adapters.adapter import MESSAGE_ID, REPAIRS, REPEATED
from gateway.broker.letter import Letter
from gateway.endpoints import AmqpAddress, Properties, Publication, parse_address
from gateway.endpoints.amqp import IN_EXCHANGE, HeaderValue
from gateway.endpoints.coverage import endpoint_queue
from gateway.message import Header
from gateway.pipeline.dead_letter import FIRST_SEEN, MASKED, RETRIED, URL_CUT, Reason
from gateway.replay import HEADER as REPLAY

_KEPT: Final = (MESSAGE_ID, REPAIRS, REPEATED)
_MAYBE_DELIVERED: Final = (Reason.INTERNAL_ERROR,)


class NowhereToGo(ValueError):  # noqa: N818 - says the state
    """A dead letter does not tell where its message was to go, or not in full; the text says what to do instead."""


def destination(letter: Letter, *, key: str = "", mended: bool = False) -> AmqpAddress:
    """Give where the message was to go: to the one receiver that did not take it, else to the gateway's intake.

    What one receiver lacks goes to this one alone: all others have it. `key` replaces the routing key that it came
    with; `mended` tells that a person has replaced the message. Raises `NowhereToGo`.
    """
    receiver = letter.text("receiver")
    if letter.headers.get(MASKED) is True and not mended:
        raise NowhereToGo(
            "Personal data was masked in it, so what lies here is not what came. Let its source send it again, or "
            "fill in what is missing: cimgate dead edit-and-retry."
        )
    if receiver and key:
        raise NowhereToGo(f"It goes straight to {receiver}, so it takes no routing key.")
    if endpoint := letter.text("endpoint"):
        if letter.headers.get(URL_CUT) is True:
            raise NowhereToGo(
                f"The URL below {receiver} had a query, which no dead letter keeps. Save the answer (cimgate dead show "
                "ID --save FILE), post it by hand, then discard the letter."
            )
        return AmqpAddress("", endpoint_queue(endpoint), receiver)
    if receiver:
        address = parse_address(receiver)
        if address is None:
            raise NowhereToGo(f"Its receiver '{receiver}' is neither queue:NAME nor topic:NAME.")
        return address
    if letter.text("rule") == "no-reply-address":
        raise NowhereToGo(
            "It is about an answer that has no place to go: the request was carried out, and a second would not be. "
            "cimgate conversations show tells the answer; then discard the letter."
        )
    used = key or letter.text("routing_key")
    if not used:
        raise NowhereToGo("It came with no routing key. Give one: --key CONTEXT.REQUESTS.<Noun>.<verb>.")
    return AmqpAddress(IN_EXCHANGE, used)


def place_of(address: AmqpAddress) -> str:
    """Say in a word or two where a message goes: `cim.in TESTING.EVENTS.MeterReadings.created`, `queue:cim.MDM`."""
    if address.exchange == IN_EXCHANGE:
        return f"{IN_EXCHANGE} {address.routing_key}"
    return address.url or str(address)


def retrial(
    letter: Letter, address: AmqpAddress, *, tried: int = 0, body: bytes | None = None, header: Header | None = None
) -> Publication:
    """Give the message of a dead letter as it is published again: its bytes and ids, and how often it was retried.

    `tried` counts earlier tries of this very letter that were cut off: whether they arrived is not known, so this one
    is marked as a repeat. `body` and its `header` replace the message by one that a person has mended.
    """
    posted = letter.number("posts") > 0
    repeated = tried > 0 or posted or letter.text("reason") in _MAYBE_DELIVERED
    more: dict[str, HeaderValue] = {
        RETRIED: letter.number(RETRIED) + tried + 1,
        FIRST_SEEN: letter.text("first_seen"),
    }
    if mark := letter.text(REPLAY):
        more[REPLAY] = mark
    if repeated:
        more[REPEATED] = True
    content = letter.body if body is None else body
    if address.exchange == IN_EXCHANGE:  # the gateway reads the envelope, and makes the rest of it
        properties = Properties(
            correlation_id=letter.correlation_id, reply_to=letter.reply_to, content_type="application/xml", headers=more
        )
    elif header is not None:
        properties = properties_of(header, reply_to=letter.reply_to, headers=more | address.headers)
    else:
        properties = _as_it_was(letter, more, address.headers)
    return Publication(address, content, properties, header)


def _as_it_was(letter: Letter, more: Mapping[str, HeaderValue], wanted: Mapping[str, HeaderValue]) -> Properties:
    kept = {name: letter.headers[name] for name in _KEPT if name in letter.headers}
    return Properties(
        type=letter.type,
        app_id=letter.source,
        correlation_id=letter.correlation_id,
        reply_to=letter.reply_to,
        headers={**kept, **more, **wanted},
    )
