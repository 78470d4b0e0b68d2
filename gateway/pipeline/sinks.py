"""Files that events are written into: JSON lines or .cimlog. After a crash a file ends with the last whole event."""

import fcntl
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO, FileIO
from pathlib import Path
from typing import BinaryIO, Final, cast

from gateway.adapters.adapter import MESSAGE_ID, REPEATED
from gateway.adapters.event_document import Said, body_members, event_document
from gateway.broker import Delivery
from gateway.message import Limits
from gateway.outages import OutageCodes
from gateway.subscriptions import ToFile
from gateway.traffic import Direction, Record, Writer, append

_CIMLOG: Final = ".cimlog"
_BLOCK: Final = 64 * 1024


class Sink:
    """One file with the lock that keeps other processes off it, renamed when its day is over or its size is reached.

    Not for several threads at a time. Every call may raise OSError; then the file is as it was before it.
    """

    def __init__(self, wanted: ToFile, subscription: str, codes: OutageCodes, limits: Limits) -> None:
        self._wanted = wanted
        self._path = Path(wanted.path)
        self._subscription = subscription
        self._codes = codes
        self._limits = limits
        self._lock: BinaryIO | None = None
        self._file: FileIO | None = None
        self._day = ""

    def open(self) -> None:
        """Take the lock and open the file behind its last whole event. Raises OSError where another process has it."""
        self._lock = self._path.with_name(f"{self._path.name}.lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin()
        except BlockingIOError as error:
            self.close()
            raise OSError(f"another process writes {self._path}") from error
        except BaseException:
            self.close()
            raise

    def write(self, deliveries: Sequence[Delivery]) -> None:
        """Write events; when it returns they are on the disk."""
        if self._file is None or self._moved(self._file):
            self._begin()
        batch: list[bytes | Record] = []
        size = 0
        for delivery in deliveries:
            sent = delivery.said[2]
            event = _record(delivery, self._subscription) if self._cimlog else self._line(delivery)
            length = len(event) if isinstance(event, bytes) else len(delivery.body)
            if self._full(_day(sent), size + length) and (batch or self._size()):
                self._append(batch)
                self._turn()
                batch, size = [], 0
            self._day = max(self._day, _day(sent))
            batch.append(event)
            size += length
        self._append(batch)

    def close(self) -> None:
        """Close the file and let go of the lock."""
        for file in (self._file, self._lock):
            if file is not None:
                file.close()
        self._file = self._lock = None

    def _begin(self) -> None:
        """Open the file, new or behind its last whole event."""
        if self._file is not None:
            self._file.close()
        there = self._path.exists()
        # Without a buffer: what a full disk has refused must not be written later, when the file is closed.
        self._file = file = self._path.open("r+b" if there else "w+b", buffering=0)
        self._day = _day(self._path.stat().st_mtime) if self._size() else ""
        if not self._cimlog:
            _cut_to_last_line(file)
        elif self._size():
            append(cast("BinaryIO", file))
        else:
            head = BytesIO()
            Writer(head, {"subscription": self._subscription})
            self._put(file, head.getvalue())
        os.fsync(file.fileno())
        if not there:
            _sync_folder(self._path.parent)

    def _append(self, batch: Sequence[bytes | Record]) -> None:
        file = self._file
        if file is None or not batch:
            return
        end = file.seek(0, os.SEEK_END)
        try:
            self._put(file, self._packed(batch))
            os.fsync(file.fileno())
        except OSError:
            file.close()
            self._file = None
            _cut(self._path, end)
            raise

    def _packed(self, batch: Sequence[bytes | Record]) -> bytes:
        records = [event for event in batch if isinstance(event, Record)]
        packed = BytesIO()
        if records:
            with Writer(packed, resumed=True) as writer:
                for record in records:
                    writer.write(record)
        return packed.getvalue() + b"".join(event for event in batch if isinstance(event, bytes))

    @staticmethod
    def _put(file: FileIO, content: bytes) -> None:
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]

    def _turn(self) -> None:
        """Give the file the name of its day, and begin another."""
        if self._file is not None:
            self._file.close()
            self._file = None
        number = 0
        while (name := self._named(number)).exists():
            number += 1
        self._path.rename(name)
        self._begin()

    def _named(self, number: int) -> Path:
        middle = f".{self._day}" + (f".{number}" if number else "")
        return self._path.with_name(f"{self._path.stem}{middle}{self._path.suffix}")

    def _full(self, day: str, more: int) -> bool:
        over = bool(self._wanted.most_bytes) and self._size() + more > self._wanted.most_bytes
        return over or (self._wanted.daily and "" < self._day < day)

    def _size(self) -> int:
        return 0 if self._file is None else os.fstat(self._file.fileno()).st_size

    def _moved(self, file: FileIO) -> bool:
        """Tell whether somebody has taken the file away, as programs that rotate logs do."""
        try:
            return os.stat(self._path).st_ino != os.fstat(file.fileno()).st_ino  # noqa: PTH116 - beside fstat
        except FileNotFoundError:
            return True

    @property
    def _cimlog(self) -> bool:
        return self._path.suffix == _CIMLOG

    def _line(self, delivery: Delivery) -> bytes:
        type_, source, published = delivery.said
        verb, _, noun = type_.partition(".")
        said = Said(verb, noun, source, published, _repeated(delivery))
        document = {
            "subscription": self._subscription,
            **event_document(delivery.body, said, self._codes, self._limits),
            **body_members(delivery.body),
        }
        return (
            json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"
        )


def _record(delivery: Delivery, subscription: str) -> Record:
    transport = delivery.properties()
    type_, source, sent = delivery.said
    verb, _, noun = type_.partition(".")
    headers = {name: value for name, value in transport.headers.items() if not name.startswith("x-")}
    if _repeated(delivery):
        headers[REPEATED] = True
    return Record(
        _time(sent), Direction.OUT, delivery.body, exchange=delivery.exchange, routing_key=delivery.routing_key,
        type=type_, app_id=source, correlation_id=transport.correlation_id, headers=dict(headers), source=source,
        system=subscription, noun=noun, verb=verb, message_id=str(headers.get(MESSAGE_ID, "")),
    )  # fmt: skip


def _repeated(delivery: Delivery) -> bool:
    return delivery.redelivered or delivery.properties().headers.get(REPEATED) is True


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _day(at: float) -> str:
    return _time(at).date().isoformat()


def _cut_to_last_line(file: FileIO) -> None:
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    file.seek(end)
    file.truncate()


def _cut(path: Path, end: int) -> None:
    """Cut a file to a length, if the disk lets us: else that is done when it is opened again."""
    try:
        os.truncate(path, end)
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
