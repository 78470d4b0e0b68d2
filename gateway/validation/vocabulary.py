"""What the semantic checks must know of a schema: which elements are times, which are references, and to what.

Read from the schemas themselves, without building a model, so that it also holds for those that a site brings along.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from gateway.codes import CodeKind
from gateway.message.namespaces import XSD_NAMESPACE
from gateway.validation.sources import Source
from gateway.validation.wording import local

_XS: Final = f"{{{XSD_NAMESPACE}}}"
_DATE_TIME: Final = _XS + "dateTime"
_KINDS: Final = {kind.element: kind for kind in CodeKind}


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference may point to: a code of this kind, an object of the message with one of these tags."""

    kind: CodeKind | None
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The tags of interval blocks: the block, the tag of its reading type, and where its times stand."""

    block: str
    reading: str
    time: str
    reading_type: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The elements of one schema that mean something beyond their type. All names are tags, `{namespace}local`.

    `times` are those of the type xs:dateTime; `references` those with an attribute `ref`, by tag; `declared` the
    objects below the payload's root that references point to, `roots` those roots. `start` and `end` are the times of
    a period. `control` is the tag of an EndDeviceControl, `starts` where its start may stand. What a schema lacks is
    empty or None.
    """

    times: tuple[str, ...] = ()
    references: Mapping[str, Target] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset()
    start: str = ""
    end: str = ""
    control: str = ""
    starts: tuple[str, ...] = ()
    blocks: Blocks | None = None


NO_WORDS: Final = Vocabulary()


def vocabulary_of(main: Source, sources: Mapping[str, Source]) -> Vocabulary:
    """Read the vocabulary of the schema that begins with `main`, with all that it includes or imports."""
    declarations = Declarations(_parts(main, sources))
    prefix = f"{{{main.namespace}}}"
    tags = declarations.times | declarations.others
    below_root = declarations.below_roots(main)
    references = {
        tag: target
        for tag in sorted(declarations.references)
        if (target := _target(tag, below_root)).kind is not None or target.tags
    }
    control = prefix + "EndDeviceControl"
    period = {prefix + "start", prefix + "end"} <= declarations.times
    return Vocabulary(
        times=tuple(sorted(declarations.times)),
        references=references,
        declared=frozenset[str]().union(*(target.tags for target in references.values())),
        roots=frozenset(prefix + name for name in main.roots),
        start=prefix + "start" if period else "",
        end=prefix + "end" if period else "",
        control=control if control in below_root else "",
        starts=tuple(tag for tag in (prefix + "start", prefix + "startDateTime") if tag in declarations.times),
        blocks=_blocks(prefix, tags),
    )


def _target(tag: str, below_root: frozenset[str]) -> Target:
    """Tell what a reference points to. Its name is that of the object, or its plural: ComFunctions, ComFunction."""
    names = {local(tag), local(tag).removesuffix("s")}
    kind = next((_KINDS[name] for name in names if name in _KINDS), None)
    return Target(kind, frozenset(other for other in below_root if local(other) in names))


def _blocks(prefix: str, tags: Iterable[str]) -> Blocks | None:
    blocks = Blocks(*(prefix + name for name in ("IntervalBlocks", "IntervalReadings", "timeStamp", "ReadingType")))
    needed = {blocks.block, blocks.reading, blocks.time, blocks.reading_type}
    return blocks if needed.issubset(tags) else None


def _parts(main: Source, sources: Mapping[str, Source]) -> Iterator[tuple[Source, str]]:
    """Give a source and all that belongs to it, each with the namespace it describes."""
    seen, waiting = set[str](), [(main, main.namespace)]
    while waiting:
        source, space = waiting.pop()
        if source.name in seen:
            continue
        seen.add(source.name)
        yield source, space
        waiting += [(sources[part], sources[part].namespace or space) for part in source.parts]
        imported = {reference.get("namespace") for reference in source.schema.iterchildren(_XS + "import")}
        waiting += [(other, other.namespace) for other in sources.values() if other.namespace in imported]


class Declarations:
    """The elements and types of several sources, by their names: which are times, which are references."""

    def __init__(self, parts: Iterable[tuple[Source, str]]) -> None:
        self._complex: dict[str, tuple[etree._Element, str]] = {}
        self._bases: dict[str, str] = {}
        parts = list(parts)
        for source, space in parts:
            for kind in source.schema.iterchildren(_XS + "complexType"):
                self._complex[f"{{{space}}}{kind.get('name')}"] = (kind, space)
            for kind in source.schema.iterchildren(_XS + "simpleType"):
                self._bases[f"{{{space}}}{kind.get('name')}"] = _base(kind, space)
        self.times: set[str] = set()
        self.references: set[str] = set()
        self.others: set[str] = set()
        for source, space in parts:
            for element in source.schema.iter(_XS + "element"):
                if element.get("name"):
                    self._sort(element, source.schema, space)

    def below_roots(self, main: Source) -> frozenset[str]:
        """Give the tags that may stand right below the root of a document."""
        found = set[str]()
        for root in main.schema.iterchildren(_XS + "element"):
            kind = self._type_of(root, main.namespace)
            if kind is not None:
                content, space = kind
                found.update(
                    _tag(element, content, space) for element in _own(content, "element") if element.get("name")
                )
        return frozenset(found)

    def is_time(self, element: etree._Element, space: str) -> bool:
        """Tell whether a declaration is that of a time: xs:dateTime, or a type derived from it."""
        name = _named(element, "type", space) or _base(element.find(_XS + "simpleType"), space)
        for _ in range(len(self._bases) + 1):  # a schema that derives a type from itself does not compile
            if name == _DATE_TIME:
                return True
            name = self._bases.get(name, "")
        return False

    def is_reference(self, element: etree._Element, space: str) -> bool:
        """Tell whether a declaration is that of an element with an attribute `ref`."""
        kind = self._type_of(element, space)
        return kind is not None and self._has_ref(*kind)

    def times_of_intervals(self, main: Source, blocks: Blocks | None) -> Iterator[etree._Element]:
        """Give the declarations of the times that stand right inside interval readings."""
        if blocks is None:
            return
        for reading in main.schema.iter(_XS + "element"):
            kind = self._type_of(reading, main.namespace) if reading.get("name") == local(blocks.reading) else None
            if kind is not None:
                yield from (time for time in _own(kind[0], "element") if time.get("name") == local(blocks.time))

    def _sort(self, element: etree._Element, schema: etree._Element, space: str) -> None:
        tag = _tag(element, schema, space)
        if self.is_time(element, space):
            self.times.add(tag)
        elif self.is_reference(element, space):
            self.references.add(tag)
        else:
            self.others.add(tag)

    def _type_of(self, element: etree._Element, space: str) -> tuple[etree._Element, str] | None:
        inline = element.find(_XS + "complexType")
        return self._complex.get(_named(element, "type", space)) if inline is None else (inline, space)

    def _has_ref(self, kind: etree._Element, space: str, depth: int = 0) -> bool:
        if any(attribute.get("name") == "ref" for attribute in _own(kind, "attribute")):
            return True
        extension = next(kind.iter(_XS + "extension"), None)
        base = (
            None
            if extension is None or depth > len(self._complex)
            else self._complex.get(_named(extension, "base", space))
        )
        return base is not None and self._has_ref(*base, depth + 1)


def _tag(element: etree._Element, inside: etree._Element, space: str) -> str:
    """Give the tag that an element has in documents."""
    schema = inside.getroottree().getroot()
    is_global = element.getparent() is schema
    form = element.get("form") or schema.get("elementFormDefault", "unqualified")
    return f"{{{space}}}{element.get('name')}" if is_global or form == "qualified" else element.get("name", "")


def _named(element: etree._Element, attribute: str, space: str) -> str:
    """Give a type's name in an attribute as `{namespace}local`; without a prefix and default it is the schema's own."""
    prefix, _, name = element.get(attribute, "").strip().rpartition(":")
    return f"{{{element.nsmap.get(prefix or None, space)}}}{name}" if name else ""


def _base(kind: etree._Element | None, space: str) -> str:
    restriction = None if kind is None else kind.find(_XS + "restriction")
    return "" if restriction is None else _named(restriction, "base", space)


def _own(kind: etree._Element, name: str) -> Iterator[etree._Element]:
    """Give what a complex type declares itself, without what types inside it declare."""
    return (part for part in kind.iter(_XS + name) if next(part.iterancestors(_XS + "complexType"), None) is kind)
