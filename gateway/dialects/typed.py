"""Strongly typed messages (IEC 61968-100 Annex C): CreatedEndDeviceEvents and its like, and back again."""

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.message import EnvelopeVersion, Finding, MessageKind, Verb
from gateway.message.places import local_name, tag_of
from gateway.message.verbs import EVENT_OF, EVENT_VERBS, REQUEST_OF
from gateway.validation.registry import STRONGLY_TYPED_TENSE
from gateway.validation.wording import namespace

_KINDS: Final = {
    "RequestMessage": MessageKind.REQUEST,
    "ResponseMessage": MessageKind.RESPONSE,
    "EventMessage": MessageKind.EVENT,
    "FaultMessage": MessageKind.FAULT,
}
_OPERATION: Final = re.compile(
    rf"({'|'.join(sorted((v.capitalize() for v in Verb), key=len, reverse=True))})([A-Z]\w*)"
)
_MESSAGE: Final = re.compile(rf"(\w+?)({'|'.join(_KINDS)})")
_SPACE: Final = re.compile(r"/([A-Za-z]+)Message$")
REPORTED: Final = frozenset({"EndDeviceEvents", "MeterReadings"})
"""Nouns that tell what was seen: nobody is commanded by them, so created may be read where create is written."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What the root of a strongly typed message says: its kind, its noun, and its verb where the name has one."""

    kind: MessageKind
    noun: str
    verb: Verb | None = None


def operation_of(root: etree._Element) -> Operation | None:
    """Read the name of a strongly typed root: `CreateMeterConfig`, `MeterReadingsResponseMessage`; else None."""
    space = _SPACE.search(namespace(tag_of(root)))
    name = local_name(root)
    if space is None:
        return None
    if (match := _MESSAGE.fullmatch(name)) and match[1] == space[1]:
        return Operation(_KINDS[match[2]], match[1])
    if (match := _OPERATION.fullmatch(name)) and match[2] == space[1]:
        verb = Verb(match[1].lower())
        kind = MessageKind.EVENT if verb in EVENT_VERBS else MessageKind.REQUEST
        return Operation(MessageKind.RESPONSE if verb is Verb.REPLY else kind, match[2], verb)
    return None


def tense_finding(root: etree._Element, operation: Operation, verb: str) -> Finding | None:
    """Tell where the operation is a report and the header a command, or the reverse; None where they agree."""
    word = verb.strip().lower()
    if operation.verb is None or word not in frozenset(Verb) or Verb(word) is operation.verb:
        return None
    other = EVENT_OF.get(Verb(word)) or REQUEST_OF.get(Verb(word))
    if other is not operation.verb:
        return None  # not a matter of tense; the rules about verbs judge it
    text = f"The operation {local_name(root)} says {operation.verb}, the header {word}: a report or a command?"
    advice = (
        f"Write the verb {operation.verb}, or call the operation {word.capitalize()}{operation.noun}; "
        "or let the operator of the gateway settle whose word counts ([[sources]], tense)."
    )
    return STRONGLY_TYPED_TENSE.finding(root, text, advice, found=word, allowed=(operation.verb,))


def make_generic(root: etree._Element, kind: MessageKind) -> str:
    """Turn a strongly typed root into the generic one, in place; give the namespace that was left."""
    typed = namespace(tag_of(root))
    version = _version_of(root, typed)
    for element in list(root.iter(f"{{{typed}}}*")):
        element.tag = f"{version.prefix}{local_name(element)}"
    root.tag = f"{version.prefix}{kind.value}"
    return typed


def make_typed(root: etree._Element, typed: str) -> None:
    """Turn a generic message into the strongly typed one of a namespace, in place: the reverse of `make_generic`."""
    own = f"{{{namespace(tag_of(root))}}}"
    noun = _SPACE.search(typed)
    for part in root:
        if local_name(part) == "Payload":
            for element in part.iter(own + "*"):
                element.tag = f"{{{typed}}}{local_name(element)}"
        part.tag = f"{{{typed}}}{local_name(part)}"
    root.tag = f"{{{typed}}}{noun[1] if noun else ''}{local_name(root)}"


def _version_of(root: etree._Element, typed: str) -> EnvelopeVersion:
    """Give the envelope's version: that of the header's elements, else by the look of the root's namespace."""
    for header in root.iterchildren(f"{{{typed}}}Header"):
        for child in header:
            for version in EnvelopeVersion:
                if namespace(tag_of(child)) == version.namespace:
                    return version
    return EnvelopeVersion.DRAFT if "://www." in typed else EnvelopeVersion.FINAL
