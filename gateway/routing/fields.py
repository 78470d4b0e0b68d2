"""A table of a route file, read key by key: right type or a problem with the line of the key."""

from collections.abc import Collection, Mapping
from typing import Final

from gateway.routing.problems import Problem, nearest
from gateway.routing.toml_lines import TomlLines

_TYPES: Final[dict[type, str]] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Table:
    """One `[system]` or `[[route]]`. Faults are noted in `problems`, and a key at fault reads as if it were absent."""

    def __init__(self, file: str, lines: TomlLines, place: tuple[str, int], values: Mapping[str, object]) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = lines
        self._place = place
        self._values = values

    @property
    def line(self) -> int:
        """The line of the table's header."""
        return self._lines.table(*self._place)

    def fault(self, key: str, text: str, advice: str, value: object = None) -> None:
        """Note a problem at a key, or at a value among its lines."""
        line = self._lines.key(*self._place, key, value)
        self.problems.append(Problem(self._file, line, text, advice))

    def has(self, key: str) -> bool:
        """Tell whether the key is written, rightly or wrongly."""
        return key in self._values

    def only(self, known: Collection[str], title: str) -> None:
        """Note every key that is not among the known ones."""
        for key in self._values:
            if key not in known:
                guess = nearest(key, known)
                self.fault(
                    key,
                    f"{title} has no key '{key}'.",
                    f"Did you mean {guess}?" if guess else f"The keys are {', '.join(known)}.",
                )

    def text(self, key: str) -> str | None:
        """Read a string."""
        value = self._values.get(key)
        if value is None or isinstance(value, str):
            return value
        self.fault(key, f"{key} is {_type(value)}, not a string.", f'Write {key} = "...".')
        return None

    def number(self, key: str) -> float | None:
        """Read a number."""
        value = self._values.get(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return None if value is None else float(value)
        self.fault(key, f"{key} is {_type(value)}, not a number.", f"Write {key} = 60.")
        return None

    def texts(self, key: str, *, single: bool = False) -> tuple[str, ...]:
        """Read a list of strings, with `single` also one string; an empty list is noted, as it could match nothing."""
        value = self._values.get(key)
        if value is None:
            return ()
        return self._strings(key, key, value, single=single)

    def table(self, key: str) -> dict[str, tuple[str, ...]]:
        """Read a table whose values are strings or lists of strings."""
        value = self._values.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(key, f"{key} is {_type(value)}, not a table.", f'Write {key} = {{ Name = "value" }}.')
            return {}
        if not value:
            self.fault(key, f"{key} is empty: nothing can match it.", "Give at least one value, or leave the key out.")
        read = {name: self._strings(f"{key}.{name}", name, item, single=True) for name, item in value.items()}
        return {name: texts for name, texts in read.items() if texts}

    def _strings(self, key: str, name: str, value: object, *, single: bool) -> tuple[str, ...]:
        if single and isinstance(value, str):
            return (value,)
        wanted = "a string or a list of strings" if single else "a list of strings"
        if not isinstance(value, list):
            example = f'["{value}"]' if isinstance(value, str) else '["..."]'
            self.fault(key, f"{name} is {_type(value)}, not {wanted}.", f"Write {name} = {example}.")
            return ()
        if not value:
            self.fault(key, f"{name} is empty: nothing can match it.", "Give at least one value, or leave the key out.")
        for item in value:
            if not isinstance(item, str):
                self.fault(key, f"{name} holds {_type(item)} ({item}), not only strings.", f'Write "{item}".')
        return tuple(item for item in value if isinstance(item, str))


def _type(value: object) -> str:
    return _TYPES.get(type(value), "a date or time")
