"""One message as it passed: a line of JSON that tells about it, then its bytes exactly as they were."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, cast

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

_SIZE: Final = "size"
_MORE: Final = "more"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


class BadRecord(ValueError):  # noqa: N818 - says what it is
    """A record cannot be read, or not be written; the text says why, without a full stop."""


class Direction(StrEnum):
    """Which way a message went, seen from the gateway."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Record:
    """One message that passed. Only `at` and `direction` are always known.

    `at` is when, in UTC, to the microsecond. `source` is the header's; `system` the one it came from or went to, by its
    name in the routes. `verdict` says in a word or a code what became of it. `masked` tells that personal data was
    taken out of the body, `body` None that none was kept. `more` holds fields that this version does not know: they
    are written again as they were.
    """

    at: datetime
    direction: Direction
    body: bytes | None = None
    exchange: str = ""
    routing_key: str = ""
    type: str = ""
    app_id: str = ""
    content_type: str = ""
    reply_to: str = ""
    correlation_id: str = ""
    headers: Mapping[str, Json] = field(default_factory=dict)
    source: str = ""
    system: str = ""
    noun: str = ""
    verb: str = ""
    message_id: str = ""
    verdict: str = ""
    masked: bool = False
    more: Mapping[str, Json] = field(default_factory=dict)


_TEXTS: Final = tuple(f.name for f in fields(Record) if f.type is str)
_KNOWN: Final = frozenset({*(f.name for f in fields(Record)), _SIZE} - {_MORE, "body"})


def encode(record: Record) -> bytes:
    """Write a record. Raises `BadRecord` where it cannot be written: a time without an offset, a name that is taken."""
    if record.at.tzinfo is None:
        raise BadRecord("its time says no offset from UTC")
    document: dict[str, object] = {"at": _written(record.at), "direction": record.direction.value}
    document |= {name: value for name in _TEXTS if (value := getattr(record, name))}
    if record.headers:
        document["headers"] = dict(record.headers)
    if record.masked:
        document["masked"] = True
    if taken := sorted(_KNOWN & record.more.keys()):
        raise BadRecord(f"'{taken[0]}' is a field of its own and cannot stand in `more`")
    document |= record.more
    if record.body is not None:
        document[_SIZE] = len(record.body)
    try:
        line = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:  # what JSON has no word for, and halves of surrogate pairs
        raise BadRecord(f"JSON cannot carry what it says ({error})") from error
    return b"".join((line, b"\n", record.body or b"", b"\n"))


def decode(block: bytes, start: int, longest_line: int) -> tuple[Record, int]:
    """Read the record that starts at a place of a block; give it with the place behind it. Raises `BadRecord`."""
    end = block.find(b"\n", start, start + longest_line)
    if end < 0:
        raise BadRecord(f"its line of JSON does not end within {longest_line:,} bytes")
    try:
        document = json.loads(block[start:end])
    except (ValueError, RecursionError) as error:
        raise BadRecord(f"its line is no JSON ({error})") from error
    if not isinstance(document, dict):
        raise BadRecord("its line is no JSON object")
    size = document.pop(_SIZE, None)
    body_end = end + 1 + (0 if size is None else _length(size))
    if block[body_end : body_end + 1] != b"\n":
        raise BadRecord(f"no line feed follows its body of {size} bytes")
    body = None if size is None else block[end + 1 : body_end]
    return _record(cast("dict[str, Json]", document), body), body_end + 1


def _written(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _length(size: object) -> int:
    if type(size) is not int or size < 0:
        raise BadRecord(f"its size is {json.dumps(size)[:30]}, not a number of bytes")
    return size


def _record(document: dict[str, Json], body: bytes | None) -> Record:
    at, direction = document.pop("at", None), document.pop("direction", None)
    if not isinstance(at, str) or not _TIME.fullmatch(at):
        raise BadRecord("`at` is no time such as 2026-03-17T09:42:19.377123Z")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise BadRecord(f"`at` is no time ({error})") from error
    if direction not in list(Direction):
        raise BadRecord("`direction` is neither 'in' nor 'out'")
    texts: dict[str, str] = {}
    for name in _TEXTS:
        text = document.pop(name, "")
        if not isinstance(text, str):
            raise BadRecord(f"`{name}` is no text")
        texts[name] = text
    headers, masked = document.pop("headers", {}), document.pop("masked", False)
    if not isinstance(headers, dict):
        raise BadRecord("`headers` is no object")
    if not isinstance(masked, bool):
        raise BadRecord("`masked` is neither true nor false")
    return Record(moment, Direction(direction), body, **texts, headers=headers, masked=masked, more=document)
