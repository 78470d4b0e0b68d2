"""What a lenient dialect repairs: only what can be meant in one way. The words are those of the strict refusal."""

from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from gateway.dialects.dialect import Dialect, Tense
from gateway.dialects.typed import REPORTED, make_generic, operation_of, tense_finding
from gateway.message import EnvelopeVersion, Finding, Message, MessageKind, Unreadable, Verb
from gateway.message.namespaces import SOAP_NAMESPACES
from gateway.message.nouns import PART9_NOUNS
from gateway.message.places import local_name, tag_of
from gateway.message.reading import is_strongly_typed, strongly_typed
from gateway.message.verbs import DEPRECATED, EVENT_OF, OPERATION_VERBS, REQUEST_OF, VERBS_OF
from gateway.validation.registry import OPERATION_VERB
from gateway.validation.rules import Site
from gateway.validation.rules.exchange import correlation_findings, soap_finding
from gateway.validation.rules.nouns import noun_findings, unlisted_noun
from gateway.validation.rules.operations import verb_words
from gateway.validation.rules.site import header_place
from gateway.validation.rules.verbs import unlisted_verb, verb_findings
from gateway.validation.wording import namespace

_RENAMED: Final = frozenset({"update", "updated", "show", "cancelled"})
"""Verbs of drafts with one successor each; what the others meant is for a person to say."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What stood around or in the place of the message: the namespaces of SOAP and of strongly typed messages."""

    soap: str = ""
    typed: str = ""


def repair_root(document: etree._Element, dialect: Dialect) -> tuple[etree._Element, Undone, list[Finding]]:
    """Take a message out of its SOAP envelope and give a strongly typed one the generic root, in place.

    Raises `Unreadable` where a strongly typed message can be read as a command and as a report.
    """
    found: list[Finding] = []
    undone = Undone()
    if not dialect.lenient:
        return document, undone, found
    root = document
    space = namespace(tag_of(document))
    if local_name(document) == "Envelope" and space in SOAP_NAMESPACES:
        body = document.find(f"{{{space}}}Body")
        if body is None or len(body) != 1:
            return document, undone, found
        root, undone = body[0], Undone(soap=space)
        found.append(soap_finding(root, _kind_wanted(root)))
    if is_strongly_typed(root):
        operation = operation_of(root)
        if operation is None:
            return document, Undone(), []
        found.append(strongly_typed(root))
        header = root.find(f"{{{namespace(tag_of(root))}}}Header")
        verb = None if header is None else header.find("{*}Verb")
        finding = None if verb is None else tense_finding(root, operation, verb.text or "")
        kind = operation.kind
        if finding is not None and verb is not None:
            if dialect.tense is None and not (operation.noun in REPORTED and kind is MessageKind.EVENT):
                raise Unreadable(finding)
            found.append(finding)
            if dialect.tense is Tense.HEADER:
                kind = MessageKind.REQUEST if kind is MessageKind.EVENT else MessageKind.EVENT
            else:
                verb.text = operation.verb
        undone = replace(undone, typed=make_generic(root, kind))
    parent = root.getparent()
    if parent is not None:
        parent.remove(root)
    return root, undone, found


def repair_header(message: Message, dialect: Dialect, site: Site) -> tuple[list[tuple[str, str]], list[Finding]]:
    """Repair verbs, noun and CorrelationID in the tree; give the noun that was replaced (theirs, ours) and findings."""
    if not dialect.lenient or message.kind in (MessageKind.FAULT, MessageKind.GENERIC):
        return [], []
    found: list[Finding] = []
    verb = meant_verb(message.header.verb, message.kind)
    if verb is not None:
        place = header_place(message, "Verb")
        found += _verb_words(message, place)
        place.text = verb
    found += _repair_operations(message)
    nouns: list[tuple[str, str]] = []
    noun = _meant_noun(message, site)
    if noun is not None:
        place = header_place(message, "Noun")
        found += _noun_words(message, place, site)
        nouns.append((message.header.noun, noun))
        place.text = noun
    blank = correlation_findings(message, site)
    if blank:
        found += blank
        place = header_place(message, "CorrelationID")
        above = place.getparent()
        if above is not None:
            above.remove(place)
    return nouns, found


def _repair_operations(message: Message) -> list[Finding]:
    """Repair the verbs of the operations of a set, where one thing alone can be meant."""
    own = message.version.prefix
    found: list[Finding] = []
    for verb in (
        () if message.payload is None else message.payload.findall(f"{own}OperationSet/{own}Operation/{own}verb")
    ):
        written = (verb.text or "").strip()
        word = DEPRECATED[written.lower()] if written.lower() in _RENAMED else written.lower()
        if written in OPERATION_VERBS or word not in OPERATION_VERBS:
            continue
        operation = verb.getparent()
        number = "" if operation is None else operation.findtext(own + "operationId", "").strip()
        past = message.header.verb.strip().lower() == Verb.EXECUTED
        allowed = sorted(v for v in OPERATION_VERBS if (v in REQUEST_OF) is past)
        found.append(
            OPERATION_VERB.finding(verb, *verb_words(number, written, allowed), found=written, allowed=allowed)
        )
        verb.text = word
    return found


def meant_verb(written: str, kind: MessageKind) -> Verb | None:
    """Give the verb that was meant, where that is beyond doubt and not what is written.

    A reply has one verb alone, and an event is never a command; so their tense is mended too. That of a request is
    not: it may be a one-way message.
    """
    word = written.strip().lower()
    if word in _RENAMED:
        word = DEPRECATED[word]
    if word not in frozenset(Verb):
        return None
    verb = Verb(word)
    if kind is MessageKind.RESPONSE:
        verb = Verb.REPLY
    elif kind is MessageKind.EVENT:
        verb = EVENT_OF.get(verb, verb)
    return verb if verb != written and (verb in VERBS_OF[kind] or word != written) else None


def _meant_noun(message: Message, site: Site) -> str | None:
    """Give the noun of the payload where the header's is none; the payload is what will be handled."""
    if message.header.noun in site.nouns | PART9_NOUNS or len(message.content) != 1:
        return None
    root = local_name(message.content[0])
    return root if root in site.nouns else None


def _verb_words(message: Message, place: etree._Element) -> tuple[Finding, ...]:
    if message.header.verb in frozenset(Verb):
        return verb_findings(message, Site(frozenset(), frozenset()))
    return (unlisted_verb(message, place, tuple(sorted(Verb))),)


def _noun_words(message: Message, place: etree._Element, site: Site) -> tuple[Finding, ...]:
    if message.version is EnvelopeVersion.DRAFT:
        return (unlisted_noun(message, place, tuple(sorted(PART9_NOUNS))),)
    return noun_findings(message, site)


def _kind_wanted(root: etree._Element) -> str:
    operation = operation_of(root)
    return local_name(root) if operation is None else operation.kind.value
