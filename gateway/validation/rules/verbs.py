"""The verb: which message may carry which, and what the sender meant by one that is not in the list."""

from typing import Final

from lxml import etree

from gateway.message import Finding, Message, MessageKind, Verb
from gateway.message.nouns import PART9_NOUNS
from gateway.message.places import xpath_of
from gateway.message.verbs import DEPRECATED, EVENT_OF, EVENT_VERBS, REQUEST_OF, SUBSCRIPTION_VERBS, VERBS_OF
from gateway.validation.registry import VERB, VERB_DEPRECATED, VERB_OF_KIND, VERB_SUBSCRIPTION
from gateway.validation.rules.site import NOTHING, Site, header_place
from gateway.validation.wording import article, listed, nearest, shortened

_ENUMERATION: Final = "cvc-enumeration-valid"
_REASONS: Final = {
    MessageKind.REQUEST: "a request says what shall be done, in the present tense",
    MessageKind.RESPONSE: "every response has the verb reply",
    MessageKind.EVENT: "an event tells what has happened, in the past tense",
    MessageKind.GENERIC: "verbs are lower case, with the spelling canceled",
}


def verb_findings(message: Message, _site: Site) -> tuple[Finding, ...]:
    """Judge the verb of a header. Past tense in a request is for one-way messages alone."""
    verb, kind = message.header.verb, message.kind
    if verb in VERBS_OF[kind]:
        return NOTHING
    if kind is MessageKind.REQUEST and verb in EVENT_VERBS and message.header.one_way:
        return NOTHING
    place = header_place(message, "Verb")
    if verb in SUBSCRIPTION_VERBS:
        return (_subscription(message, place, verb),)
    if verb in DEPRECATED:
        return (_deprecated(place, verb, kind),)
    return (_of_kind(place, verb, kind),)


def unlisted_verb(message: Message, place: etree._Element, listed_verbs: tuple[str, ...]) -> Finding:
    """Explain a verb that the envelope's schema does not list."""
    verb, kind = message.header.verb.strip(), message.kind
    if verb.lower() in SUBSCRIPTION_VERBS:
        return _subscription(message, place, verb)
    if verb.lower() in DEPRECATED:
        return _deprecated(place, verb, kind)
    close = nearest(verb, (*Verb, *DEPRECATED))
    meant = None if close is None else _fitting(DEPRECATED.get(close, close), kind)
    allowed = tuple(item for item in listed_verbs if item in VERBS_OF[kind]) or listed_verbs
    if message.header.verb in VERBS_OF[kind]:
        text = f"The verb {verb} is not in the list of this version of the envelope."
        advice = "Send the message in the final version's namespace, without www."
    else:
        text = f"The verb '{shortened(verb)}' {'has blanks around it' if verb in listed_verbs else 'does not exist'}."
        advice = f"Write {meant or listed(allowed, 'or')}: {_REASONS[kind]}."
    return Finding(
        _ENUMERATION,
        VERB,
        text,
        advice,
        xpath=xpath_of(place),
        line=place.sourceline,
        element="Verb",
        found=shortened(message.header.verb),
        allowed=allowed,
    )


def _subscription(message: Message, place: etree._Element, verb: str) -> Finding:
    # What a stranger has written must not become part of a command that somebody copies.
    noun = f" --noun {message.header.noun}" if message.header.noun in PART9_NOUNS else ""
    made = f"cimgate subscriptions create NAME{noun}" if verb.lower() == "subscribe" else "cimgate subscriptions delete"
    return VERB_SUBSCRIPTION.finding(
        place,
        f"The gateway takes no {verb} message: that verb is of the 2011 draft alone.",
        f"Ask the gateway's operator for `{made}`, or bind a queue of your own to the exchange cim.events by headers, "
        "and unbind it to end that.",
        found=verb,
    )


def _deprecated(place: etree._Element, verb: str, kind: MessageKind) -> Finding:
    instead = DEPRECATED[verb.lower()]
    fitting = _fitting(instead, kind)
    advice = f"Use {instead} instead." if fitting is None else f"Write {fitting}: {_REASONS[kind]}."
    return VERB_DEPRECATED.finding(
        place, f"The verb {verb} is not used any more.", advice, found=verb, allowed=sorted(VERBS_OF[kind])
    )


def _of_kind(place: etree._Element, verb: str, kind: MessageKind) -> Finding:
    fitting = _fitting(verb, kind)
    allowed = sorted(VERBS_OF[kind])
    advice = f"Write {fitting or listed(allowed, 'or')}: {_REASONS[kind]}."
    if kind is MessageKind.REQUEST and verb in EVENT_VERBS:
        advice += " Or send an EventMessage; only a one-way request (AckRequired=false) may be in the past tense."
    text = f"The verb {shortened(verb)} does not belong in {article(kind.value)}."
    return VERB_OF_KIND.finding(place, text, advice, found=shortened(verb), allowed=allowed)


def _fitting(verb: str, kind: MessageKind) -> str | None:
    """Give the form of a verb that a kind of message can carry, None where it has none."""
    if verb not in frozenset(Verb):
        return None
    known = Verb(verb)
    if kind is MessageKind.EVENT:
        known = EVENT_OF.get(known, known)
    elif kind is MessageKind.REQUEST:
        known = REQUEST_OF.get(known, known)
    elif kind is MessageKind.RESPONSE:
        known = Verb.REPLY
    return known.value if known in VERBS_OF[kind] else None
