"""Reads a `.cimlog` file from its beginning to its last whole frame, in the memory of one frame."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final

import zstandard

from gateway.message.instants import microseconds
from gateway.traffic.layout import (
    DEFAULT_LIMITS,
    FRAME_HEADER,
    FRAME_MAGIC,
    FRAME_START,
    HEAD_MAGIC,
    MOST_HEADER,
    Damaged,
    FrameHeader,
    NotTraffic,
    OverLimits,
    TrafficLimits,
    read_frame_header,
    read_head,
)
from gateway.traffic.record import BadRecord, Record, decode

_SKIPPABLE: Final = b"\x2a\x4d\x18"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds. `end` is the byte behind its last whole frame, `cut` tells that something follows it."""

    about: dict[str, object]
    records: int
    end: int
    cut: bool
    earliest: int | None = None
    latest: int | None = None


class Reader:
    """Reads a file, from where it stands, which is its beginning; a pipe will do. `about` is what the head says.

    After the last record, `cut` tells whether the file ends within a frame, as it does after a crash of its writer
    or while it is being written, and `end` is the byte behind the last whole frame.

    Raises `NotTraffic` at once, `Damaged` and `OverLimits` at the frame that is at fault: what came before it is good.
    Files that were put together (`cat a.cimlog b.cimlog`) are read as one; `about` is the first one's.
    """

    def __init__(self, file: BinaryIO, limits: TrafficLimits = DEFAULT_LIMITS) -> None:
        self._file = file
        self._limits = limits
        # The window is what a hostile frame would have us reserve.
        self._unpacker = zstandard.ZstdDecompressor(max_window_size=max(limits.frame_bytes, 8 * _CHUNK))
        start = self._bytes(FRAME_START.size)
        magic, size = FRAME_START.unpack(start) if len(start) == FRAME_START.size else (b"", 0)
        if magic != HEAD_MAGIC or size > MOST_HEADER:
            raise NotTraffic("This is no .cimlog file: it does not begin as one.")
        rest = self._bytes(size)
        if len(rest) < size:
            raise NotTraffic("This .cimlog file ends within its head.")
        self.about = read_head(start, rest)
        self.end = len(start) + len(rest)
        self.cut = False

    def records(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Record]:
        """Give the records in the order of the file, those from `since` on and before `until`.

        Frames whose records all lie outside are not unpacked.
        """
        first = None if since is None else microseconds(since)
        last = None if until is None else microseconds(until)
        for offset, header, packed in self._frames():
            if (first is not None and header.latest < first) or (last is not None and header.earliest >= last):
                continue
            for record in self._unpacked(offset, header, packed):
                if (since is None or record.at >= since) and (until is None or record.at < until):
                    yield record

    def survey(self) -> Survey:
        """Read to the end without unpacking anything, and tell what is there."""
        count = 0
        earliest: int | None = None
        latest: int | None = None
        for _, header, _ in self._frames():
            count += header.records
            earliest = header.earliest if earliest is None else min(earliest, header.earliest)
            latest = header.latest if latest is None else max(latest, header.latest)
        return Survey(self.about, count, self.end, self.cut, earliest, latest)

    def _frames(self) -> Iterator[tuple[int, FrameHeader, bytes]]:
        while True:
            offset = self.end
            start = self._bytes(FRAME_START.size)
            if len(start) < FRAME_START.size:
                self.cut = bool(start)
                return
            magic, size = FRAME_START.unpack(start)
            if magic[1:] != _SKIPPABLE or not 0x50 <= magic[0] <= 0x5F:  # noqa: PLR2004 - zstd's skippable frames
                raise Damaged(offset, "it does not begin as one")
            if size > MOST_HEADER:
                raise Damaged(offset, f"its header would have {size:,} bytes")
            rest = self._bytes(size)
            if len(rest) < size:
                self.cut = True
                return
            if magic != FRAME_MAGIC:  # of a later version
                self.end += len(start) + size
                continue
            header = read_frame_header(offset, start, rest)
            if not self._limits.allow(header.packed, header.unpacked) or header.packed > self._most_packed:
                raise OverLimits(
                    f"The frame at byte {offset:,} would unpack {header.packed:,} bytes to {header.unpacked:,}; at "
                    f"most {self._limits.frame_bytes:,} are read, and {self._limits.ratio:,} times its size."
                )
            packed = self._bytes(header.packed)
            if len(packed) < header.packed:
                self.cut = True
                return
            if zlib.crc32(packed) != header.crc:
                raise Damaged(offset, "the checksum of its records does not agree")
            self.end += len(start) + size + len(packed)
            yield offset, header, packed

    @property
    def _most_packed(self) -> int:
        """What no more than the allowed bytes can come to, packed as badly as may be."""
        return self._limits.frame_bytes + self._limits.frame_bytes // 128 + FRAME_HEADER + _CHUNK

    def _unpacked(self, offset: int, header: FrameHeader, packed: bytes) -> Iterator[Record]:
        try:
            # A size in the zstd frame itself decides what is reserved for it, so it is asked first.
            if zstandard.frame_content_size(packed) not in (-1, header.unpacked):
                raise Damaged(offset, "its two sizes do not agree")
            block = self._unpacker.decompress(packed, max_output_size=header.unpacked, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise Damaged(offset, f"it cannot be unpacked ({error})") from error
        if len(block) != header.unpacked:
            raise Damaged(offset, f"it holds {len(block):,} bytes, not {header.unpacked:,}")
        place = count = 0
        while place < len(block):
            try:
                record, place = decode(block, place, self._limits.line_bytes)
            except BadRecord as error:
                raise Damaged(offset, f"record {count + 1} cannot be read: {error}") from error
            count += 1
            yield record
        if count != header.records:
            raise Damaged(offset, f"it holds {count:,} records, not {header.records:,}")

    def _bytes(self, wanted: int) -> bytes:
        """Read so many bytes, fewer at the end of the file alone; memory grows with what comes, not what is said."""
        pieces: list[bytes] = []
        while wanted:
            piece = self._file.read(min(wanted, _CHUNK))
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)


def survey(file: BinaryIO, limits: TrafficLimits = DEFAULT_LIMITS) -> Survey:
    """Tell what a file holds, from its beginning, without unpacking it. Raises as `Reader` does."""
    return Reader(file, limits).survey()
