"""Operation sets (Annex K): when there is one, and what its operations may be."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final

from lxml import etree

from gateway.message import Finding, Message, MessageKind, Verb
from gateway.message.envelope import Operation
from gateway.message.nouns import OPERATION_SET, agrees_with, profile_namespace
from gateway.message.parts import operation_set_of
from gateway.message.places import local_name, tag_of
from gateway.message.verbs import EVENT_OF, OPERATION_VERBS, REQUEST_OF, VERBS_OF
from gateway.validation.faults import MAX_FAULTS
from gateway.validation.registry import (
    EXECUTE_OPERATION_SET,
    OPERATION_ELEMENT,
    OPERATION_ID_SIZE,
    OPERATION_ID_UNIQUE,
    OPERATION_NOUN,
    OPERATION_ORDER,
    OPERATION_PAYLOAD,
    OPERATION_TENSE,
    OPERATION_VERB,
    OPERATION_VERB_MISSING,
    OPERATIONS_NONE,
    PAYLOAD,
)
from gateway.validation.rules.nouns import unknown_noun
from gateway.validation.rules.site import NOTHING, Site, header_place
from gateway.validation.wording import listed, namespace, nearest, shortened

_ID_DIGITS: Final = 18
_EXECUTIONS: Final = frozenset({Verb.EXECUTE, Verb.EXECUTED})
_DELETIONS: Final = frozenset({Verb.DELETE, Verb.DELETED})


def operation_set_element(message: Message) -> etree._Element | None:
    """Give the OperationSet of a message, if it has one."""
    if message.payload is None or message.content:
        return None
    return message.payload.find(f"{{{message.version.namespace}}}OperationSet")


def _ids(part: etree._Element, prefix: str) -> list[Finding]:
    """Refuse ids that no system can hold as a number; the schema's type has no bounds."""
    long = (e for e in part.iter(prefix + "operationId") if len((e.text or "").strip()) > _ID_DIGITS)
    text = f"The operationId has more than {_ID_DIGITS} digits."
    advice = "Number the operations from 1."
    return [OPERATION_ID_SIZE.finding(e, text, advice, found=shortened(e.text)) for e in islice(long, MAX_FAULTS)]


def reply_id_findings(message: Message, _site: Site) -> tuple[Finding, ...]:
    """Judge the ids of operations that a reply names."""
    if message.reply is None:
        return NOTHING
    return tuple(_ids(message.reply, f"{{{message.version.namespace}}}"))


def operation_findings(message: Message, site: Site) -> tuple[Finding, ...]:
    """Judge verb, noun and payload of an execution, then every operation."""
    verb, noun = message.header.verb, message.header.noun
    element = operation_set_element(message)
    if verb not in _EXECUTIONS and noun != OPERATION_SET and element is None:
        return NOTHING
    findings = list(_together(message, element))
    if element is not None:
        findings += islice(_set(message, element, site), MAX_FAULTS)
    return tuple(findings)


def _together(message: Message, element: etree._Element | None) -> Iterator[Finding]:
    verb, noun = message.header.verb, message.header.noun
    if verb in _EXECUTIONS and noun != OPERATION_SET:
        text = f"The verb {verb} goes with the noun OperationSet, not with {shortened(noun)}."
        advice = "Write OperationSet as the noun; the nouns of the single operations stand inside it."
        place = header_place(message, "Noun")
        yield EXECUTE_OPERATION_SET.finding(place, text, advice, found=shortened(noun), allowed=(OPERATION_SET,))
    elif verb not in _EXECUTIONS and (noun == OPERATION_SET or element is not None) and verb in VERBS_OF[message.kind]:
        fitting = Verb.EXECUTED if message.kind is MessageKind.EVENT else Verb.EXECUTE
        text = f"An OperationSet goes with the verb {fitting}, not with {verb}."
        advice = f"Write the verb {fitting} and the noun OperationSet, or send the objects without a set."
        place = header_place(message, "Verb")
        yield EXECUTE_OPERATION_SET.finding(place, text, advice, found=verb, allowed=(fitting,))
    elif element is None and verb in _EXECUTIONS:
        place = message.root if message.payload is None else message.payload
        text = f"The message says {verb} OperationSet, but its payload holds no OperationSet."
        advice = "Put an OperationSet, in the envelope's namespace, into Payload."
        yield EXECUTE_OPERATION_SET.finding(place, text, advice, allowed=(OPERATION_SET,), code=PAYLOAD)


def _set(message: Message, element: etree._Element, site: Site) -> Iterator[Finding]:
    prefix = f"{{{message.version.namespace}}}"
    too_long = _ids(element, prefix)
    if too_long:
        yield from too_long
        return
    operations = operation_set_of(message)
    if operations is None or not operations.operations:
        yield OPERATIONS_NONE.finding(element, "The OperationSet has no operations.", "Write at least one Operation.")
        return
    pairs = list(zip(element.iterchildren(prefix + "Operation"), operations.operations, strict=True))
    counts = Counter(operation.operation_id for operation in operations.operations)
    seen: set[int] = set()
    for place, operation in pairs:
        number = operation.operation_id
        if counts[number] > 1 and number in seen:
            text = f"The operationId {number} stands {counts[number]} times in the set."
            yield OPERATION_ID_UNIQUE.finding(
                _child(place, prefix + "operationId"),
                text,
                "Give every operation a number of its own.",
                found=str(number),
            )
        seen.add(number)
        yield from _verb(place, operation, message, prefix)
        yield from _content(place, operation, site, prefix)
    if operations.enforce_msg_sequence:
        yield from _order(pairs, prefix)


def _verb(place: etree._Element, operation: Operation, message: Message, prefix: str) -> Iterator[Finding]:
    verb, number = (operation.verb or "").strip(), operation.operation_id
    past = message.header.verb == Verb.EXECUTED
    allowed = sorted(v for v in OPERATION_VERBS if (v in REQUEST_OF) is past)
    element = _child(place, prefix + "verb")
    if not verb:
        text = f"Operation {number} has no verb, and there is no default."
        advice = f"Write {listed(allowed, 'or')} as its verb."
        yield OPERATION_VERB_MISSING.finding(element, text, advice, allowed=allowed)
        return
    if verb not in OPERATION_VERBS:
        close = nearest(verb, allowed)
        text = f"Operation {number} has the verb {shortened(verb)}, which is not allowed in an OperationSet."
        advice = f"Write {close or listed(allowed, 'or')}."
        yield OPERATION_VERB.finding(element, text, advice, found=shortened(verb), allowed=allowed)
    elif verb not in allowed and message.header.verb in _EXECUTIONS:
        right = REQUEST_OF.get(Verb(verb)) or EVENT_OF[Verb(verb)]
        text = f"Operation {number} has the verb {verb}, but the message says {message.header.verb}."
        yield OPERATION_TENSE.finding(element, text, f"Write {right}.", found=verb, allowed=allowed)
    if operation.element_operation and verb in OPERATION_VERBS - _DELETIONS:
        text = f"Operation {number} has elementOperation=true with the verb {verb}; it is for deleting alone."
        advice = "Take elementOperation out, or write false."
        yield OPERATION_ELEMENT.finding(_child(place, prefix + "elementOperation"), text, advice, found="true")


def _content(place: etree._Element, operation: Operation, site: Site, prefix: str) -> Iterator[Finding]:
    number, root = operation.operation_id, operation.content
    noun = (operation.noun or "").strip()
    if root is None:
        text = f"Operation {number} has no payload."
        advice = (
            f"Put {noun or 'the object, in the profile of its noun,'} into the Operation, after its other elements."
        )
        yield OPERATION_PAYLOAD.finding(place, text, advice, allowed=(noun,) if noun else ())
        return
    name = local_name(root)
    if noun in ("", name) and not agrees_with(name, etree.QName(root)):
        text = f"The payload of operation {number}, {name}, is in a namespace that is not its own."
        advice = f"Write {name} in the namespace '{profile_namespace(name)}'."
        yield OPERATION_NOUN.finding(
            root, text, advice, found=namespace(tag_of(root)), allowed=(profile_namespace(name),)
        )
    elif noun and noun != name:
        text = f"Operation {number} has the noun {shortened(noun)}, but its payload's root is {name}."
        advice = f"Send {shortened(noun)} as the payload of the operation, or name {name} as its noun."
        element = _child(place, prefix + "noun")
        yield OPERATION_NOUN.finding(element, text, advice, found=shortened(noun), allowed=(name,))
    elif (noun or name) not in site.nouns:
        yield unknown_noun(_child(place, prefix + "noun") if noun else root, noun or name, site)


def _order(pairs: list[tuple[etree._Element, Operation]], prefix: str) -> Iterator[Finding]:
    for (_, before), (place, after) in pairwise(pairs):
        if after.operation_id < before.operation_id:
            text = (
                f"enforceMsgSequence is true, but operation {after.operation_id} stands after {before.operation_id}; "
                "which order is meant?"
            )
            advice = "Write the operations in ascending order of operationId."
            found = str(after.operation_id)
            yield OPERATION_ORDER.finding(_child(place, prefix + "operationId"), text, advice, found=found)
            return


def _child(place: etree._Element, tag: str) -> etree._Element:
    child = place.find(tag)
    return place if child is None else child
