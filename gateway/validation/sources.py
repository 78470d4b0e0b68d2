"""The texts of the schemas: read, joined to each other by their references, and never to anything else."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from gateway.message import EnvelopeVersion
from gateway.message.namespaces import XSD_NAMESPACE
from gateway.message.places import local_name

_XS: Final = f"{{{XSD_NAMESPACE}}}"
ENVELOPES: Final = frozenset(version.namespace for version in EnvelopeVersion)


class SchemaError(ValueError):
    """A schema that cannot be used; the text names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One XSD: its file's name, its namespace, its tree, its global elements, and the names of what it includes."""

    name: str
    namespace: str
    schema: etree._Element
    roots: frozenset[str]
    parts: frozenset[str]


def load(sources: Mapping[str, bytes]) -> dict[str, Source]:
    """Read the sources and let their references point at each other alone.

    An import is settled by its namespace, an include by its path or, failing that, by its file's name. Raises
    `SchemaError` for what is no XML schema, and for an include of a file that is not among the sources.
    """
    resolver = _Resolver()
    trees = {name: _parse(name, raw, resolver) for name, raw in sources.items()}
    included = {name: _includes(name, tree, trees) for name, tree in trees.items()}
    part_of_another = frozenset[str]().union(*included.values())
    mains = {tree.get("targetNamespace", ""): name for name, tree in trees.items() if name not in part_of_another}
    for tree in trees.values():
        for reference in tree.iterchildren(_XS + "import"):
            reference.attrib.pop("schemaLocation", None)
            if reference.get("namespace", "") in mains:
                reference.set("schemaLocation", _url(mains[reference.get("namespace", "")]))
    for name, tree in trees.items():
        resolver.texts[_url(name)] = etree.tostring(tree)
    return {name: _source(name, tree, included[name]) for name, tree in trees.items()}


def mains_of(sources: Mapping[str, Source]) -> dict[str, Source]:
    """Give the main source of each namespace: the last one that no other includes."""
    included = frozenset[str]().union(*(source.parts for source in sources.values()))
    return {source.namespace: source for source in sources.values() if source.name not in included}


def closure(main: Source, sources: Mapping[str, Source]) -> Iterator[str]:
    """Give the texts of a source and of all that it includes or imports, without the references themselves."""
    seen, waiting = set[str](), [main.name]
    by_url = {_url(name): name for name in sources}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        root = etree.fromstring(etree.tostring(sources[name].schema))
        for reference in list(_references(root)):
            location = reference.attrib.pop("schemaLocation", "")
            if location in by_url:
                waiting.append(by_url[location])
            if reference.tag != _XS + "import":
                root.remove(reference)
        yield etree.tostring(root, encoding="unicode")


class _Resolver(etree.Resolver):
    """Answers for the given sources alone; anything else is an empty document, which then fails to compile."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # noqa: ANN401, ARG002 - lxml's interface
        text = self.texts.get(system_url or "")
        if text is None:
            return self.resolve_empty(context)
        return self.resolve_string(text, context, base_url=system_url)


def _url(name: str) -> str:
    # No path, so that libxml2 does not join one location to another; no scheme that it would open by itself.
    return "cimgate-" + name.encode().hex()


def _parse(name: str, raw: bytes, resolver: _Resolver) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True)
    parser.resolvers.add(resolver)
    try:
        root = etree.fromstring(raw, parser, base_url=_url(name))
    except etree.XMLSyntaxError as error:
        raise SchemaError(f"{name} is not well-formed XML: {error}") from error
    if root.tag != _XS + "schema":
        raise SchemaError(f"{name} is no XML schema: its root is {local_name(root)}.")
    if root.get("targetNamespace") in ENVELOPES:
        _relax(root)
    return root


def _relax(envelope: etree._Element) -> None:
    """Let the envelope pass any payload: the payload is judged by the schema of its own root, in the second stage.

    The draft's wildcard is strict and would demand that every payload's schema is compiled into the envelope's.
    """
    for wildcard in envelope.iter(_XS + "any"):
        if wildcard.get("processContents", "strict") == "strict":
            wildcard.set("processContents", "skip")


def _includes(name: str, tree: etree._Element, trees: Mapping[str, etree._Element]) -> frozenset[str]:
    parts: set[str] = set()
    for reference in _references(tree):
        if reference.tag == _XS + "import":
            continue
        location = reference.get("schemaLocation", "")
        part = _named(location, name, trees)
        if part is None:
            raise SchemaError(f"{name} includes {location or 'a schema without a location'}, which is not there.")
        reference.set("schemaLocation", _url(part))
        parts.add(part)
    return frozenset(parts)


def _named(location: str, base: str, trees: Mapping[str, etree._Element]) -> str | None:
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(base), location))
    if beside in trees:
        return beside
    file = posixpath.basename(location)
    return next((name for name in trees if posixpath.basename(name) == file), None)


def _source(name: str, tree: etree._Element, parts: frozenset[str]) -> Source:
    roots = frozenset(element.get("name", "") for element in tree.iterchildren(_XS + "element"))
    return Source(name, tree.get("targetNamespace", ""), tree, roots, parts)


def _references(root: etree._Element) -> Iterator[etree._Element]:
    return root.iterchildren(_XS + "import", _XS + "include", _XS + "redefine")
