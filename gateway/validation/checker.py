"""The check of one message: envelope, then what it carries by the schema of its own root, then the rules."""

from collections.abc import Iterator
from itertools import islice

from lxml import etree

from gateway.message import DEFAULT_LIMITS, Finding, Limits, Message, MessageKind
from gateway.message.nouns import agrees_with
from gateway.message.places import local_name, tag_of, xpath_of
from gateway.validation.compressed import compressed_element, opened, placed
from gateway.validation.diagnostics import Explainer, undeclared
from gateway.validation.faults import MAX_FAULTS, faults_of, is_valid
from gateway.validation.rules import ALWAYS, RULES_OF, Site
from gateway.validation.rules.exchange import form_findings
from gateway.validation.rules.operations import operation_set_element
from gateway.validation.schemas import SchemaSet
from gateway.validation.verdict import NOTHING_FOUND, Verdict


class Checker:
    """Checks messages against schemas and rules. One per thread, as the schemas are.

    With a `context`, messages for another one are refused; `limits` bound what Compressed may hold.
    """

    def __init__(self, schemas: SchemaSet, *, context: str | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self._schemas = schemas
        self._limits = limits
        self._site = Site(schemas.nouns, schemas.profiles, context)

    @property
    def site(self) -> Site:
        """What the rules know of the gateway: nouns, profiles, context."""
        return self._site

    def check(self, message: Message) -> Verdict:
        """Judge a message that was read. The cost of a good one is that of its two schema validations."""
        size = len(message.raw)
        schema = self._schemas.envelope(message.version)
        if not is_valid(schema, message.root, size):
            return self._broken(message, schema)
        found: list[Finding] = []
        if message.wrapped or message.kind is MessageKind.GENERIC:
            found += form_findings(message, self._site)
        content = message.content
        if len(content) == 1:  # by far the most messages
            self._judge(content[0], message, size, found)
        elif message.payload is not None:
            self._judge_payload(message, found)
        if message.request is not None:
            self._judge_request(message, found)
        for rule in RULES_OF[message.kind]:
            findings = rule(message, self._site)
            if findings:
                found += findings
        return Verdict(tuple(found[:MAX_FAULTS])) if found else NOTHING_FOUND

    def _judge(self, root: etree._Element, message: Message, size: int, found: list[Finding]) -> None:
        """Judge one foreign root by its schema; a root that has none is left to the rules about nouns."""
        schema = self._schemas.of(tag_of(root))
        if schema is None:
            name = local_name(root)
            if self._schemas.namespace_of(name) is not None and agrees_with(name, etree.QName(root)):
                found += undeclared(root, self._schemas)
        elif not is_valid(schema, root, size):
            found += self._explained(message, schema, root, size)

    def _explained(
        self, message: Message, schema: etree.XMLSchema, root: etree._Element, size: int, part: str = ""
    ) -> Iterator[Finding]:
        explainer = Explainer(message, self._schemas, root, part)
        findings = (finding for fault in faults_of(schema, root, size) for finding in explainer.explain(fault))
        return islice(findings, MAX_FAULTS)

    def _judge_payload(self, message: Message, found: list[Finding]) -> None:
        """Judge a payload other than a single root: several roots, operations, compressed content."""
        size = len(message.raw)
        for root in message.content[:MAX_FAULTS]:
            self._judge(root, message, size, found)
        operations = operation_set_element(message)
        if operations is not None:
            own = f"{{{message.version.namespace}}}"
            for operation in operations.iterchildren(own + "Operation"):
                for root in operation:
                    if not tag_of(root).startswith(own) and len(found) < MAX_FAULTS:
                        self._judge(root, message, size, found)
        element = compressed_element(message)
        if element is not None:
            self._judge_compressed(message, element, found)

    def _judge_compressed(self, message: Message, element: etree._Element, found: list[Finding]) -> None:
        root, size, findings = opened(message, element, self._limits)
        found += findings
        schema = None if root is None else self._schemas.of(tag_of(root))
        if root is not None and schema is not None and not is_valid(schema, root, size):
            place = xpath_of(element)
            found += (placed(f, element, place) for f in self._explained(message, schema, root, size, "Payload"))

    def _judge_request(self, message: Message, found: list[Finding]) -> None:
        """Judge what a Request holds besides its own elements, where there is a schema for it."""
        if message.request is None:
            return
        own = f"{{{message.version.namespace}}}"
        for child in message.request:
            schema = None if tag_of(child).startswith(own) else self._schemas.of(tag_of(child))
            if schema is not None and len(found) < MAX_FAULTS and not is_valid(schema, child, len(message.raw)):
                found += self._explained(message, schema, child, len(message.raw))

    def _broken(self, message: Message, schema: etree.XMLSchema) -> Verdict:
        """Tell all that is wrong with a message whose envelope is not valid: no rule that may stumble over it."""
        size = len(message.raw)
        found = list(form_findings(message, self._site))
        found += self._explained(message, schema, message.root, size)
        told = {finding.element for finding in found}
        for root in message.content[:MAX_FAULTS]:
            self._judge(root, message, size, found)
        if message.kind is not MessageKind.FAULT:
            for rule, element in ALWAYS:
                if element not in told:
                    found += rule(message, self._site)
        return Verdict(tuple(found[:MAX_FAULTS]))
