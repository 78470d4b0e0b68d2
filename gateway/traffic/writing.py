"""Writes records to a `.cimlog` file, a frame at a time: a frame is in the file as a whole, or does not count."""

import struct
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Final, Self

import zstandard

from gateway.message.instants import microseconds
from gateway.traffic.layout import DEFAULT_LIMITS, SMALL_FRAME, FrameHeader, OverLimits, TrafficLimits, head
from gateway.traffic.reading import survey
from gateway.traffic.record import Record, encode

_LEVEL: Final = 6
_FRAME_BYTES: Final = 256 * 1024
"""From this many bytes on, records are packed and written: more would hardly be smaller, and is lost in a crash."""
_RAW_BLOCK: Final = 128 * 1024


class Writer:
    """Writes to a file that is empty, or (see `append`) stands at the end of its last whole frame.

    Records are kept until there are 256 KiB of them, `flush` is called or the writer is left. It calls `write` and
    `flush` of the file (a buffered one) alone; that the bytes reach the disk is the care of whoever opened it.

    Where the file refuses (the disk is full) its error is raised, and nothing more can be written: a frame may have
    been cut short. `unwritten` are the records that are not in the file then; `append` goes on behind the last whole
    frame.
    """

    def __init__(
        self,
        file: BinaryIO,
        about: dict[str, str] | None = None,
        limits: TrafficLimits = DEFAULT_LIMITS,
        *,
        resumed: bool = False,
    ) -> None:
        self._file = file
        self._limits = limits
        self._packer = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
        self._waiting: list[bytes] = []
        self._kept: list[Record] = []
        self._broken = False
        self._times: list[int] = []
        self._bytes = 0
        if not resumed:
            file.write(head(about or {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._broken:
            self.flush()

    @property
    def unwritten(self) -> tuple[Record, ...]:
        """The records that were taken and are not yet in the file."""
        return tuple(self._kept)

    def write(self, record: Record) -> None:
        """Take a record. Raises `BadRecord` or `OverLimits`, and has not taken it then."""
        encoded = encode(record)
        line = len(encoded) - len(record.body or b"") - 1
        if len(encoded) > self._limits.record_bytes or line > self._limits.line_bytes:
            raise OverLimits(
                f"The record has {len(encoded):,} bytes, {line:,} of them about the message; at most "
                f"{self._limits.record_bytes:,} and {self._limits.line_bytes:,} are written."
            )
        if self._bytes + len(encoded) > SMALL_FRAME:
            self._pack()
        self._waiting.append(encoded)
        self._kept.append(record)
        self._times.append(microseconds(record.at))
        self._bytes += len(encoded)
        if self._bytes >= _FRAME_BYTES:
            self._pack()

    def flush(self) -> None:
        """Write what was taken, and flush the file."""
        self._pack()
        self._file.flush()

    def _pack(self) -> None:
        if not self._waiting:
            return
        block = b"".join(self._waiting)
        packed = self._packer.compress(block)
        if not self._limits.allow(len(packed), len(block)):
            packed = _unpacked(block)
        header = FrameHeader(
            len(packed), len(block), len(self._waiting), min(self._times), max(self._times), zlib.crc32(packed)
        )
        if self._broken:
            raise ValueError("An earlier write to this .cimlog file failed; open it anew, to append.")
        self._broken = True
        self._file.write(header.encode() + packed)
        self._broken = False
        self._waiting, self._kept, self._times, self._bytes = [], [], [], 0


def append(file: BinaryIO, limits: TrafficLimits = DEFAULT_LIMITS) -> Writer:
    """Go on writing a file that was opened to be read and written: behind its last whole frame, the rest is cut off.

    Raises `NotTraffic`, `Damaged` (a frame that is not just cut short: nothing is written then) or `OverLimits`.
    """
    file.seek(0)
    found = survey(file, limits)
    file.seek(found.end)
    file.truncate()
    return Writer(file, limits=limits, resumed=True)


def _unpacked(block: bytes) -> bytes:
    """Give a zstd frame that holds a block as it is: what packs so well that a reader would take it for an attack."""
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(block)) + b"".join(_raw_blocks(block))


def _raw_blocks(block: bytes) -> Iterator[bytes]:
    for start in range(0, len(block), _RAW_BLOCK):
        part = block[start : start + _RAW_BLOCK]
        last = start + _RAW_BLOCK >= len(block)
        yield (len(part) << 3 | last).to_bytes(3, "little") + part
