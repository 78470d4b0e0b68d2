"""Finds the lines of tables and keys in TOML text, which tomllib reads but does not place.

A scan, not a parser: it is asked only about text that tomllib has accepted, and knows tables, arrays of tables, keys
(bare, quoted and dotted), strings over several lines and lists over several lines. Inline tables are found by the
line of their key.
"""

import re
from dataclasses import dataclass
from typing import Final

_KEY_PART: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED: Final = rf"{_KEY_PART}(?:\s*\.\s*{_KEY_PART})*"
_HEADER: Final = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_ENTRY: Final = re.compile(rf"\s*({_DOTTED})\s*=")
_PART: Final = re.compile(_KEY_PART)
# What can open or close something in the rest of a line: strings first, so that a bracket in one does not count.
_TOKEN: Final = re.compile(r"""\"{3}|'{3}|"(?:[^"\\]|\\.)*"|'[^']*'|\#|[\[\]{}]""")


@dataclass(frozen=True, slots=True)
class _Entry:
    table: str
    number: int
    key: str
    first: int
    last: int


class TomlLines:
    """The lines of one TOML text. Tables are named as in their header; `number` counts `[[name]]` from 0."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._tables: dict[tuple[str, int], int] = {}
        self._entries: dict[tuple[str, int, str], _Entry] = {}
        self._scan()

    def table(self, name: str, number: int = 0) -> int:
        """Give the line of the table's header, else of the key that holds it, else 1."""
        line = self._tables.get((name, number))
        if line is not None:
            return line
        entry = self._entries.get(("", 0, name))
        return 1 if entry is None else entry.first

    def key(self, table: str, number: int, key: str, value: object = None) -> int:
        """Give the line of a key; with a text as value, the line within the key's lines where that text stands.

        Without such a key: the line of the table.
        """
        entry = self._entries.get((table, number, key))
        if entry is None:
            return self.table(table, number)
        if isinstance(value, str):
            quoted = (f'"{value}"', f"'{value}'")
            for line in range(entry.first, entry.last + 1):
                if any(text in self._lines[line - 1] for text in quoted):
                    return line
        return entry.first

    def _scan(self) -> None:
        table, number, inside = "", 0, ""
        counts: dict[str, int] = {}
        line = 0
        while line < len(self._lines):
            line += 1
            text = self._lines[line - 1]
            if header := _HEADER.match(text):
                name = _dotted(header[2])
                owner, _, rest = name.partition(".")
                if header[1] == "[[":
                    counts[name] = counts.get(name, -1) + 1
                    table, number, inside = name, counts[name], ""
                    self._tables[table, number] = line
                elif rest:  # [route.properties] belongs to the last [[route]]
                    table, number, inside = owner, counts.get(owner, 0), f"{rest}."
                    self._note(table, number, rest, line, line)
                else:
                    table, number, inside = name, 0, ""
                    self._tables[table, number] = line
            elif entry := _ENTRY.match(text):
                first, line = line, self._end_of_value(line, entry.end())
                key = inside + _dotted(entry[1])
                self._note(table, number, key, first, line)
                self._note(table, number, key.partition(".")[0], first, line)

    def _note(self, table: str, number: int, key: str, first: int, last: int) -> None:
        self._entries.setdefault((table, number, key), _Entry(table, number, key, first, last))

    def _end_of_value(self, line: int, column: int) -> int:
        depth, closing = 0, ""
        while True:
            text = self._lines[line - 1]
            while True:
                if closing:
                    end = text.find(closing, column)
                    if end < 0:
                        break
                    column, closing = end + len(closing), ""
                token = _TOKEN.search(text, column)
                if token is None or token[0] == "#":
                    break
                column = token.end()
                if token[0] in ('"""', "'''"):
                    closing = token[0]
                elif token[0] in "[{":
                    depth += 1
                elif token[0] in "]}":
                    depth -= 1
            if (depth <= 0 and not closing) or line == len(self._lines):
                return line
            line, column = line + 1, 0


def _dotted(text: str) -> str:
    return ".".join(part.strip("\"'") for part in _PART.findall(text))
