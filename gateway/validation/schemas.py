"""The schemas of a site: one a namespace, compiled when first asked for."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lxml import etree

from gateway.message import EnvelopeVersion, MessageKind
from gateway.message.nouns import profile_namespace
from gateway.validation.sources import (
    ENVELOPES,
    SchemaError,
    Source,
    around,
    closure,
    compile_fault,
    load,
    mains_of,
    parts_of,
)
from gateway.validation.tidy import tidy_schema
from gateway.validation.vocabulary import NO_WORDS, Vocabulary, vocabulary_of
from gateway.validation.wording import local, namespace

if TYPE_CHECKING:
    from gateway.validation.models import Model

# libxml2 may race when two threads compile at the same time.
_COMPILING = threading.Lock()
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Installed:
    """A schema in use: its namespace, the noun or Get profile it describes (empty for an envelope or an imported part).

    `version` is the attribute of that name, empty where it has none; `file` the name of its source. `passed_over` are
    sources that describe the same namespace, are no part of it and so count for nothing.
    """

    namespace: str
    noun: str
    version: str
    file: str
    passed_over: tuple[str, ...] = ()


class SchemaSet:
    """Compiled schemas by namespace. Not to be shared between threads: lxml's error log mixes them up.

    `sources` maps file names to the bytes of one XSD each. Where two describe the same namespace, the later one counts
    (so put a site's own after those that come with cimgate); a file that another one includes is a part of it.
    Imports and includes are resolved among the sources, never from network or disk. Versions of a noun in different
    namespaces live side by side. Raises `SchemaError`.

    `nouns` are the payload nouns that have a schema (without OperationSet, which is part of the envelope), `profiles`
    the names of the Get profiles that have one.
    """

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = load(sources)
        self._mains = mains_of(self._sources)
        self._compiled: dict[str, etree.XMLSchema] = {}
        self._by_tag: dict[str, etree.XMLSchema] = {}
        self._inside: dict[tuple[EnvelopeVersion, str], etree.XMLSchema] = {}
        self._models: dict[str, Model | None] = {}
        self._vocabularies: dict[str, Vocabulary] = {}
        self._tidy: dict[str, etree.XMLSchema | None] = {}
        self._by_name: dict[str, tuple[str, ...]] = {}
        for main in self._mains.values():
            for root in self._roots_of(main):
                if main.namespace.endswith(f"/{root}#"):
                    self._by_name[root] = (*self._by_name.get(root, ()), main.namespace)
        for name, spaces in self._by_name.items():
            self._by_name[name] = tuple(sorted(spaces, key=lambda space: _age(space, name)))
        self.profiles: frozenset[str] = frozenset(name for name in self._by_name if _is_get(name))
        self.nouns: frozenset[str] = frozenset(self._by_name) - self.profiles

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

    def declares(self, tag: str) -> bool:
        """Tell whether a schema declares a payload root."""
        main = None if namespace(tag) in ENVELOPES else self._mains.get(namespace(tag))
        return main is not None and local(tag) in self._roots_of(main)

    def inside(self, version: EnvelopeVersion, tag: str) -> etree.XMLSchema | None:
        """Give the schema for a payload root within a whole message, of which it judges nothing else.

        None where no schema declares the root. It is compiled when first asked for.
        """
        if not self.declares(tag):
            return None
        main = self._mains[namespace(tag)]
        key = (version, main.namespace)
        if key not in self._inside:
            self._inside[key] = self._compiled_from(main, around(main, version.namespace, MessageKind))
        return self._inside[key]

    @property
    def namespaces(self) -> frozenset[str]:
        """All target namespaces that have a schema."""
        return frozenset(self._mains)

    def namespace_of(self, noun: str) -> str | None:
        """Give the namespace in which a noun or Get profile has its schema: the first of `namespaces_of`."""
        return next(iter(self.namespaces_of(noun)), None)

    def namespaces_of(self, noun: str) -> tuple[str, ...]:
        """Give all namespaces in which a noun or Get profile has a schema: that of the 2013 edition, then newest first.

        Payloads in any of them are judged, each by its own schema.
        """
        return self._by_name.get(noun, ())

    def declaring(self, root: str) -> tuple[str, ...]:
        """Give all namespaces whose schema has a root of this local name, those of the noun first."""
        nouns = self.namespaces_of(root)
        others = sorted(main.namespace for main in self._mains.values() if root in self._roots_of(main))
        return (*nouns, *(space for space in others if space not in nouns))

    def installed(self) -> tuple[Installed, ...]:
        """Give all schemas by namespace, in the order of the namespaces."""
        return tuple(self._installed(main) for _, main in sorted(self._mains.items()))

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
            schema = self._compiled[space] = self._compiled_from(main, main.schema)
        return schema

    def _compiled_from(self, main: Source, tree: etree._Element) -> etree.XMLSchema:
        try:
            with _COMPILING:
                return etree.XMLSchema(tree)
        except etree.XMLSchemaParseError as error:
            raise SchemaError(compile_fault(main, self._sources, error)) from error

    def _installed(self, main: Source) -> Installed:
        name = next((name for name, spaces in self._by_name.items() if main.namespace in spaces), "")
        parts = parts_of(main, self._sources)
        rivals = [s.name for s in self._sources.values() if s.namespace == main.namespace and s.name not in parts]
        return Installed(main.namespace, name, main.version, main.name, tuple(rivals))

    def _roots_of(self, main: Source) -> frozenset[str]:
        return main.roots.union(*(self._sources[part].roots for part in parts_of(main, self._sources)))


def _age(space: str, noun: str) -> tuple[bool, list[int], str]:
    """Give what sorts the namespaces of a noun: the standard's own first, then by the years that stand in them."""
    return space != profile_namespace(noun), [-int(year) for year in _YEAR.findall(space)], space


def _is_get(name: str) -> bool:
    return name.startswith("Get") and name[3:4].isupper()


def _compiled(schema: etree._Element) -> etree.XMLSchema | None:
    try:
        with _COMPILING:
            return etree.XMLSchema(schema)
    except etree.XMLSchemaParseError:  # one that a site wrote in a way we did not foresee
        return None
