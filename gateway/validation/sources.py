"""The texts of the schemas: read, joined to each other by their references, and never to anything else."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from gateway.message import EnvelopeVersion
from gateway.message.namespaces import XSD_NAMESPACE
from gateway.message.places import local_name
from gateway.validation.wording import listed, plain

_XS: Final = f"{{{XSD_NAMESPACE}}}"
ENVELOPES: Final = frozenset(version.namespace for version in EnvelopeVersion)


class SchemaError(ValueError):
    """A schema that cannot be used; the text names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One XSD: its file's name, namespace and version, its tree, its global elements, the names of what it includes.

    `imports` are namespaces; the empty one stands for what has none.
    """

    name: str
    namespace: str
    version: str
    schema: etree._Element
    roots: frozenset[str]
    parts: frozenset[str]
    imports: frozenset[str]


def load(sources: Mapping[str, bytes]) -> dict[str, Source]:
    """Read the sources and let their references point at each other alone.

    An import is settled by its namespace, an include by its path or, failing that, by its file's name. Raises
    `SchemaError` for what is no XML schema, and for an include of a file that is not among the sources.
    """
    trees: dict[str, etree._Element] = {}
    resolver = _Resolver(trees)
    trees.update({name: _parse(name, raw, resolver) for name, raw in sources.items()})
    read = {name: _source(name, tree, _includes(name, tree, trees)) for name, tree in trees.items()}
    mains = mains_of(read)
    for tree in trees.values():
        for reference in tree.iterchildren(_XS + "import"):
            reference.attrib.pop("schemaLocation", None)
            main = mains.get(reference.get("namespace", ""))
            if main is not None:
                reference.set("schemaLocation", _url(main.name))
    return read


def mains_of(sources: Mapping[str, Source]) -> dict[str, Source]:
    """Give the main source of each namespace: the last one that no other includes.

    What has no namespace and is not imported is a part that nobody uses: no payload could name it.
    """
    included = frozenset[str]().union(*(source.parts - {source.name} for source in sources.values()))
    in_a_circle = {source.namespace: source for source in sources.values()}
    mains = {source.namespace: source for source in sources.values() if source.name not in included}
    if not any("" in source.imports for source in sources.values()):
        in_a_circle.pop("", None)
        mains.pop("", None)
    return {space: mains.get(space, source) for space, source in in_a_circle.items()}


def parts_of(main: Source, sources: Mapping[str, Source]) -> frozenset[str]:
    """Give the names of a source and of all that it includes, directly or not."""
    found, waiting = set[str](), [main.name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += sources[name].parts
    return frozenset(found)


def compile_fault(main: Source, sources: Mapping[str, Source], error: etree.XMLSchemaParseError) -> str:
    """Say why a schema does not compile: in which of its files, what libxml2 says, and which import leads nowhere."""
    files = {_url(name): name for name in sources}
    entry = next((entry for entry in error.error_log if entry.level_name != "WARNING"), None)
    said, where = str(error), main.name
    if entry is not None:
        said, where = entry.message, f"{files.get(entry.filename, main.name)}, line {entry.line}"
    for url, name in files.items():
        said = said.replace(url, name)
    parts = parts_of(main, sources)
    present = {source.namespace for source in sources.values()}
    lacking = sorted(frozenset[str]().union(*(sources[name].imports for name in parts)) - present)
    hint = ""
    if lacking:
        hint = f" It imports {listed([repr(space) for space in lacking])}: put the XSD of that namespace beside it."
    return f"{main.name} does not compile: {where}: {plain(said)}{hint}"


def closure(main: Source, sources: Mapping[str, Source]) -> Iterator[str]:
    """Give the texts of a source and of all that it includes or imports, without the references themselves.

    What it includes and has no namespace takes on that of the including schema, as XML Schema wants it.
    """
    by_url = {_url(name): name for name in sources}
    seen, waiting = set[tuple[str, str]](), [(main.name, main.namespace)]
    while waiting:
        name, space = waiting.pop()
        if (name, space) in seen:
            continue
        seen.add((name, space))
        root = _copy(sources[name].schema, space)
        for reference in list(_references(root)):
            location = reference.attrib.pop("schemaLocation", "")
            imported = reference.tag == _XS + "import"
            if location in by_url:
                waiting.append((by_url[location], reference.get("namespace", "") if imported else space))
            if not imported:
                root.remove(reference)
        yield etree.tostring(root, encoding="unicode")


def around(main: Source, envelope: str, kinds: Iterable[str]) -> etree._Element:
    """Give a schema for whole messages that judges their payload alone, by the schema that begins with `main`.

    Messages hold anything; what the payload's schema declares is judged wherever it stands.
    """
    schema = deepcopy(main.schema)  # for its resolver
    schema.clear()
    schema.getroottree().docinfo.URL = "cimgate-message"
    schema.set("targetNamespace", envelope)
    etree.SubElement(schema, _XS + "import", namespace=main.namespace, schemaLocation=_url(main.name))
    for kind in kinds:
        etree.SubElement(schema, _XS + "element", name=kind)
    return schema


class _Resolver(etree.Resolver):
    """Answers for the given sources alone; anything else is an empty document, which then fails to compile."""

    def __init__(self, trees: Mapping[str, etree._Element]) -> None:
        self._trees = trees

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:  # noqa: ANN401, ARG002 - lxml's interface
        tree = next((tree for name, tree in self._trees.items() if _url(name) == system_url), None)
        if tree is None:
            return self.resolve_empty(context)
        return self.resolve_string(etree.tostring(tree), context, base_url=system_url)


def _copy(schema: etree._Element, space: str) -> etree._Element:
    """Copy a schema; one without a namespace into `space`, with the names that it uses without a prefix."""
    if schema.get("targetNamespace") or not space:
        return deepcopy(schema)
    prefixes = {None: space} | dict(schema.nsmap)
    copy = etree.Element(schema.tag, dict(schema.attrib) | {"targetNamespace": space}, prefixes)
    copy.extend(deepcopy(schema))
    return copy


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
    """Find an included file: by its path, else by its name among those that could be a part of the including one."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(base), location))
    if beside in trees:
        return beside
    file, spaces = posixpath.basename(location), (None, trees[base].get("targetNamespace"))
    others = (name for name, tree in trees.items() if name != base and tree.get("targetNamespace") in spaces)
    alike = [name for name in others if posixpath.basename(name) == file]
    if len(alike) > 1:
        raise SchemaError(f"{base} includes {location}, which may be {listed(alike, 'or')}: write its path from there.")
    return alike[0] if alike else None


def _source(name: str, tree: etree._Element, parts: frozenset[str]) -> Source:
    roots = frozenset(element.get("name", "") for element in tree.iterchildren(_XS + "element"))
    imports = frozenset(reference.get("namespace", "") for reference in tree.iterchildren(_XS + "import"))
    return Source(name, tree.get("targetNamespace", ""), tree.get("version", ""), tree, roots, parts, imports)


def _references(root: etree._Element) -> Iterator[etree._Element]:
    return root.iterchildren(_XS + "import", _XS + "include", _XS + "redefine")
