"""Messages of the journal written to a file, a stream, in bounded memory."""

import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from lxml import etree

from gateway import __version__
from gateway.cli._journal_documents import element_of, facts_of
from gateway.cli._journal_records import record_of
from gateway.cli._journal_words import OPERATOR, is_masked
from gateway.cli._shared import CommandError, ExitCode, complain
from gateway.cli._times import full
from gateway.message.blanking import MARK
from gateway.store.journal import Passage
from gateway.traffic import BadRecord, OverLimits, Writer

STREAM: Final = "-"
"""The name of the standard output, or input."""
Write = Callable[[Passage], None]


class Format(StrEnum):
    """How messages are written."""

    CIMLOG = "cimlog"
    JSON = "json"
    XML = "xml"


_BY_SUFFIX: Final = {".json": Format.JSON, ".jsonl": Format.JSON, ".ndjson": Format.JSON, ".xml": Format.XML}


@dataclass(slots=True)
class Tally:
    """What a file holds: messages as they passed, with masked values, without a body; and what operators did.

    `left_out` are those that could not be written or read.
    """

    plain: int = 0
    masked: int = 0
    bare: int = 0
    acts: int = 0
    left_out: int = 0
    first: float = 0.0
    last: float = 0.0

    @property
    def messages(self) -> int:
        """How many there are, with what operators did."""
        return self.plain + self.masked + self.bare + self.acts

    def add(self, at: float, kind: str, body: bytes | None) -> None:
        """Count one in."""
        self.first = min(self.first or at, at)
        self.last = max(self.last, at)
        if kind == OPERATOR:
            self.acts += 1
        elif body is None:
            self.bare += 1
        elif is_masked(body):
            self.masked += 1
        else:
            self.plain += 1

    def in_words(self) -> list[str]:
        """Say what they are, so that a person knows to whom the file may be given."""
        said = [f"{_several(self.messages, 'record')}, from {full(self.first)} to {full(self.last)}"]
        if self.plain:
            said.append(f"{_several(self.plain, 'message')} as passed: personal data may be in there")
        if self.masked:
            said.append(f"{_several(self.masked, 'message')} with masked values ({MARK})")
        if self.bare:
            said.append(f"{_several(self.bare, 'message')} without the body: headers alone are kept")
        if self.acts:
            said.append(f"{_several(self.acts, 'act')} of operators, such as a retry")
        return said


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def format_of(file: str, wanted: Format | None) -> Format:
    """Give the format that is wanted, else that of the file's name, else `.cimlog`."""
    return wanted or _BY_SUFFIX.get(Path(file).suffix.lower(), Format.CIMLOG)


async def export(passages: AsyncIterator[Passage], write: Write, advance: Callable[[float], None]) -> Tally:
    """Write messages one after the other; `advance` hears the time of each."""
    tally = Tally()
    async for passage in passages:
        try:
            write(passage)
        except (BadRecord, OverLimits) as error:
            tally.left_out += 1
            complain(f"The message {passage.id} is left out: {error}")
        else:
            tally.add(passage.at, passage.kind, passage.body)
        advance(passage.at)
    return tally


@contextmanager
def written(file: str, form: Format, *, force: bool) -> Iterator[Write]:
    """Open a file to be written; it is there as a whole at the end, or not at all. It is for its user alone.

    Raises `CommandError` where it is there already, unless forced, or cannot be written.
    """
    if file == STREAM:
        if form is Format.CIMLOG and sys.stdout.isatty():
            raise CommandError("A terminal cannot show a .cimlog.", "Name a file, or write --format json.")
        with _FORMS[form](sys.stdout.buffer) as write:
            yield write
        sys.stdout.buffer.flush()
        return
    try:
        with _file(Path(file), force=force) as opened, _FORMS[form](opened) as write:
            yield write
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.", code=ExitCode.USAGE) from error


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise `CommandError` where a file is there that would be overwritten."""
    if path.is_file() and not force:
        raise CommandError(f"{path} is there already.", "Choose another name, or write --force to replace it.")


@contextmanager
def _file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    refuse_existing(path, force=force)
    if path.exists() and not path.is_file():  # a device or a pipe: nothing that could be replaced
        with path.open("wb") as opened:
            yield opened
        return
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        refuse_existing(path, force=force)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _cimlog(file: BinaryIO) -> Iterator[Write]:
    with Writer(file, {"writer": f"cimgate {__version__}", "what": "export of a journal"}) as writer:
        yield lambda passage: writer.write(record_of(passage))


@contextmanager
def _json(file: BinaryIO) -> Iterator[Write]:
    yield lambda passage: _line(file, passage)


def _line(file: BinaryIO, passage: Passage) -> None:
    file.write(json.dumps(facts_of(passage, body=True)).encode() + b"\n")


@contextmanager
def _xml(file: BinaryIO) -> Iterator[Write]:
    file.write(b"<?xml version='1.0' encoding='UTF-8'?>\n<messages>\n")
    yield lambda passage: _element(file, passage)
    file.write(b"</messages>\n")


def _element(file: BinaryIO, passage: Passage) -> None:
    file.write(etree.tostring(element_of(passage, body=True), encoding="utf-8") + b"\n")


_FORMS: Final = {Format.CIMLOG: _cimlog, Format.JSON: _json, Format.XML: _xml}
