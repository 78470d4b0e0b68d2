"""Entries to rows and back; bodies are stored compressed."""

import asyncio
import zlib
from collections.abc import Sequence
from typing import Any

from gateway.store.values import Entry

_QUICK_BYTES = 65_536
"""More than this is compressed beside the event loop."""


async def rows_of(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Give the rows to store."""
    if sum(len(entry.body) for entry in entries if entry.body is not None) > _QUICK_BYTES:
        return await asyncio.to_thread(_rows, entries)
    return _rows(entries)


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Give the entry that a row holds; the inverse of `rows_of`."""
    (
        _,
        key,
        conversation_id,
        at,
        direction,
        system,
        verb,
        noun,
        message_id,
        correlation_id,
        result,
        codes,
        note,
        body,
    ) = row
    raw = None if body is None else body_of(body)
    said = tuple(codes.split())
    return Entry(
        conversation_id, at, direction, system, verb, noun, message_id, correlation_id, result, said, note, raw, key
    )


def body_of(stored: bytes) -> bytes:
    """Give a body as it was."""
    return zlib.decompress(stored)


def _rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [
        {
            "key": entry.key,
            "conversation_id": entry.conversation_id,
            "at": entry.at,
            "direction": entry.direction,
            "system": entry.system,
            "verb": entry.verb,
            "noun": entry.noun,
            "message_id": entry.message_id,
            "correlation_id": entry.correlation_id,
            "result": entry.result,
            "codes": " ".join(entry.codes),
            "note": entry.note,
            "body": None if entry.body is None else zlib.compress(entry.body, 1),
        }
        for entry in entries
    ]
