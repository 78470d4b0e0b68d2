"""The last way of a message: why it goes to the dead letters, noted in the log and in the counters."""

from collections.abc import Callable, Mapping

import structlog

from gateway.adapters import repairs_of
from gateway.broker import Delivery, Failure
from gateway.broker.topology import DEAD
from gateway.codes import ReplyCode
from gateway.conversations import Conversation
from gateway.endpoints import Publication
from gateway.endpoints.amqp import HeaderValue
from gateway.endpoints.urls import shown
from gateway.logs import about
from gateway.message import Finding, Header, Message
from gateway.pipeline.dead_letter import MASKED, URL_CUT, Reason, dead_letter
from gateway.pipeline.discretion import Discretion, blanked
from gateway.pipeline.recording import Recorder
from gateway.pipeline.settlement import Counts
from gateway.pipeline.work import Work

log = structlog.get_logger(__name__)


class Burial:
    """Makes dead letters. `now` gives an ISO time. What is masked for the journal is masked in them too."""

    def __init__(self, counts: Counts, now: Callable[[], str], discretion: Discretion, recorder: Recorder) -> None:
        self._counts = counts
        self._recorder = recorder
        self._discretion = discretion
        self._now = now

    def letter(
        self, delivery: Delivery, message: Message | None, reason: Reason, finding: Finding, answered: str,
        receiver: str = "",
    ) -> Publication:  # fmt: skip
        """Give the dead letter of a message that came; `answered` says where its sender was told.

        `receiver` names the one that could not take it, where all others have it.
        """
        more: dict[str, HeaderValue] = {"answered": answered}
        if receiver:
            more["receiver"] = receiver
        if message is not None:
            more |= repairs_of(message)
        header = message.header if message else None
        self._recorder.dead(delivery, reason, finding)
        return self._made(delivery, delivery.body, header, reason, finding, more)

    def undelivered(self, delivery: Delivery, publication: Publication, failure: Failure) -> Publication | None:
        """Give the dead letter for a publication that no queue took; None where that was a dead letter itself."""
        if publication.address.exchange == DEAD:
            return None
        if publication.unwanted is not None:  # an event without a route that nobody has subscribed to
            more: dict[str, HeaderValue] = {"answered": "not due"}
            header, finding = publication.header, publication.unwanted()
            self._recorder.dead(delivery, Reason.UNROUTABLE, finding)
            return self._made(delivery, delivery.body, header, Reason.UNROUTABLE, finding, more)
        finding = Finding(
            "no-queue",
            ReplyCode.TRANSACTION_NOT_ATTEMPTED,
            f"{publication.address} took no message: {failure.text}",
            "Create the queue (cimgate topology apply does for those of systems), then send the message again.",
        )
        more = {"receiver": str(publication.address)}
        if conversation := publication.origin[0]:
            more["conversation"] = conversation
        else:  # of what a conversation says, the message that came is not at its end
            self._recorder.dead(delivery, Reason.UNDELIVERABLE, finding)
        return self._made(
            delivery, publication.body, publication.header, Reason.UNDELIVERABLE, finding, more,
            reply_to=publication.properties.reply_to,
        )  # fmt: skip

    def unaddressed(
        self, work: Work, conversation: Conversation, reason: str, bodies: Mapping[str, bytes]
    ) -> Publication:
        """Give the dead letter for an answer that has nowhere to go."""
        finding = Finding(
            "no-reply-address",
            ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING,
            f"The answer to {conversation.verb}({conversation.noun}) of {conversation.asker.source or 'nobody'} has no "
            f"place to go: {reason}.",
            "Write a ReplyAddress in the request: queue:NAME, topic:NAME or a URL that a table [[endpoints]] covers; "
            "or AMQP's reply_to.",
        )
        message = work.examined.message
        body = work.delivery.body or next(iter(bodies.values()), b"")
        more: dict[str, HeaderValue] = {"conversation": conversation.id}
        header = message.header if message else None
        return self._made(work.delivery, body, header, Reason.UNDELIVERABLE, finding, more)

    def unposted(
        self, delivery: Delivery, header: Header | None, finding: Finding, url: str, endpoint: str, posts: int,
        status: int | None,
    ) -> Publication:  # fmt: skip
        """Give the dead letter for an answer that an endpoint did not take; it tells the URL without its query."""
        more: dict[str, HeaderValue] = {"receiver": shown(url), "endpoint": endpoint, "posts": posts}
        if shown(url) != url:
            more[URL_CUT] = True
        if status is not None:
            more["status"] = status
        return self._made(delivery, delivery.body, header, Reason.UNDELIVERABLE, finding, more)

    def not_taken(
        self, delivery: Delivery, header: Header | None, finding: Finding, receiver: str, posts: int, status: int | None
    ) -> Publication:
        """Give the dead letter for an event that a webhook did not take; `receiver` is the queue it waited in."""
        more: dict[str, HeaderValue] = {"receiver": receiver, "posts": posts}
        if status is not None:
            more["status"] = status
        return self._made(delivery, delivery.body, header, Reason.UNDELIVERABLE, finding, more)

    def _made(
        self,
        delivery: Delivery,
        body: bytes,
        header: Header | None,
        reason: Reason,
        finding: Finding,
        more: dict[str, HeaderValue],
        reply_to: str | None = None,
    ) -> Publication:
        self._counts.dead += 1
        if self._discretion.concerns(None):
            kept = self._discretion.redacted(body, header.noun if header else "")
            finding = blanked(finding, kept.values)
            if kept.body != body:
                more = more | {MASKED: True}
                body = kept.why.encode() if kept.body is None else kept.body
        log.warning(
            "dead letter", reason=reason.value, code=str(finding.code), rule=finding.rule, text=finding.text,
            line=finding.line, **more, **about(header),
        )  # fmt: skip
        return dead_letter(
            body, header, reason, finding, delivery, first_seen=self._now(), more=more, reply_to=reply_to
        )


def internal_error(error: Exception) -> Finding:
    """Say that the gateway itself failed on a message."""
    return Finding(
        "internal-error",
        ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
        f"The gateway failed on this message: {type(error).__name__}: {error}.",
        "Report it with this message; retry it after the repair.",
    )


def answers_nothing(message: Message, routing_key: str, reply_key: str, unnamed: str = "") -> Finding:
    """Say that a reply belongs to no request and names nobody; `reply_key` is what the keys of replies begin with.

    `unnamed` is the system whose replies need no ids.
    """
    header = message.header
    nameless = not (header.correlation_id or "").strip()
    advice = (
        "Echo the request's CorrelationID (or its MessageID) in the reply, or publish it with routing key "
        f"{reply_key}<application>."
    )
    if nameless and unnamed:
        advice = f"It has no id, and {unnamed} owes an answer about {header.noun} to none or to several. {advice}"
    elif nameless and header.source:
        advice += f" A source that cannot echo: replies_without_ids in [[sources]] for {header.source}."
    return Finding(
        "reply-key",
        ReplyCode.INVALID_REQUEST_ID,
        f"A {message.kind} came with routing key '{routing_key}': it answers nothing that was asked through this "
        "gateway, and the key names nobody to hand it to.",
        advice,
    )


def unbound(delivery: Delivery, context: str) -> Finding:
    """Say that no binding took a message."""
    return Finding(
        "routing-key",
        ReplyCode.TRANSACTION_NOT_ATTEMPTED,
        f"Nothing listens to routing key '{delivery.routing_key}' at exchange '{delivery.exchange}'.",
        f"Use {context}.REQUESTS.<Noun>.<verb>, {context}.EVENTS.<Noun>.<verb> or {context}.REPLY.<application>.",
        found=delivery.routing_key,
    )
