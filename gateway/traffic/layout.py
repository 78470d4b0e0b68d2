"""The bytes of a `.cimlog` file: its head and the headers of its frames (see docs/cimlog.md).

The file is a valid stream of zstd frames. What the format adds stands in skippable frames, which any zstd program
passes over: `zstd -dc day.cimlog` shows the records as text.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Final

MAJOR: Final = 1
MINOR: Final = 0
HEAD_MAGIC: Final = b"\x50\x2a\x4d\x18"
FRAME_MAGIC: Final = b"\x51\x2a\x4d\x18"
NAME: Final = b"CIMLOG"
FRAME_START: Final = struct.Struct("<4sI")
_FRAME: Final = struct.Struct("<IIIqqI")
_CRC: Final = struct.Struct("<I")
FRAME_HEADER: Final = FRAME_START.size + _FRAME.size + _CRC.size
MOST_HEADER: Final = 64 * 1024
"""Bytes of a head or of a skippable frame, at most."""
SMALL_FRAME: Final = 1024 * 1024
"""Unpacked bytes that a frame may always have, at any ratio; a frame with more holds a single record."""


class NotTraffic(ValueError):  # noqa: N818 - says what the file is
    """The file is no `.cimlog`, or one of a version that cannot be read here."""


class Damaged(ValueError):  # noqa: N818 - says what the file is
    """Something in the file is not as it was written. `offset` is the byte where the damaged frame begins."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(f"The frame at byte {offset:,} is damaged: {why}. What stands before it can be read.")
        self.offset = offset


class OverLimits(ValueError):  # noqa: N818 - says what the record is
    """A record, or a frame of a stranger's file, is larger than the limits allow."""


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """What is read and written at most, so that a hostile file cannot eat the memory.

    Bytes of one record (its line and its body), bytes of its line, and how much more a frame above 1 MiB may hold than
    it takes in the file.
    """

    record_bytes: int = 64 * 1024 * 1024
    line_bytes: int = 1024 * 1024
    ratio: int = 1_000

    @property
    def frame_bytes(self) -> int:
        """How many bytes a frame may hold, unpacked."""
        return max(SMALL_FRAME, self.record_bytes)

    def allow(self, packed: int, unpacked: int) -> bool:
        """Tell whether a frame is within the limits."""
        return unpacked <= self.frame_bytes and (unpacked <= SMALL_FRAME or unpacked <= packed * self.ratio)


DEFAULT_LIMITS: Final = TrafficLimits()


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What stands before packed records: sizes in bytes, how many records, their times in microseconds, a CRC-32."""

    packed: int
    unpacked: int
    records: int
    earliest: int
    latest: int
    crc: int

    def encode(self) -> bytes:
        """Write the header as a skippable frame."""
        start = FRAME_START.pack(FRAME_MAGIC, _FRAME.size + _CRC.size)
        header = start + _FRAME.pack(self.packed, self.unpacked, self.records, self.earliest, self.latest, self.crc)
        return header + checksum(header)


def head(about: dict[str, str]) -> bytes:
    """Write the head of a file, with what it says about itself. Raises `OverLimits` where that is too much."""
    content = NAME + bytes((MAJOR, MINOR)) + json.dumps(about, ensure_ascii=False).encode()
    if len(content) + _CRC.size > MOST_HEADER:
        raise OverLimits(f"What the head says has {len(content):,} bytes; at most {MOST_HEADER:,} are written.")
    begun = FRAME_START.pack(HEAD_MAGIC, len(content) + _CRC.size) + content
    return begun + checksum(begun)


def checksum(content: bytes) -> bytes:
    """Give the CRC-32 of some bytes as it is written."""
    return _CRC.pack(zlib.crc32(content))


def read_head(start: bytes, rest: bytes) -> dict[str, object]:
    """Read what a head says about the file. Raises `NotTraffic`."""
    whole = start + rest
    if len(rest) < len(NAME) + 2 + _CRC.size or not rest.startswith(NAME):
        raise NotTraffic("This is no .cimlog file: it does not begin as one.")
    if whole[-_CRC.size :] != checksum(whole[: -_CRC.size]):
        raise NotTraffic("The head of this .cimlog file is damaged; nothing of it is read.")
    major, minor = rest[len(NAME)], rest[len(NAME) + 1]
    if major != MAJOR:
        raise NotTraffic(f"This .cimlog file is of version {major}.{minor}; version {MAJOR} is read here.")
    try:
        about = json.loads(rest[len(NAME) + 2 : -_CRC.size])
    except (ValueError, RecursionError) as error:
        raise NotTraffic(f"The head of this .cimlog file holds no JSON ({error}).") from error
    if not isinstance(about, dict):
        raise NotTraffic("The head of this .cimlog file holds no JSON object.")
    return about


def read_frame_header(offset: int, start: bytes, rest: bytes) -> FrameHeader:
    """Read the header of a frame; later versions may add to it. Raises `Damaged`."""
    whole = start + rest
    if len(rest) < _FRAME.size + _CRC.size:
        raise Damaged(offset, f"its header has only {len(rest)} bytes")
    if whole[-_CRC.size :] != checksum(whole[: -_CRC.size]):
        raise Damaged(offset, "the checksum of its header does not agree")
    return FrameHeader(*_FRAME.unpack_from(rest))
