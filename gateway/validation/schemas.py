"""The schemas of a site: one a namespace, compiled when first asked for."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lxml import etree

from gateway.message import EnvelopeVersion
from gateway.validation.sources import ENVELOPES, SchemaError, Source, closure, load, mains_of
from gateway.validation.tidy import tidy_schema
from gateway.validation.vocabulary import NO_WORDS, Vocabulary, vocabulary_of
from gateway.validation.wording import local, namespace, plain

if TYPE_CHECKING:
    from gateway.validation.models import Model

# libxml2 may race when two threads compile at the same time.
_COMPILING = threading.Lock()


class SchemaSet:
    """Compiled schemas by namespace. Not to be shared between threads: lxml's error log mixes them up.

    `sources` maps file names to the bytes of one XSD each. Where two describe the same namespace, the later one counts
    (so put a site's own after those that come with cimgate); a file that another one includes is a part of it.
    Imports and includes are resolved among the sources, never from network or disk. Raises `SchemaError`.

    `nouns` are the payload nouns that have a schema (without OperationSet, which is part of the envelope), `profiles`
    the names of the Get profiles that have one.
    """

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = load(sources)
        self._mains = mains_of(self._sources)
        self._compiled: dict[str, etree.XMLSchema] = {}
        self._by_tag: dict[str, etree.XMLSchema] = {}
        self._models: dict[str, Model | None] = {}
        self._vocabularies: dict[str, Vocabulary] = {}
        self._tidy: dict[str, etree.XMLSchema | None] = {}
        named = {
            root: main.namespace
            for main in self._mains.values()
            for root in self._roots_of(main)
            if main.namespace.endswith(f"/{root}#")
        }
        self._namespaces = named
        self.profiles: frozenset[str] = frozenset(name for name in named if _is_get(name))
        self.nouns: frozenset[str] = frozenset(named) - self.profiles

    def compile_all(self) -> None:
        """Compile every schema now, ahead of serving. Raises `SchemaError` for one that is wrong or missing."""
        for version in EnvelopeVersion:
            self.envelope(version)
        for main in self._mains:
            self._compile(main)
            self.tidy(main)

    def envelope(self, version: EnvelopeVersion) -> etree.XMLSchema:
        """Give the schema of the envelope in one version. Raises `SchemaError` where there is none."""
        schema = self._compile(version.namespace)
        if schema is None:
            raise SchemaError(f"No schema for the envelope's namespace {version.namespace} is installed.")
        return schema

    def of(self, tag: str) -> etree.XMLSchema | None:
        """Give the schema for a payload root `{namespace}local`, or None where its namespace is not known.

        The schema may lack that very root: validating then says so.
        """
        schema = self._by_tag.get(tag)
        if schema is None:
            space = namespace(tag)
            schema = None if space in ENVELOPES else self._compile(space)
            if schema is not None and local(tag) in self._mains[space].roots:
                self._by_tag[tag] = schema
        return schema

    @property
    def namespaces(self) -> frozenset[str]:
        """All target namespaces that have a schema."""
        return frozenset(self._mains)

    def namespace_of(self, noun: str) -> str | None:
        """Give the namespace in which a noun or Get profile has its schema."""
        return self._namespaces.get(noun)

    def vocabulary(self, space: str) -> Vocabulary:
        """Give what the semantic checks know of a namespace; nothing where it has no schema."""
        known = self._vocabularies.get(space)
        if known is None:
            main = self._mains.get(space)
            known = self._vocabularies[space] = NO_WORDS if main is None else vocabulary_of(main, self._sources)
        return known

    def tidy(self, space: str) -> etree.XMLSchema | None:
        """Give the stricter schema of a namespace: what it takes needs no look at its times and references.

        None where there is none; nothing is lost then but time.
        """
        if space not in self._tidy:
            main = self._mains.get(space)
            schema = None if main is None else tidy_schema(main, self.vocabulary(space))
            self._tidy[space] = None if schema is None else _compiled(schema)
        return self._tidy[space]

    def model(self, space: str) -> "Model | None":
        """Give the object model of a namespace, to explain what was refused; None where it cannot be built."""
        if space not in self._mains:
            return None
        if space not in self._models:
            from gateway.validation.models import build  # noqa: PLC0415 - slow to load; only refused messages need it

            self._models[space] = build(list(closure(self._mains[space], self._sources)))
        return self._models[space]

    def _compile(self, space: str) -> etree.XMLSchema | None:
        schema = self._compiled.get(space)
        main = self._mains.get(space)
        if schema is None and main is not None:
            try:
                with _COMPILING:
                    schema = etree.XMLSchema(main.schema)
            except etree.XMLSchemaParseError as error:
                raise SchemaError(f"{main.name} does not compile: {plain(str(error))}") from error
            self._compiled[space] = schema
        return schema

    def _roots_of(self, main: Source) -> frozenset[str]:
        return main.roots.union(*(self._sources[part].roots for part in main.parts))


def _is_get(name: str) -> bool:
    return name.startswith("Get") and name[3:4].isupper()


def _compiled(schema: etree._Element) -> etree.XMLSchema | None:
    try:
        with _COMPILING:
            return etree.XMLSchema(schema)
    except etree.XMLSchemaParseError:  # one that a site wrote in a way we did not foresee
        return None
