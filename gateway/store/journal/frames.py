"""Messages as bytes: what is known of one, and the message itself, in one zstd frame with a dictionary of our own.

What is known repeats what stands in the message (ids, devices), so both together take hardly more than the message. The
dictionary is trained on our own examples (benchmarks/journal_dictionary.py) and never changes: a frame names the one
it was made with. It is not trained on a site's traffic: it would keep parts of messages that were purged.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import zstandard

from gateway.store.journal.values import Handover, Passage
from gateway.store.journal.words import STAMPED, Stamp

_LEVEL: Final = 3
_LARGE: Final = 65_536
"""A body from this size on has a frame of its own, so that a search need not unpack it."""
DICTIONARY: Final = Path(__file__).parent / "dictionary-40001.zdict"
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Frames:
    """Packs and unpacks; for one thread at a time."""

    def __init__(self) -> None:
        self._small = zstandard.ZstdCompressor(level=_LEVEL, dict_data=_dictionary(), write_checksum=False)
        self._large = zstandard.ZstdCompressor(level=_LEVEL)
        self._unpacker = zstandard.ZstdDecompressor(dict_data=_dictionary())
        self._plain = zstandard.ZstdDecompressor()

    def pack(self, passages: Sequence[Passage]) -> list[tuple[bytes, bytes | None]]:
        """Give for each message its frame, and that of its body where it is large."""
        if not passages:
            return []
        # One call for all: it lets other threads run once, and not once for each message.
        frames = self._small.multi_compress_to_buffer([content_of(passage) for passage in passages])
        return [
            (frame.tobytes(), None if (large := _large_body(passage)) is None else self._large.compress(large))
            for frame, passage in zip(iter(frames), passages, strict=True)
        ]

    def unpack(self, id_: int, stamp: Stamp, frame: bytes, *, body: bool) -> Passage:
        """Give a message; with its body where that is wanted, unless it is large."""
        facts, separator, rest = self._unpacker.decompress(frame).partition(b"\n")
        return _passage(id_, stamp, json.loads(facts), rest if body and separator else None)

    def unpack_large(self, frame: bytes) -> bytes:
        """Give a large body."""
        return self._plain.decompress(frame)


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    dictionary = zstandard.ZstdCompressionDict(DICTIONARY.read_bytes())
    dictionary.precompute_compress(level=_LEVEL)
    return dictionary


def content_of(passage: Passage) -> bytes:
    """Give what goes into the frame: the facts as one line of JSON in ASCII, then the body."""
    facts = _encode(
        (
            passage.message_id, passage.correlation_id, passage.conversation, passage.routing_key, passage.size,
            passage.redelivered, None if passage.seconds is None else round(passage.seconds, 6), passage.events,
            passage.devices, passage.reason, [*map(_delivery, passage.deliveries)],
        )
    ).encode()  # fmt: skip
    body = passage.body
    return facts if body is None or len(body) >= _LARGE else b"%b\n%b" % (facts, body)


def _delivery(one: Handover) -> tuple[str, str, str, int, float | None]:
    return one.place, one.system, one.route, one.attempts, None if one.seconds is None else round(one.seconds, 6)


def _large_body(passage: Passage) -> bytes | None:
    return None if passage.body is None or len(passage.body) < _LARGE else passage.body


def _passage(id_: int, stamp: Stamp, facts: list[Any], body: bytes | None) -> Passage:
    message_id, correlation_id, conversation, routing_key, size, redelivered, seconds, events, devices, *rest = facts
    reason, deliveries = rest
    stamped: dict[str, Any] = dict(zip(STAMPED, stamp, strict=True))
    return Passage(
        id=id_, message_id=message_id, correlation_id=correlation_id, conversation=conversation,
        routing_key=routing_key, size=size, redelivered=redelivered, seconds=seconds, events=tuple(events),
        devices=tuple(devices), reason=reason, deliveries=tuple(Handover(*one) for one in deliveries), body=body,
        **stamped,
    )  # fmt: skip
