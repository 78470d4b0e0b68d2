"""Whether a message has the payload, or the ids, that its verb calls for."""

from typing import Final

from lxml import etree

from gateway.message import Finding, Message, MessageKind, Severity, Verb
from gateway.message.parts import has_ids
from gateway.message.places import local_name, tag_of
from gateway.message.verbs import EVENT_VERBS, REQUEST_OF
from gateway.validation.registry import (
    CANCEL_OF_GET,
    ID_REQUIRED,
    ONE_PAYLOAD,
    PAYLOAD_FORBIDDEN,
    PAYLOAD_REQUIRED,
)
from gateway.validation.rules.site import NOTHING, Site

_WITH_PAYLOAD: Final = frozenset({Verb.CREATE, Verb.CHANGE, Verb.CREATED, Verb.CHANGED})
_WITH_IDS: Final = frozenset({Verb.CANCEL, Verb.CLOSE, Verb.DELETE, Verb.CANCELED, Verb.CLOSED, Verb.DELETED})


def payload_findings(message: Message, site: Site) -> tuple[Finding, ...]:
    """Judge the payload of a request or an event. Execute and executed have a rule of their own."""
    findings: list[Finding] = []
    content, verb = message.content, message.header.verb
    if len(content) > 1:
        findings.append(_several(content))
    if message.kind is MessageKind.REQUEST:
        if verb == Verb.GET:
            if message.payload is not None and len(message.payload):
                findings.append(_forbidden(message, message.payload))
        elif not content:
            findings += _request_without_content(message, verb, site)
    elif not content and verb in EVENT_VERBS and verb != Verb.EXECUTED:
        findings += _event_without_content(message, verb)
    return tuple(findings) if findings else NOTHING


def _several(content: tuple[etree._Element, ...]) -> Finding:
    names = [local_name(root) for root in content[:10]]
    text = f"The payload has {len(content)} roots ({', '.join(dict.fromkeys(names))})."
    advice = "Send one message for each root, or put all objects into one root of the noun."
    return ONE_PAYLOAD.finding(content[1], text, advice, found=names[1], allowed=(names[0],))


def _forbidden(message: Message, payload: etree._Element) -> Finding:
    name = local_name(payload[0])
    if name.startswith("Get"):
        advice = f"Move {name} into Request: the parameters of a get go there, and it has no Payload."
    else:
        advice = f"Take Payload out; the parameters of a get go into Request, as Get{message.header.noun} or as ID."
    return PAYLOAD_FORBIDDEN.finding(payload, "A get request has a Payload.", advice, found=name)


def _request_without_content(message: Message, verb: str, site: Site) -> list[Finding]:
    if verb in _WITH_PAYLOAD and not _holds(message, "Compressed", "OperationSet"):
        text = f"A request to {_present(verb)} has no payload."
        if _holds(message, "ID"):
            text = f"A request to {_present(verb)} has ids in its payload, but not the object itself."
        return [_required(message, text)]
    if verb in _WITH_IDS and not _holds(message, "Compressed", "OperationSet") and not has_ids(message):
        place = message.root if message.request is None else message.request
        correlated = verb == Verb.CANCEL and bool((message.header.correlation_id or "").strip())
        if correlated and site.cancel_of_get:
            text = "A cancel names no object, but by its CorrelationID it may name a get that is not answered yet."
            advice = "Make the long job an object, such as a MeterReadSchedule, and cancel that."
            return [CANCEL_OF_GET.finding(place, text, advice)]
        text = f"A request to {_present(verb)} does not say which object."
        advice = "Write the id of the object in Request, as ID; or send the object's ids as a payload of the noun."
        if correlated:
            advice += " A get is cancelled by its CorrelationID only where the setting allow_cancel_of_get says so."
        return [ID_REQUIRED.finding(place, text, advice, allowed=("ID",))]
    return []


def _event_without_content(message: Message, verb: str) -> list[Finding]:
    if _holds(message, "Compressed", "OperationSet") or (verb in _WITH_IDS and has_ids(message)):
        return []
    return [_required(message, f"An event {verb} has no payload.", Severity.WARNING)]


def _required(message: Message, text: str, severity: Severity | None = None) -> Finding:
    place = message.root if message.payload is None else message.payload
    noun = message.header.noun
    advice = f"Put {noun} into Payload."
    return PAYLOAD_REQUIRED.finding(place, text, advice, allowed=(noun,), severity=severity)


def _present(verb: str) -> str:
    return REQUEST_OF[Verb(verb)] if verb in EVENT_VERBS else verb


def _holds(message: Message, *names: str) -> bool:
    wanted = {f"{message.version.prefix}{name}" for name in names}
    return message.payload is not None and any(tag_of(child) in wanted for child in message.payload)
