"""The messages that a command is given: files, folders, standard input."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from gateway.cli._shared import CommandError

STDIN: Final = "-"
_CHUNK_BYTES: Final = 64 * 1024

Chunks = Callable[[], Iterator[bytes]]
"""Reads a large input, as often as it is called."""


@dataclass(frozen=True, slots=True)
class Input:
    """One message's bytes to come; `name` is what to call it, printable whatever the file system holds."""

    path: Path | None
    name: str

    def read(self) -> bytes:
        """Read it whole. Raises `CommandError` where the system refuses."""
        with self._refused():
            return sys.stdin.buffer.read() if self.path is None else self.path.read_bytes()

    @contextmanager
    def content(self, most: int) -> Iterator[bytes | Chunks]:
        """Read it, where it has at most so many bytes; a larger one is not read yet. Raises `CommandError`.

        What can be read only once, such as standard input, goes to a temporary file where it is large.
        """
        with ExitStack() as stack:
            with self._refused():
                content = self._content(most, stack)
            yield content

    def _content(self, most: int, stack: ExitStack) -> bytes | Chunks:
        if self.path is None:
            return self._spooled(sys.stdin.buffer, most, stack)
        status = self.path.stat()
        if not stat.S_ISREG(status.st_mode):
            with self.path.open("rb") as file:
                return self._spooled(file, most, stack)
        return self.path.read_bytes() if status.st_size <= most else self._chunks_of(self.path)

    def _chunks_of(self, path: Path) -> Chunks:
        def chunks() -> Iterator[bytes]:
            with self._refused(), path.open("rb") as file:
                yield from _chunks_in(file)

        return chunks

    def _spooled(self, source: IO[bytes], most: int, stack: ExitStack) -> bytes | Chunks:
        start = source.read(most + 1)
        if len(start) <= most:
            return start
        file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        file.write(start)
        shutil.copyfileobj(source, file)

        def chunks() -> Iterator[bytes]:
            with self._refused():
                file.seek(0)
                yield from _chunks_in(file)

        return chunks

    @contextmanager
    def _refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CommandError(f"{self.name} cannot be read: {error.strerror}.") from error


def _chunks_in(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def inputs(names: Sequence[str]) -> list[Input]:
    """Find what was named: a file, every *.xml below a folder in the order of names, or `-`.

    Raises `CommandError` with a line for each that does not exist, or is a folder without any.
    """
    found: list[Input] = []
    problems: list[str] = []
    for name in names:
        path = Path(name)
        if name == STDIN:
            found.append(Input(None, "standard input"))
        elif path.is_dir():
            inside = sorted(_messages_below(path))
            if not inside:
                problems.append(f"The folder {_shown(path)} has no *.xml in it.")
            found += [Input(file, _shown(file)) for file in inside]
        elif path.exists():
            found.append(Input(path, _shown(path)))
        else:
            problems.append(f"{_shown(path)} does not exist.")
    if problems:
        raise CommandError("\n".join(problems))
    return found


def _messages_below(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.suffix.lower() == ".xml" and file.is_file())


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")
