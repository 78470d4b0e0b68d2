"""Conversations as JSON documents, and back. Fields that have their default value are left out."""

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Final, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from gateway.conversations.values import Conversation

VERSION: Final = 1
"""The version of the documents that are written; those of another version are refused."""


class BadDocument(ValueError):  # noqa: N818 - says what the text is
    """The text is no conversation of this version."""


class _Codec(NamedTuple):
    encode: Callable[[object], object]
    decode: Callable[[object], object]


def to_json(conversation: Conversation) -> str:
    """Write a conversation as the one document that the store keeps."""
    return json.dumps({"version": VERSION, **cast("dict[str, object]", _codec(Conversation).encode(conversation))})


def from_json(text: str) -> Conversation:
    """Read a conversation back. Raises `BadDocument` where the text is none, or of another version."""
    try:
        document = json.loads(text)
        version = document.pop("version", None)
        if version != VERSION:
            raise BadDocument(f"A conversation of version {version}; this gateway reads version {VERSION}.")
        return cast("Conversation", _codec(Conversation).decode(document))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise error if isinstance(error, BadDocument) else BadDocument(f"No conversation: {error}.") from error


@cache
def _codec(kind: object) -> _Codec:
    if get_origin(kind) in (Union, UnionType):
        return _choice(get_args(kind))
    if get_origin(kind) is tuple:
        return _sequence(get_args(kind))
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _Codec(lambda value: cast("Enum", value).value, kind)
    return _Codec(lambda value: value, lambda value: value)


def _choice(kinds: tuple[object, ...]) -> _Codec:
    """Write None as null; tell several dataclasses apart by name, under the key `is`."""
    present = tuple(kind for kind in kinds if kind is not type(None))
    if len(present) == 1:
        inner = _codec(present[0])
        return _Codec(
            lambda value: None if value is None else inner.encode(value),
            lambda value: None if value is None else inner.decode(value),
        )
    named = {cast("type", kind).__name__: _codec(kind) for kind in present}

    def encode(value: object) -> object:
        name = type(value).__name__
        return {"is": name, **cast("dict[str, object]", named[name].encode(value))}

    def decode(value: object) -> object:
        record = dict(cast("dict[str, object]", value))
        return named[str(record.pop("is"))].decode(record)

    return _Codec(encode, decode)


def _sequence(kinds: tuple[object, ...]) -> _Codec:
    if len(kinds) == 2 and kinds[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...] has two arguments
        each = _codec(kinds[0])
        return _Codec(
            lambda value: [each.encode(item) for item in cast("tuple[object, ...]", value)],
            lambda value: tuple(each.decode(item) for item in cast("list[object]", value)),
        )
    codecs = tuple(_codec(kind) for kind in kinds)
    return _Codec(
        lambda value: [c.encode(v) for c, v in zip(codecs, cast("tuple[object, ...]", value), strict=True)],
        lambda value: tuple(c.decode(v) for c, v in zip(codecs, cast("list[object]", value), strict=True)),
    )


def _record(kind: type) -> _Codec:
    hints = get_type_hints(kind)
    parts = [
        (field.name, field.default is not MISSING, field.default, _codec(hints[field.name])) for field in fields(kind)
    ]
    decoders = {name: codec.decode for name, _, _, codec in parts}

    def encode(value: object) -> object:
        record: dict[str, object] = {}
        for name, optional, default, codec in parts:
            given = getattr(value, name)
            if not optional or given != default:
                record[name] = codec.encode(given)
        return record

    def decode(value: object) -> object:
        return kind(**{name: decoders[name](given) for name, given in cast("dict[str, object]", value).items()})

    return _Codec(encode, decode)
