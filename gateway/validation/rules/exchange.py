"""What the header says about the exchange: context, where replies go, how they are matched."""

import re
from typing import Final

from lxml import etree

from gateway.message import Finding, Message, MessageKind, Severity, Verb
from gateway.validation.registry import (
    ASYNC_ID,
    ASYNC_REPLY_ADDRESS,
    BLANK_CORRELATION,
    CONTEXT_FOREIGN,
    GENERIC_ROOT,
    QUERY_ONE_WAY,
    REPLY_ADDRESS_FORM,
    REPLY_ADDRESS_UNCOVERED,
    SOAP_WRAPPED,
)
from gateway.validation.rules.site import NOTHING, Site, header_place
from gateway.validation.wording import shortened

_ADDRESS: Final = re.compile(r"(?:queue|topic):\S+|https?://[^\s/]\S*")
_FORMS: Final = ("queue:NAME", "topic:NAME", "http://...", "https://...")


def context_findings(message: Message, site: Site) -> tuple[Finding, ...]:
    """Refuse a context other than the gateway's own; a message without one passes."""
    context = message.header.context
    if site.context is None or context is None or context == site.context or not context.strip():
        return NOTHING
    text = f"The message is for the context {shortened(context)}; this gateway runs in {site.context}."
    advice = f"Send it to the gateway of {shortened(context)}, or write {site.context} if it belongs here."
    place = header_place(message, "Context")
    return (CONTEXT_FOREIGN.finding(place, text, advice, found=shortened(context), allowed=(site.context,)),)


def correlation_findings(message: Message, _site: Site) -> tuple[Finding, ...]:
    """Warn of a CorrelationID that is there but empty."""
    correlation = message.header.correlation_id
    if correlation is None or correlation.strip():
        return NOTHING
    text = "The CorrelationID is empty and counts as absent."
    return (BLANK_CORRELATION.finding(header_place(message, "CorrelationID"), text, "Write an id, or leave it out."),)


def address_findings(message: Message, site: Site) -> tuple[Finding, ...]:
    """Judge what a request says about its replies; a one-way request has none, so its address does not matter."""
    header = message.header
    if header.ack_required is False:
        if header.verb != Verb.GET:
            return NOTHING
        text = "A get with AckRequired=false asks for data and wants no reply."
        return (QUERY_ONE_WAY.finding(header_place(message, "AckRequired"), text, "Write true, or leave it out."),)
    if header.reply_address is None and not header.async_reply_flag:
        return NOTHING
    return tuple(_reply_findings(message, site))


def _reply_findings(message: Message, site: Site) -> list[Finding]:
    header = message.header
    address = (header.reply_address or "").strip()
    findings: list[Finding] = []
    if header.async_reply_flag and not address:
        text = "AsyncReplyFlag is true, but no ReplyAddress says where the replies go."
        advice = "Write ReplyAddress after AsyncReplyFlag: queue:NAME, topic:NAME or a URL."
        place = header_place(message, "ReplyAddress")
        findings.append(ASYNC_REPLY_ADDRESS.finding(place, text, advice, allowed=_FORMS))
    elif not _ADDRESS.fullmatch(address):
        severity = Severity.ERROR if header.async_reply_flag else Severity.WARNING
        text = f"The ReplyAddress '{shortened(address)}' is neither a queue nor a topic nor a URL."
        advice = "Write queue:NAME, topic:NAME, or a URL that begins with http:// or https://."
        place = header_place(message, "ReplyAddress")
        findings.append(
            REPLY_ADDRESS_FORM.finding(place, text, advice, found=shortened(address), allowed=_FORMS, severity=severity)
        )
    elif site.uncovered is not None and address.startswith("http") and (text := site.uncovered(address)):
        text = f"Answers cannot be posted: {text}."
        advice = "Let a table [[endpoints]] cover it; without one, answers go to AMQP's reply_to, or are dead letters."
        findings.append(REPLY_ADDRESS_UNCOVERED.finding(header_place(message, "ReplyAddress"), text, advice))
    if header.async_reply_flag and header.echoed_id is None:
        text = "AsyncReplyFlag is true, but neither MessageID nor CorrelationID is there to match the replies by."
        advice = "Write a MessageID, a CorrelationID or both after ReplyAddress; a UUID is best."
        place = header_place(message, "AsyncReplyFlag")
        findings.append(ASYNC_ID.finding(place, text, advice, allowed=("MessageID", "CorrelationID")))
    return findings


def form_findings(message: Message, _site: Site) -> tuple[Finding, ...]:
    """Judge the form in which a message came: bare, and under a root that is for systems."""
    findings: list[Finding] = []
    if message.wrapped:
        findings.append(soap_finding(message.root, message.kind))
    if message.kind is MessageKind.GENERIC:
        roots = ("RequestMessage", "ResponseMessage", "EventMessage")
        text = "The root Message is for the inside of intermediaries and does not say what is wanted."
        advice = "Send a RequestMessage, a ResponseMessage or an EventMessage."
        findings.append(GENERIC_ROOT.finding(message.root, text, advice, found=message.kind, allowed=roots))
    return tuple(findings)


def soap_finding(root: etree._Element, kind: str) -> Finding:
    """Tell that the root of a message stands inside a SOAP envelope."""
    text = "The message stands inside a SOAP envelope."
    advice = f"Over AMQP send {kind} as the root of the document, without the SOAP envelope."
    return SOAP_WRAPPED.finding(root.getroottree().getroot(), text, advice, allowed=(kind,))
