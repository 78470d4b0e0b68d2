"""One trial of a schema: an instance at random that both validators must accept, and its mutants that both refuse."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import xmlschema
from lxml import etree

from gateway.message import read
from gateway.message.places import xpath_of
from gateway.validation import Checker, SchemaSet
from gateway.validation.declarations import Element, Value
from gateway.validation.instances import instance_of
from tests.validation.mutations import AtRandom, Mutant, Mutation, Mutator, element_at

_ENVELOPE = "http://iec.ch/TC57/2011/schema/message"


@dataclass(frozen=True)
class Outcome:
    """What one trial showed: the mutations that could be made, and every disagreement with what was expected."""

    mutations: tuple[Mutation, ...]
    elements: int
    problems: tuple[str, ...] = field(default=())


class Profile:
    """A noun or Get profile under test."""

    def __init__(self, name: str, schemas: SchemaSet, sources: Mapping[str, bytes]) -> None:
        self.name = name
        self._space = schemas.namespace_of(name) or ""
        tag = f"{{{self._space}}}{name}"
        model = schemas.model(self._space)
        declared = None if model is None else model.element([tag])
        schema = schemas.of(tag)
        assert declared is not None
        assert schema is not None
        self._declared = declared
        theirs = xmlschema.XMLSchema10(sources[f"{name}.xsd"].decode())
        self._validators: tuple[tuple[str, Callable[[etree._Element], bool]], ...] = (
            ("lxml", schema.validate),
            ("xmlschema", lambda root: theirs.is_valid(cast("Any", root))),  # its types know the standard library alone
        )
        self._mutator = Mutator(declared)
        self._checker = Checker(schemas)

    @property
    def has_typed_values(self) -> bool:
        """Whether some element holds a value other than text."""
        return any(v.builtin != "xs:string" and not v.enumeration for v in _values(self._declared))

    @property
    def has_enumerations(self) -> bool:
        """Whether the values of some element are listed."""
        return any(v.enumeration for v in _values(self._declared))

    def trial(self, seed: str) -> Outcome:
        """Write an instance and break it in each way that it allows; the same seed does the same each time."""
        chance = random.Random(f"{self.name} {seed}")  # noqa: S311 - chance that can be had again is the point
        instance = instance_of(self._declared, AtRandom(chance))
        problems = [
            f"{self.name} {seed}: {who} refuses {etree.tostring(instance, encoding='unicode')}"
            for who, accepts in self._validators
            if not accepts(instance)
        ]
        mutations: list[Mutation] = []
        for mutant in self._mutator.mutants(instance, chance):
            mutations.append(mutant.mutation)
            problems += (f"{self.name} {seed}: {problem}" for problem in self._problems(mutant))
        return Outcome(tuple(mutations), sum(1 for _ in instance.iter()), tuple(problems))

    def _problems(self, mutant: Mutant) -> list[str]:
        told = f"{mutant.mutation}, {mutant.what}"
        etree.indent(mutant.root)
        problems = [
            f"{who} accepts it after: {told}: {etree.tostring(mutant.root, encoding='unicode')}"
            for who, accepts in self._validators
            if accepts(mutant.root)
        ]
        wrong = self._wrong_diagnosis(mutant)
        return [*problems, f"after: {told}: {wrong}"] if wrong else problems

    def _wrong_diagnosis(self, mutant: Mutant) -> str:
        """Tell how the first finding fails to name the place; empty where it names it."""
        message = read(self._message(mutant.root))
        root = message.content[0] if message.request is None else message.request[0]
        verdict = self._checker.check(message)
        if verdict.first is None:
            return f"nothing was found in {etree.tostring(mutant.root, encoding='unicode')}"
        places = [element_at(root, path) for path in mutant.places]
        expected = {(xpath_of(element), element.sourceline) for element in places}
        first = verdict.first
        if (first.xpath.partition("/@")[0], first.line) not in expected:
            return f"'{first.text}' at {first.xpath}, line {first.line}; expected one of {sorted(expected, key=str)}"
        if not first.text or not first.advice:
            return f"'{first.text}' at {first.xpath} has no advice"
        return ""

    def _message(self, root: etree._Element) -> bytes:
        asks = self.name.startswith("Get")
        kind, verb, part = ("RequestMessage", "get", "Request") if asks else ("EventMessage", "created", "Payload")
        message = etree.Element(f"{{{_ENVELOPE}}}{kind}", nsmap={"m": _ENVELOPE})
        header = etree.SubElement(message, f"{{{_ENVELOPE}}}Header")
        etree.SubElement(header, f"{{{_ENVELOPE}}}Verb").text = verb
        etree.SubElement(header, f"{{{_ENVELOPE}}}Noun").text = self.name.removeprefix("Get") if asks else self.name
        etree.SubElement(message, f"{{{_ENVELOPE}}}{part}").append(root)
        return etree.tostring(message)


def _values(root: Element) -> Iterator[Value]:
    if root.type.value is not None:
        yield root.type.value
    for child in () if root.type.content is None else root.type.content.elements():
        yield from _values(child)
