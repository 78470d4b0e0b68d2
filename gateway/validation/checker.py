"""The check of one message: envelope, then what it carries by the schema of its own root, then the rules."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from lxml import etree

from gateway.message import DEFAULT_LIMITS, Finding, Limits, Message, MessageKind, Severity
from gateway.message.lines import with_lines
from gateway.message.nouns import agrees_with
from gateway.message.places import local_name, tag_of, xpath_of
from gateway.validation.compressed import compressed_element, opened, placed
from gateway.validation.diagnostics import Explainer, undeclared
from gateway.validation.faults import MAX_FAULTS, faults_of, is_valid
from gateway.validation.rules import ALWAYS, RULES_OF, Site
from gateway.validation.rules.exchange import form_findings
from gateway.validation.rules.operations import operation_set_element
from gateway.validation.rules.semantics import Semantics
from gateway.validation.schemas import SchemaSet
from gateway.validation.severities import AS_DECLARED, Severities, applied
from gateway.validation.verdict import NOTHING_FOUND, Verdict
from gateway.validation.vocabulary import NO_WORDS
from gateway.validation.wording import namespace

_CONSTRAINT: Final = "cvc-"


class Checker:
    """Checks messages against schemas and rules. One per thread, as the schemas are.

    With a `context`, messages for another one are refused; `limits` bound what Compressed may hold; `severities` are
    what the site has set for its sources.
    """

    def __init__(
        self,
        schemas: SchemaSet,
        *,
        context: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        severities: Severities = AS_DECLARED,
        cancel_of_get: bool = False,
    ) -> None:
        self._schemas = schemas
        self._limits = limits
        self._severities = severities
        self._semantics: dict[str, tuple[Semantics, etree.XMLSchema | None]] = {}
        self._site = Site(schemas.nouns, schemas.profiles, context, cancel_of_get)

    @property
    def site(self) -> Site:
        """What the rules know of the gateway: nouns, profiles, context."""
        return self._site

    @property
    def schemas(self) -> SchemaSet:
        """The schemas that messages are checked against."""
        return self._schemas

    def check(self, message: Message, streamed: list[Finding] | None = None) -> Verdict:
        """Judge a message that was read. The cost of a good one is that of its two schema validations.

        `streamed` is what was found in the payload while it was read, where the message no longer has it.
        """
        size = len(message.raw)
        schema = self._schemas.envelope(message.version)
        if not is_valid(schema, message.root, size):
            return self._broken(message, schema, streamed)
        found: list[Finding] = []
        if message.wrapped or message.kind is MessageKind.GENERIC:
            found += form_findings(message, self._site)
        content = message.content
        if streamed is not None:
            found += streamed
        elif len(content) == 1:  # by far the most messages
            self._judge(content[0], message, found, message.header.verb)
        elif message.payload is not None:
            self._judge_payload(message, found)
        if message.request is not None:
            self._judge_request(message, found)
        for rule in RULES_OF[message.kind]:
            findings = rule(message, self._site)
            if findings:
                found += findings
        return self._verdict(message, found) if found else NOTHING_FOUND

    def _verdict(self, message: Message, found: list[Finding]) -> Verdict:
        """Give the verdict with the severities that hold for the source; of too many findings, the errors are kept."""
        levels = self._severities.of(message.header.source)
        if levels:
            found = applied(found, levels)
        if len(found) > MAX_FAULTS:
            found = sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)[:MAX_FAULTS]
        if not message.repairs:  # else the lines are those of the bytes as they came
            found = with_lines(found, (message.raw,))
        return Verdict(tuple(found))

    def judge_root(self, root: etree._Element, message: Message) -> list[Finding]:
        """Judge one root of the payload by itself."""
        found: list[Finding] = []
        self._judge(root, message, found, message.header.verb)
        return found

    def _judge(self, root: etree._Element, message: Message, found: list[Finding], verb: str) -> None:
        """Judge one foreign root by its schema and its meaning; one without schema is left to the rules about nouns.

        `verb` is that of the message, or of the operation around the root.
        """
        judged = self._judged(root, message, len(message.raw), verb)
        if judged is not None:
            found += judged
            return
        name = local_name(root)
        if self._schemas.namespace_of(name) is not None and agrees_with(name, etree.QName(root)):
            found += undeclared(root, self._schemas)

    def _judged(
        self, root: etree._Element, message: Message, size: int, verb: str, part: str = ""
    ) -> list[Finding] | None:
        """Judge a root by its schema and its meaning; None where it has no schema.

        One that the tidy schema takes is valid, and nearly done with: so it is with most messages.
        """
        tag = tag_of(root)
        known = self._semantics.get(tag)
        if known is None:
            if self._schemas.of(tag) is None:
                return None
            known = self._semantics_of(tag)
        semantics, tidy = known
        if tidy is not None and is_valid(tidy, root, size):
            return semantics.findings(root, verb, tidy=True)
        schema = self._schemas.of(tag)
        if schema is None:
            return None
        # What no schema has as a root means nothing that could be judged.
        meaning = semantics.findings(root, verb) if self._schemas.declares(tag) else []
        if is_valid(schema, root, size):
            return meaning
        return told_once([*self._explained(message, schema, root, size, part)], meaning)

    def semantics_of(self, tag: str) -> Semantics:
        """Give the semantic checks for a root; those of one that no schema declares find nothing."""
        if self._schemas.of(tag) is None or not self._schemas.declares(tag):
            return Semantics(NO_WORDS)
        return (self._semantics.get(tag) or self._semantics_of(tag))[0]

    def _semantics_of(self, tag: str) -> tuple[Semantics, etree.XMLSchema | None]:
        space = namespace(tag)
        made = self._semantics.get(space)
        if made is None:
            made = self._semantics[space] = Semantics(self._schemas.vocabulary(space)), self._schemas.tidy(space)
        if self._schemas.declares(tag):  # others are not remembered: a partner may think of any number of them
            self._semantics[tag] = made
        return made

    def explainer(self, message: Message, root: etree._Element, part: str = "") -> Explainer:
        """Give what explains the faults of a root."""
        return Explainer(message, self._schemas, root, part)

    def _explained(
        self, message: Message, schema: etree.XMLSchema, root: etree._Element, size: int, part: str = ""
    ) -> Iterator[Finding]:
        explainer = self.explainer(message, root, part)
        findings = (finding for fault in faults_of(schema, root, size) for finding in explainer.explain(fault))
        return islice(findings, MAX_FAULTS)

    def _judge_payload(self, message: Message, found: list[Finding]) -> None:
        """Judge a payload other than a single root: several roots, operations, compressed content."""
        for root in message.content:
            if not _is_full(found):
                self._judge(root, message, found, message.header.verb)
        operations = operation_set_element(message)
        if operations is not None:
            own = message.version.prefix
            for operation in operations.iterchildren(own + "Operation"):
                for root in operation:
                    if not tag_of(root).startswith(own) and not _is_full(found):
                        self._judge(root, message, found, operation.findtext(own + "verb", "").strip())
        element = compressed_element(message)
        if element is not None:
            self._judge_compressed(message, element, found)

    def _judge_compressed(self, message: Message, element: etree._Element, found: list[Finding]) -> None:
        root, size, findings = opened(message, element, self._limits)
        found += findings
        inside = None if root is None else self._judged(root, message, size, message.header.verb, "Payload")
        if inside:
            place = xpath_of(element)
            found += (placed(finding, element, place) for finding in inside)

    def _judge_request(self, message: Message, found: list[Finding]) -> None:
        """Judge what a Request holds besides its own elements, where there is a schema for it."""
        if message.request is None:
            return
        own = message.version.prefix
        for child in message.request:
            schema = None if tag_of(child).startswith(own) else self._schemas.of(tag_of(child))
            if schema is None or _is_full(found):
                continue
            self._judge(child, message, found, message.header.verb)

    def _broken(self, message: Message, schema: etree.XMLSchema, streamed: list[Finding] | None) -> Verdict:
        """Tell all that is wrong with a message whose envelope is not valid: no rule that may stumble over it."""
        size = len(message.raw)
        found = list(form_findings(message, self._site))
        found += self._explained(message, schema, message.root, size)
        told = {finding.element for finding in found}
        found += streamed or ()
        for root in () if streamed is not None else message.content:
            if not _is_full(found):
                self._judge(root, message, found, message.header.verb)
        if message.kind is not MessageKind.FAULT:
            for rule, element in ALWAYS:
                if element not in told:
                    found += rule(message, self._site)
        return self._verdict(message, found)


def told_once(faults: list[Finding], meaning: list[Finding]) -> list[Finding]:
    """Put what is said of the meaning behind the faults, without what concerns an element at fault: once is enough."""
    told = {fault.xpath.partition("/@")[0] for fault in faults}
    return [*faults, *(finding for finding in meaning if finding.xpath not in told)]


def _is_full(found: list[Finding]) -> bool:
    """Tell whether so much is wrong that the rest need not be judged; faults that a site may silence do not count."""
    return len(found) >= MAX_FAULTS and sum(finding.rule.startswith(_CONSTRAINT) for finding in found) >= MAX_FAULTS
