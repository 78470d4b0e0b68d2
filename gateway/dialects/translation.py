"""What the settings translate: namespaces of partners and names of nouns, in the tree, in place."""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from gateway.dialects.dialect import Dialect
from gateway.message import EnvelopeVersion, Finding, Message
from gateway.message.nouns import get_profile
from gateway.message.places import local_name, tag_of
from gateway.validation.registry import DIALECT_NAMESPACE, DIALECT_NOUN
from gateway.validation.rules.site import header_place
from gateway.validation.wording import local, namespace

_GET: Final = "Get"


def translate_namespaces(document: etree._Element, dialect: Dialect) -> tuple[list[tuple[str, str]], list[Finding]]:
    """Write the partner's namespaces as ours; give the pairs met (theirs, ours) and a finding for each."""
    pairs: dict[tuple[str, str], Finding] = {}
    if not dialect.namespaces.pairs:
        return [], []
    unknown: set[str] = set()  # most elements are in few namespaces, so one that no pair has is asked about once
    for element in document.iter():
        tag = tag_of(element)
        theirs, name = namespace(tag), local(tag)
        if not theirs or theirs in unknown:
            continue
        parent = element.getparent()
        above = "" if parent is None else namespace(tag_of(parent))
        if (theirs, above) in pairs:
            ours: str | None = above  # inside a payload, whose root has settled what the namespace becomes
        else:
            ours = dialect.namespaces.ours(theirs, _canonical(name, dialect))
        if ours is None:
            unknown.add(theirs)
            continue
        if (theirs, ours) not in pairs:
            text = f"{name} is in the namespace '{theirs}'."
            advice = f"Write it in the namespace '{ours}'."
            pairs[theirs, ours] = DIALECT_NAMESPACE.finding(element, text, advice, found=theirs, allowed=(ours,))
        element.tag = f"{{{ours}}}{name}"
    if (EnvelopeVersion.DRAFT.namespace, EnvelopeVersion.FINAL.namespace) in pairs:
        _say_integrity(document)
    return list(pairs), list(pairs.values())


def _say_integrity(document: etree._Element) -> None:
    """Write what the draft means by an absent flag, since the final version means the opposite by it."""
    own, name = EnvelopeVersion.FINAL.prefix, "enforceTransactionalIntegrity"
    for operations in document.iter(own + "OperationSet"):
        if operations.find(own + name) is None:
            flag = etree.Element(own + name)
            flag.text = "true" if EnvelopeVersion.DRAFT.integrity_by_default else "false"
            sequence = operations.find(own + "enforceMsgSequence")
            operations.insert(0 if sequence is None else 1, flag)


def translate_nouns(message: Message, dialect: Dialect) -> tuple[list[tuple[str, str]], list[Finding]]:
    """Write the partner's nouns as ours, in header, payload, operations and request; give the pairs and findings."""
    aliases = dialect.aliases
    if not aliases:
        return [], []
    pairs: dict[tuple[str, str], Finding] = {}
    for element in (header_place(message, "Noun"), *_operation_nouns(message)):
        theirs = (element.text or "").strip()
        if theirs in aliases:
            ours = aliases[theirs]
            pairs.setdefault((theirs, ours), _noun(element, theirs, ours))
            element.text = ours
    for root in _roots(message):
        theirs = local_name(root)
        ours = _canonical(theirs, dialect)
        if ours != theirs:
            noun_pair = theirs.removeprefix(_GET), ours.removeprefix(_GET)
            pairs.setdefault(noun_pair if theirs not in aliases else (theirs, ours), _noun(root, theirs, ours))
            _rename(root, theirs, ours)
    return list(pairs), list(pairs.values())


def _canonical(name: str, dialect: Dialect) -> str:
    """Give our name for a payload root or a Get profile."""
    aliases = dialect.aliases
    if name.startswith(_GET) and name.removeprefix(_GET) in aliases:
        return get_profile(aliases[name.removeprefix(_GET)])
    return aliases.get(name, name)


def _noun(place: etree._Element, theirs: str, ours: str) -> Finding:
    text = f"{theirs} is no noun of IEC 61968-9."
    return DIALECT_NOUN.finding(place, text, f"Write {ours}.", found=theirs, allowed=(ours,))


def _rename(root: etree._Element, theirs: str, ours: str) -> None:
    """Rename a payload root, and its whole tree where the namespace names the noun."""
    space = namespace(tag_of(root))
    if not space.endswith(f"/{theirs}#"):
        root.tag = f"{{{space}}}{ours}" if space else ours
        return
    renamed = f"{space.removesuffix(f'{theirs}#')}{ours}#"
    root.tag = f"{{{space}}}{ours}"
    for element in root.iter(f"{{{space}}}*"):
        element.tag = f"{{{renamed}}}{local_name(element)}"


def _roots(message: Message) -> Iterator[etree._Element]:
    """Give the foreign roots of a message: in the payload, in operations, in the request."""
    own = message.version.prefix
    yield from message.content
    for part in (*_operations(message), message.request):
        if part is not None:
            yield from (child for child in part if not tag_of(child).startswith(own))


def _operations(message: Message) -> list[etree._Element]:
    own = message.version.prefix
    return [] if message.payload is None else message.payload.findall(f"{own}OperationSet/{own}Operation")


def _operation_nouns(message: Message) -> Iterator[etree._Element]:
    own = message.version.prefix
    for operation in _operations(message):
        yield from operation.iterchildren(f"{own}noun")
