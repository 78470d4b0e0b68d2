"""The noun: whether it is known, and whether the payload and the parameters of a get are of it."""

from typing import Final

from lxml import etree

from gateway.message import EnvelopeVersion, Finding, Message, MessageKind, Verb
from gateway.message.nouns import OPERATION_SET, PART9_NOUNS, agrees_with, get_profile, profile_namespace
from gateway.message.places import local_name, tag_of, xpath_of
from gateway.validation.faults import MAX_FAULTS
from gateway.validation.registry import NOUN, NOUN_OF_PAYLOAD, NOUN_UNKNOWN, PROFILE_WITHOUT_SCHEMA
from gateway.validation.rules.site import NOTHING, Site, header_place
from gateway.validation.wording import listed, namespace, nearest, shortened

_ENUMERATION: Final = "cvc-enumeration-valid"


def noun_findings(message: Message, site: Site) -> tuple[Finding, ...]:
    """Judge the noun of a header, then what the payload is; a wrong noun is told once."""
    noun = message.header.noun
    if noun not in site.nouns and noun != OPERATION_SET:
        place = header_place(message, "Noun")
        return (unknown_noun(place, noun, site),)
    content = message.content
    if not content or content[0].tag == f"{{{profile_namespace(noun)}}}{noun}":
        return NOTHING
    return _noun_of_payload(message, noun)


def _noun_of_payload(message: Message, noun: str) -> tuple[Finding, ...]:
    if noun == OPERATION_SET or (message.kind is MessageKind.REQUEST and message.header.verb == Verb.GET):
        return NOTHING  # other rules say that these have no payload of their own
    if any(agrees_with(noun, etree.QName(root)) for root in message.content):
        return NOTHING
    root = message.content[0]
    found, space = local_name(root), namespace(tag_of(root))
    if found == noun:
        text = f"The payload's root is in the namespace '{space}', which is not that of {noun}."
        advice = f"Write {noun} in the namespace '{profile_namespace(noun)}'."
    else:
        text = f"The header's noun is {noun}, but the payload's root is {found}."
        advice = f"Send {noun} as the payload, or name {found} as the noun."
    return (NOUN_OF_PAYLOAD.finding(root, text, advice, found=found, allowed=(noun,)),)


def unknown_noun(place: etree._Element, noun: str, site: Site) -> Finding:
    """Tell why a noun is not known: its schema is not installed, or there is no such noun."""
    allowed = sorted(site.nouns)
    if noun in PART9_NOUNS:
        text = f"{noun} is a noun of IEC 61968-9, but its schema is not installed here."
        advice = f"Ask the operator of the gateway for the schema of {noun}; without it the payload cannot be checked."
    else:
        close = nearest(noun.removeprefix("Get"), site.nouns | PART9_NOUNS)
        text = f"There is no noun '{shortened(noun)}'."
        advice = f"Write {close}." if close is not None else f"Write one of {', '.join(allowed)}."
        if close is not None and noun == get_profile(close):
            advice = f"Write {close}: {noun} is the name of the parameters in Request, not of the noun."
    return NOUN_UNKNOWN.finding(place, text, advice, found=shortened(noun), allowed=allowed)


def unlisted_noun(message: Message, place: etree._Element, listed_nouns: tuple[str, ...]) -> Finding:
    """Explain a noun that the envelope's schema does not list, as the draft's does."""
    noun = message.header.noun
    close = nearest(noun, listed_nouns)
    if noun == OPERATION_SET:
        advice = (
            f"An OperationSet can only be sent in the final version's namespace, {EnvelopeVersion.FINAL.namespace}."
        )
    elif close is not None:
        advice = f"Write {close}."
    else:
        advice = f"Write {listed(listed_nouns, 'or')}."
    return Finding(
        _ENUMERATION,
        NOUN,
        f"The noun '{shortened(noun)}' is not in the list of this version of the envelope.",
        advice,
        xpath=xpath_of(place),
        line=place.sourceline,
        element="Noun",
        found=shortened(noun),
        allowed=listed_nouns,
    )


def profile_findings(message: Message, site: Site) -> tuple[Finding, ...]:
    """Judge the names of the parameters in a Request: Get and the noun. Other foreign elements may be anything."""
    if message.request is None:
        return NOTHING
    expected = get_profile(message.header.noun)
    own = message.version.prefix
    right = f"{{{profile_namespace(expected)}}}{expected}" if expected in site.profiles else ""
    findings: list[Finding] = []
    for child in message.request:
        tag = tag_of(child)
        if tag.startswith(own) or tag == right or len(findings) >= MAX_FAULTS:
            continue
        name = local_name(child)
        if not name.startswith("Get"):
            continue
        if not agrees_with(expected, etree.QName(child)):
            space = profile_namespace(expected)
            text = f"Request holds {name} in the namespace '{namespace(tag)}'; the noun is {message.header.noun}."
            advice = f"Write {expected} in the namespace '{space}', or name the noun of {name}."
            findings.append(NOUN_OF_PAYLOAD.finding(child, text, advice, found=name, allowed=(expected,)))
        elif expected not in site.profiles:
            text = f"There is no schema for {expected} here, so these parameters pass unchecked."
            findings.append(PROFILE_WITHOUT_SCHEMA.finding(child, text, f"Check {expected} at the receiving system."))
    return tuple(findings)
