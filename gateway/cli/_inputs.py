"""The messages that a command is given: files, folders, standard input."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.cli._shared import CommandError

STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """One message's bytes to come; `name` is what to call it, printable whatever the file system holds."""

    path: Path | None
    name: str

    def read(self) -> bytes:
        """Read it whole. Raises `CommandError` where the system refuses."""
        if self.path is None:
            return sys.stdin.buffer.read()
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise CommandError(f"{self.name} cannot be read: {error.strerror}.") from error


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
