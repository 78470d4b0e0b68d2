"""Finds and reads what comes with cimgate: schemas, routing tables, examples.

In a checkout these folders lie at its top; in an installed wheel they are package data under `gateway/data/`.
"""

import posixpath
import re
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.message.namespaces import XSD_NAMESPACE
from gateway.message.places import tag_of

_SCHEMA: Final = f"{{{XSD_NAMESPACE}}}schema"
_REFERENCES: Final = ("include", "import", "redefine")
_COMMENT: Final = re.compile(r"<!--(.*?)-->", re.DOTALL)
_CONFIDENCE: Final = re.compile(r"Confidence: (.*?)\.\s", re.DOTALL)


class ResourceError(Exception):
    """A folder or a file that is needed is missing, empty or unreadable; the text says which and what to do."""


def shipped(name: str) -> Path:
    """Give one of the folders that come with cimgate: `schemas`, `routes` or `examples`.

    Raises `ResourceError` where neither the package nor a checkout around it has the folder.
    """
    package = Path(str(files("gateway")))
    installed = package / "data" / name
    if installed.is_dir():
        return installed
    top = package.parent
    # Only a checkout has its pyproject.toml there: site-packages may hold a foreign folder named routes.
    if (top / "pyproject.toml").is_file() and (top / name).is_dir():
        return top / name
    raise ResourceError(f"The folder {name} that comes with cimgate is missing at {installed}: install cimgate again.")


def examples() -> Path:
    """Give the folder of the example messages. Raises `ResourceError` where it is missing."""
    return shipped("examples")


def schema_sources(*extra: Path) -> dict[str, bytes]:
    """Read the XSDs: ours, then each of `extra` with its subfolders; a later folder replaces a target namespace whole.

    Keys are paths relative to the schema's folder; those of an earlier folder get `shipped/` before them where a later
    one has a file of the same path. Raises `ResourceError` for a folder that is missing or has no *.xsd, and for a file
    that is no XML Schema.
    """
    sources = _read_schemas(shipped("schemas"))
    for folder in extra:
        theirs = _read_schemas(folder)
        replaced = {namespace for _, namespace in theirs.values() if namespace}
        kept = {name: entry for name, entry in sources.items() if entry[1] not in replaced}
        # All of them move, so that what they include stays beside them.
        while kept.keys() & theirs.keys():
            kept = {f"shipped/{name}": entry for name, entry in kept.items()}
        sources = kept | theirs
    return {name: raw for name, (raw, _) in sources.items()}


def is_from(folder: Path | None, name: str) -> bool:
    """Tell whether a key of `schema_sources(folder)` is a file of that folder, and not one that comes with cimgate."""
    return folder is not None and (folder / name).is_file()


def schema_file(file: Path) -> dict[str, bytes]:
    """Read one XSD with all that it includes or imports from files, by paths relative to its folder.

    What it names and is not there is left out. Raises `ResourceError` for what cannot be read or is no XML Schema.
    """
    sources: dict[str, bytes] = {}
    waiting = [file.name]
    while waiting:
        name = waiting.pop()
        path = file.parent / name
        if name in sources or (sources and not path.is_file()):
            continue
        try:
            sources[name] = path.read_bytes()
        except OSError as error:
            raise ResourceError(f"{path} cannot be read: {error.strerror}.") from error
        target_namespace(sources[name], str(path))
        waiting += [posixpath.normpath(posixpath.join(posixpath.dirname(name), s)) for s in _named_by(sources[name])]
    return sources


def stated_basis(raw: bytes) -> str:
    """Give what an XSD says in its head comment that it rests on (`Confidence: ...`), empty where it does not say."""
    comment = _COMMENT.search(raw.decode("utf-8", "replace"))
    confidence = _CONFIDENCE.search(comment.group(1)) if comment is not None else None
    return "" if confidence is None else " ".join(confidence.group(1).split())


def target_namespace(raw: bytes, name: str) -> str:
    """Give the targetNamespace of an XSD from its first element alone; empty where it has none.

    Raises `ResourceError`, naming the file, for what is no XML Schema.
    """
    try:
        events = etree.iterparse(
            BytesIO(raw), events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        _, root = next(iter(events))
    except (etree.XMLSyntaxError, StopIteration) as error:
        raise ResourceError(
            f"{name} is not well-formed XML: {getattr(error, 'msg', None) or 'it is empty'}."
        ) from error
    if tag_of(root) != _SCHEMA:
        raise ResourceError(f"{name} is no XML Schema: its root element is {tag_of(root)}.")
    return root.get("targetNamespace", "")


def route_sources(folder: Path | None = None) -> dict[str, str]:
    """Read the routing tables (*.toml) of a folder, or those that come with cimgate; by file name, sorted.

    Raises `ResourceError` for a folder that is missing or has no *.toml, and for a file that is not UTF-8.
    """
    where = shipped("routes") if folder is None else folder
    sources = {}
    for file in _files(where, "*.toml", "routing tables"):
        try:
            sources[file.name] = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise ResourceError(f"{file} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
        except OSError as error:
            raise ResourceError(f"{file} cannot be read: {error.strerror}.") from error
    return sources


def _named_by(raw: bytes) -> list[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    references = etree.fromstring(raw, parser).iterchildren(*(f"{{{XSD_NAMESPACE}}}{n}" for n in _REFERENCES))
    places = (reference.get("schemaLocation", "") for reference in references)
    return [place for place in places if place and "://" not in place and not place.startswith("/")]


def _read_schemas(folder: Path) -> dict[str, tuple[bytes, str]]:
    entries = {}
    for file in _files(folder, "**/*.xsd", "XSDs"):
        try:
            raw = file.read_bytes()
        except OSError as error:
            raise ResourceError(f"{file} cannot be read: {error.strerror}.") from error
        entries[file.relative_to(folder).as_posix()] = (raw, target_namespace(raw, str(file)))
    return entries


def _files(folder: Path, pattern: str, what: str) -> list[Path]:
    if not folder.is_dir():
        state = "is no folder" if folder.exists() else "does not exist"
        raise ResourceError(f"The folder of {what}, {folder}, {state}.")
    found = sorted(file for file in folder.glob(pattern) if file.is_file())
    if not found:
        raise ResourceError(f"The folder of {what}, {folder}, has no file {pattern.removeprefix('**/')}.")
    return found
