"""Operation sets (Annex K): when there is one, and what its operations may be."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Final

from lxml import etree

from gateway.message import Finding, Message, MessageKind, Verb
from gateway.message.envelope import Operation
from gateway.message.nouns import OPERATION_SET, agrees_with, profile_namespace
from gateway.message.parts import operation_set_of
from gateway.message.places import local_name, tag_of
from gateway.message.verbs import DEPRECATED, EVENT_OF, OPERATION_VERBS, REQUEST_OF, VERBS_OF
from gateway.validation.faults import MAX_FAULTS
from gateway.validation.registry import (
    EXECUTE_OPERATION_SET,
    NOUN_UNKNOWN,
    OPERATION_ELEMENT,
    OPERATION_ID_SIZE,
    OPERATION_ID_UNIQUE,
    OPERATION_INTEGRITY,
    OPERATION_LINK,
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
from gateway.validation.rules.tally import Room
from gateway.validation.wording import listed, namespace, nearest, shortened

_ID_DIGITS: Final = 18
_EXECUTIONS: Final = frozenset({Verb.EXECUTE, Verb.EXECUTED})
_CREATIONS: Final = frozenset({Verb.CREATE, Verb.CREATED})
_LINK: Final = "MasterDataLinkageConfig"
_DELETIONS: Final = frozenset({Verb.DELETE, Verb.DELETED})


def operation_set_element(message: Message) -> etree._Element | None:
    """Give the OperationSet of a message, if it has one."""
    if message.payload is None or message.content:
        return None
    return message.payload.find(f"{message.version.prefix}OperationSet")


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
    return tuple(_ids(message.reply, message.version.prefix))


def operation_findings(message: Message, site: Site) -> tuple[Finding, ...]:
    """Judge verb, noun and payload of an execution, then every operation."""
    verb, noun = message.header.verb, message.header.noun
    element = operation_set_element(message)
    if verb not in _EXECUTIONS and noun != OPERATION_SET and element is None:
        return NOTHING
    findings = list(_together(message, element))
    if element is not None:
        findings += _set(message, element, site)
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
    prefix = message.version.prefix
    room = Room()  # a set may have as many operations as a message has room for
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
            yield from room.tell(
                OPERATION_ID_UNIQUE,
                _child(place, prefix + "operationId"),
                text,
                "Give every operation a number of its own.",
                found=str(number),
            )
        seen.add(number)
        yield from _verb(place, operation, message, prefix, room)
        yield from _content(place, operation, site, prefix, room)
    if operations.enforce_msg_sequence:
        yield from _order(pairs, prefix, room)
    if len(pairs) > 1 and operations.enforce_transactional_integrity is None:
        yield from _integrity(element, message, room)
    yield from _links(pairs, in_order=operations.enforce_msg_sequence is True, room=room)


def _verb(place: etree._Element, operation: Operation, message: Message, prefix: str, room: Room) -> Iterator[Finding]:
    verb, number = (operation.verb or "").strip(), operation.operation_id
    past = message.header.verb == Verb.EXECUTED
    allowed = sorted(v for v in OPERATION_VERBS if (v in REQUEST_OF) is past)
    element = _child(place, prefix + "verb")
    if not verb:
        text = f"Operation {number} has no verb, and there is no default."
        advice = f"Write {listed(allowed, 'or')} as its verb."
        yield from room.tell(OPERATION_VERB_MISSING, element, text, advice, allowed=allowed)
        return
    if verb not in OPERATION_VERBS:
        yield from room.tell(
            OPERATION_VERB, element, *verb_words(number, verb, allowed), found=shortened(verb), allowed=allowed
        )
    elif verb not in allowed and message.header.verb in _EXECUTIONS:
        right = REQUEST_OF.get(Verb(verb)) or EVENT_OF[Verb(verb)]
        text = f"Operation {number} has the verb {verb}, but the message says {message.header.verb}."
        yield from room.tell(OPERATION_TENSE, element, text, f"Write {right}.", found=verb, allowed=allowed)
    if operation.element_operation and verb in OPERATION_VERBS - _DELETIONS:
        text = f"Operation {number} has elementOperation=true with the verb {verb}; it is for deleting alone."
        advice = "Take elementOperation out, or write false."
        yield from room.tell(OPERATION_ELEMENT, _child(place, prefix + "elementOperation"), text, advice, found="true")


def verb_words(number: int | str, verb: str, allowed: Sequence[str]) -> tuple[str, str]:
    """Say that an operation has a verb that none may have, and what to write."""
    successor = DEPRECATED.get(verb.lower(), "")
    meant = successor if successor in allowed else nearest(verb, allowed)
    text = f"Operation {number} has the verb {shortened(verb)}, which is not allowed in an OperationSet."
    return text, f"Write {meant or listed(allowed, 'or')}."


def _content(place: etree._Element, operation: Operation, site: Site, prefix: str, room: Room) -> Iterator[Finding]:
    number, root = operation.operation_id, operation.content
    noun = (operation.noun or "").strip()
    if root is None:
        text = f"Operation {number} has no payload."
        advice = (
            f"Put {noun or 'the object, in the profile of its noun,'} into the Operation, after its other elements."
        )
        yield from room.tell(OPERATION_PAYLOAD, place, text, advice, allowed=(noun,) if noun else ())
        return
    name = local_name(root)
    if noun in ("", name) and not agrees_with(name, etree.QName(root)):
        text = f"The payload of operation {number}, {name}, is in a namespace that is not its own."
        advice = f"Write {name} in the namespace '{profile_namespace(name)}'."
        yield from room.tell(
            OPERATION_NOUN, root, text, advice, found=namespace(tag_of(root)), allowed=(profile_namespace(name),)
        )
    elif noun and noun != name:
        text = f"Operation {number} has the noun {shortened(noun)}, but its payload's root is {name}."
        advice = f"Send {shortened(noun)} as the payload of the operation, or name {name} as its noun."
        element = _child(place, prefix + "noun")
        yield from room.tell(OPERATION_NOUN, element, text, advice, found=shortened(noun), allowed=(name,))
    elif (noun or name) not in site.nouns and room.has(NOUN_UNKNOWN):
        yield unknown_noun(_child(place, prefix + "noun") if noun else root, noun or name, site)


def _order(pairs: list[tuple[etree._Element, Operation]], prefix: str, room: Room) -> Iterator[Finding]:
    for (_, before), (place, after) in pairwise(pairs):
        if after.operation_id < before.operation_id:
            text = (
                f"enforceMsgSequence is true, but operation {after.operation_id} stands after {before.operation_id}; "
                "which order is meant?"
            )
            advice = "Write the operations in ascending order of operationId."
            found = str(after.operation_id)
            yield from room.tell(OPERATION_ORDER, _child(place, prefix + "operationId"), text, advice, found=found)
            return


def _integrity(element: etree._Element, message: Message, room: Room) -> Iterator[Finding]:
    all_or_none = "all or none" if message.version.integrity_by_default else "each for itself"
    text = (
        "enforceTransactionalIntegrity is not written. In this version of the envelope that means that the operations "
        f"count {all_or_none}; in the other version it means the opposite."
    )
    advice = "Write it: true, if all operations shall succeed or none; false, if each may fail by itself."
    yield from room.tell(OPERATION_INTEGRITY, element, text, advice, allowed=("true", "false"))


def _links(pairs: list[tuple[etree._Element, Operation]], *, in_order: bool, room: Room) -> Iterator[Finding]:
    """Tell of links to objects that only a later operation creates. The order is that in which they would be run."""
    creations = [operation for _, operation in pairs if (operation.verb or "").strip() in _CREATIONS]
    if not any(operation.content is not None and local_name(operation.content) == _LINK for operation in creations):
        return
    if in_order:
        creations.sort(key=lambda operation: operation.operation_id)
    created: dict[tuple[str, str], tuple[int, int]] = {}
    for position, operation in enumerate(creations):
        if operation.content is not None and local_name(operation.content) != _LINK:
            for key in _ids_of(operation.content):
                created.setdefault(key, (position, operation.operation_id))
    for position, operation in enumerate(creations):
        if operation.content is None or local_name(operation.content) != _LINK:
            continue
        late = [(key, created[key]) for key in _ids_of(operation.content) if created.get(key, (-1, 0))[0] > position]
        if late:
            (kind, name), (_, number) = late[0]
            text = f"Operation {operation.operation_id} links the {kind} '{shortened(name)}', which only operation "
            text += f"{number} creates, after it."
            advice = "Put links after the operations that create what they link, and write enforceMsgSequence=true."
            yield from room.tell(OPERATION_LINK, operation.content, text, advice, found=shortened(name))


def _ids_of(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Give the ids and names of the objects right below a root, with what each of them is."""
    space = tag_of(root).removesuffix(local_name(root))
    for child in root:
        texts = (child.findtext(space + "mRID"), *(name.text for name in child.iterfind(f"{space}Names/{space}name")))
        yield from ((local_name(child), text.strip()) for text in texts if text and text.strip())


def _child(place: etree._Element, tag: str) -> etree._Element:
    child = place.find(tag)
    return place if child is None else child
