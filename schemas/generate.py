"""Writes the XSD of each noun and Get profile from schemas/source/*.yaml: `python -m schemas.generate`.

What a line of the sources means stands at the head of source/shared.yaml. The two envelopes are written by hand.
"""

# ruff: noqa: INP001 - a folder of schemas, no package

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).parent
NAMESPACE: Final = "http://iec.ch/TC57/2011/{noun}#"
_WIDTH: Final = 118
_BUILTIN: Final = frozenset({"boolean", "date", "dateTime", "decimal", "float", "integer", "string", "time"})
_IDENTITY: Final = {"mRID": "string 0..1", "Names": "Name 0..*"}
_OCCURS: Final = re.compile(r"(.+) (\d+)(?:\.\.(\d+|\*))?")
_CLOSED: Final = """\
cimgate's own writing: names, order and occurrence are facts, the text is not the standard's. Where you hold the
official schema, name its folder in the settings: it then replaces this file."""
_PROPOSED: Final = """\
cimgate's own writing: the names of classes and attributes are facts, what stands in this profile and how often is our
choice. Where you hold the official schema, name its folder in the settings: it then replaces this file."""

Type = dict[str, Any] | list[str] | str
"""A complex type (name and occurrence of its elements), an enumeration, or the built-in type that it restricts."""


class SourceError(ValueError):
    """A source that cannot be written as a schema; the text names the profile and what is wrong."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One noun or Get profile, and the types it knows: its own over those that all share."""

    noun: str
    basis: str
    root: dict[str, Any]
    version: str = "1.0"
    left_out: tuple[str, ...] = ()
    notes: str = ""
    own: dict[str, Type] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sources:
    """All of schemas/source: what each basis is called, the shared types, the profiles."""

    bases: dict[str, str]
    shared: dict[str, Type]
    profiles: dict[str, Profile]


def load(folder: Path = FOLDER / "source") -> Sources:
    """Read the sources. Raises `SourceError`."""
    documents = {path.name: yaml.load(path.read_text("utf-8"), _Loader) for path in sorted(folder.glob("*.yaml"))}  # noqa: S506 - a safe loader
    common = documents.pop("shared.yaml")
    written = {noun: entry for document in documents.values() for noun, entry in document.items()}
    shared = {name: _IDENTITY if kind == "identity" else kind for name, kind in common["types"].items()}
    own = {
        noun: {name: _resolved(noun, name, kind, written, shared) for name, kind in entry.get("types", {}).items()}
        for noun, entry in written.items()
    }
    profiles = {
        noun: Profile(
            noun,
            entry["basis"],
            entry["root"],
            str(entry.get("version", "1.0")),
            tuple(entry.get("left_out", ())),
            entry.get("notes", ""),
            own[noun],
        )
        for noun, entry in written.items()
    }
    return Sources(common["bases"], shared, profiles)


def texts(sources: Sources) -> dict[str, str]:
    """Give the text of every XSD by its file's name. Raises `SourceError`."""
    return {f"{noun}.xsd": _Writer(profile, sources).text(sources.bases) for noun, profile in sources.profiles.items()}


def main() -> None:
    """Write all XSDs, and remove none: a profile that is gone is deleted by hand."""
    for name, text in texts(load()).items():
        (FOLDER / name).write_text(text, encoding="utf-8")


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice: YAML itself would silently drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's
        names = [key.value for key, _ in node.value]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise SourceError(f"{', '.join(sorted(twice))} stands twice{node.start_mark}")
        return super().construct_mapping(node, deep)


def _resolved(noun: str, name: str, kind: Type, written: Mapping[str, Any], shared: Mapping[str, Type]) -> Type:
    """Write out `identity` and `like`: the type of that name in another profile, with more or other elements."""
    if kind == "identity":
        return _IDENTITY
    if not isinstance(kind, dict) or "like" not in kind:
        return kind
    model = written[kind["like"]].get("types", {}).get(name)
    if isinstance(model, str | None):
        raise SourceError(f"{noun}: {kind['like']} has no own type {name}")
    if isinstance(model, list):
        return model
    elements = dict(model)
    others = written[noun].get("types", {}).items()
    like = {n: written[k["like"]]["types"][n] if isinstance(k, dict) and "like" in k else k for n, k in others}
    scope = {**shared, **like}
    for element, occurrence in kind.items():
        if element != "like":
            elements = _with(elements, element, occurrence, scope)
    return elements


def _with(elements: dict[str, Any], name: str, kind: str, scope: Mapping[str, Type]) -> dict[str, Any]:
    """Put an element among others in the place that the ordering rule gives it, or in place of one of its name."""
    names = {key: key.split(" ", 1)[0] for key in elements}
    if name in names.values():
        return dict((name, kind) if names[key] == name else (key, of) for key, of in elements.items())
    place = _rank(name, kind, scope)
    keys = list(elements)
    later = (n for n, (key, of) in enumerate(elements.items()) if isinstance(of, str) and _rank(key, of, scope) > place)
    keys.insert(next(later, len(keys)), name)
    return {key: elements.get(key, kind) for key in keys}


def _rank(name: str, kind: str, scope: Mapping[str, Type]) -> tuple[int, str]:
    """Give an element's place: mRID, then simple values, then the rest, each by the alphabet."""
    of = kind.split(" ", 1)[0]
    simple = of in _BUILTIN or (not isinstance(scope.get(of, {}), dict) and scope[of] != "identity")
    return (0 if name == "mRID" else 1 if simple else 2, name.lower())


class _Writer:
    """Writes one profile."""

    def __init__(self, profile: Profile, sources: Sources) -> None:
        self._profile = profile
        self._shared = sources.shared
        self._scope = {**sources.shared, **profile.own}
        self._used: set[str] = set()

    def text(self, bases: Mapping[str, str]) -> str:
        noun = self._profile.noun
        namespace = NAMESPACE.format(noun=noun)
        body = list(self._complex(noun, self._profile.root, "  "))
        types: dict[str, list[str]] = {}
        for name in self._profile.own:
            self._used.add(name)
        while waiting := sorted(self._used - types.keys() - {"ref"}):
            for name in waiting:
                types[name] = list(self._named(name))
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            *self._head(bases),
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:p="{namespace}"',
            f'           targetNamespace="{namespace}" elementFormDefault="qualified"',
            f'           version="{self._profile.version}">',
            f'  <xs:element name="{noun}" type="p:{noun}"/>',
            *body,
        ]
        for name in sorted(types, key=lambda name: (isinstance(self._scope[name], str), name)):
            lines += types[name]
        if "ref" in self._used:
            lines += ['  <xs:complexType name="Reference">', '    <xs:attribute name="ref" type="xs:string"/>']
            lines += ["  </xs:complexType>"]
        return "\n".join([*lines, "</xs:schema>", ""])

    def _head(self, bases: Mapping[str, str]) -> Iterator[str]:
        profile = self._profile
        asked = profile.noun.removeprefix("Get")
        what = "a payload of IEC 61968-9."
        if asked != profile.noun:
            what = f"the parameters of a get of {asked}, carried in Request (IEC 61968-9, Annex J)."
        yield "<!--"
        paragraphs = [f"{profile.noun}: {what}", f"Confidence: {bases[profile.basis]}.", profile.notes]
        if profile.left_out:
            names = ", ".join(profile.left_out)
            paragraphs.append(f"Associations that the model has for it and that are not included here: {names}.")
        for paragraph in paragraphs:
            yield from wrap(paragraph, _WIDTH, initial_indent="  ", subsequent_indent="  ")
        closing = _CLOSED if profile.basis in ("published", "annex-j", "draft", "classes") else _PROPOSED
        yield from (f"  {line}" for line in closing.splitlines())
        yield "-->"

    def _named(self, name: str) -> Iterator[str]:
        kind = self._scope[name]
        if isinstance(kind, dict):
            yield from self._complex(name, kind, "  ")
        else:
            yield f'  <xs:simpleType name="{name}">'
            yield from self._restriction(kind, "    ")
            yield "  </xs:simpleType>"

    def _complex(self, name: str, elements: Mapping[str, Any], indent: str) -> Iterator[str]:
        opening = f'{indent}<xs:complexType name="{name}"' if name else f"{indent}<xs:complexType"
        if not elements:
            yield f"{opening}/>"
            return
        yield f"{opening}>"
        yield f"{indent}  <xs:sequence>"
        yield from self._elements(elements, indent + "    ")
        yield f"{indent}  </xs:sequence>"
        yield f"{indent}</xs:complexType>"

    def _elements(self, elements: Mapping[str, Any], indent: str) -> Iterator[str]:
        for key, value in elements.items():
            if not isinstance(value, str):
                name, occurs = self._split(key)
                yield from self._in_place(name, occurs, value, indent)
                continue
            of, occurs = self._split(value)
            if of.startswith("inline "):
                yield from self._in_place(key, occurs, self._lookup(of.removeprefix("inline ")), indent, deep=True)
            else:
                yield f'{indent}<xs:element name="{key}" type="{self._type(of)}"{occurs}/>'

    def _in_place(self, name: str, occurs: str, kind: Type, indent: str, *, deep: bool = False) -> Iterator[str]:
        """Write a choice, or an element whose type has no name; `deep` leaves those within without a name too."""
        if name == "choice" and isinstance(kind, dict):
            yield f"{indent}<xs:choice{occurs}>"
            yield from self._elements(kind, indent + "  ")
            yield f"{indent}</xs:choice>"
            return
        yield f'{indent}<xs:element name="{name}"{occurs}>'
        if isinstance(kind, dict):
            if deep:
                kind = {key: self._deep(value) for key, value in kind.items()}
            yield from self._complex("", kind, indent + "  ")
        else:
            yield f"{indent}  <xs:simpleType>"
            yield from self._restriction(kind, indent + "    ")
            yield f"{indent}  </xs:simpleType>"
        yield f"{indent}</xs:element>"

    def _deep(self, value: str) -> str:
        of = value.split(" ", 1)[0]
        return f"inline {value}" if isinstance(self._scope.get(of), dict | list) else value

    def _lookup(self, name: str) -> Type:
        # The draft writes shared types in place where it has another one of its own under the same name.
        kind = self._shared.get(name, self._scope.get(name))
        if kind is None:
            raise SourceError(f"{self._profile.noun}: there is no type {name}")
        return kind

    def _type(self, of: str) -> str:
        if of in _BUILTIN:
            return f"xs:{of}"
        if of != "ref" and of not in self._scope:
            raise SourceError(f"{self._profile.noun}: there is no type {of}")
        self._used.add(of)
        return "p:Reference" if of == "ref" else f"p:{of}"

    def _split(self, text: str) -> tuple[str, str]:
        match = _OCCURS.fullmatch(text)
        if match is None:
            raise SourceError(f"{self._profile.noun}: '{text}' does not end in how often it may stand")
        low, high = match[2], match[3] or match[2]
        least = "" if low == "1" else f' minOccurs="{low}"'
        most = "" if high == "1" else f' maxOccurs="{"unbounded" if high == "*" else high}"'
        return match[1], least + most

    def _restriction(self, kind: list[str] | str, indent: str) -> Iterator[str]:
        if isinstance(kind, str):
            yield f'{indent}<xs:restriction base="xs:{kind}"/>'
            return
        yield f'{indent}<xs:restriction base="xs:string">'
        yield from (f'{indent}  <xs:enumeration value="{value}"/>' for value in kind)
        yield f"{indent}</xs:restriction>"


if __name__ == "__main__":
    main()
