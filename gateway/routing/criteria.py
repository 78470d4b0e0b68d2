"""The criteria of a route beyond noun and verb, in the order in which they are asked: the cheap ones first."""

import re
from typing import Protocol

from gateway.codes.patterns import CodeKind, CodePattern, compile_patterns
from gateway.routing.facts import Facts
from gateway.routing.routes import CODE_KEYS, PropertyValues, Route

_SHOWN = 8
"""How many codes of a message an explanation quotes."""


class Criterion(Protocol):
    """One question to a message. `key` is its key in the route file, `wanted` what would answer it with yes."""

    @property
    def key(self) -> str: ...  # noqa: D102 - told above
    @property
    def wanted(self) -> str: ...  # noqa: D102 - told above

    def admits(self, facts: Facts) -> bool:
        """Answer the question."""

    def found(self, facts: Facts) -> str:
        """Say what the message has in that place, for a person."""


class _Context:
    key = "contexts"

    def __init__(self, contexts: tuple[str, ...]) -> None:
        self._contexts = frozenset(contexts)
        self.wanted = _one_of(contexts)

    def admits(self, facts: Facts) -> bool:
        return facts.header.context in self._contexts

    def found(self, facts: Facts) -> str:
        return _value(facts.header.context, "no Context")


class _Source:
    key = "sources"

    def __init__(self, sources: tuple[str, ...]) -> None:
        self._sources = frozenset(sources)
        self.wanted = _one_of(sources)

    def admits(self, facts: Facts) -> bool:
        return facts.header.source in self._sources

    def found(self, facts: Facts) -> str:
        return _value(facts.header.source, "no Source")


class _OtherSource:
    key = "not_sources"

    def __init__(self, sources: tuple[str, ...]) -> None:
        self._sources = frozenset(sources)
        self.wanted = f"a Source other than {', '.join(sources)}"

    def admits(self, facts: Facts) -> bool:
        return facts.header.source not in self._sources

    def found(self, facts: Facts) -> str:
        return _value(facts.header.source, "no Source")


class _Property:
    def __init__(self, asked: PropertyValues, *, present: bool) -> None:
        self.key = "properties" if present else "not_properties"
        self._name = asked.name
        self._values = None if asked.any_value else frozenset(asked.values)
        self._present = present
        values = "with any value" if asked.any_value else f"= {_one_of(asked.values)}"
        self.wanted = f"{'' if present else 'no '}Property {asked.name} {values}"

    def admits(self, facts: Facts) -> bool:
        name, values = self._name, self._values
        for item in facts.header.properties:
            if item.name == name and (values is None or item.value in values):
                return self._present
        return not self._present

    def found(self, facts: Facts) -> str:
        items = [item for item in facts.header.properties if item.name == self._name]
        return ", ".join(f"Property {item.name} = {item.value or ''}" for item in items) or f"no Property {self._name}"


class _Code:
    def __init__(self, kind: CodeKind, patterns: tuple[CodePattern, ...]) -> None:
        self.key = CODE_KEYS[kind]
        self._kind = kind
        self._takes = compile_patterns(patterns).fullmatch
        self.wanted = _one_of(tuple(map(str, patterns)))

    def admits(self, facts: Facts) -> bool:
        takes = self._takes
        return any(takes(code) for code in facts.codes(self._kind))

    def found(self, facts: Facts) -> str:
        codes = sorted(facts.codes(self._kind), key=_by_number)
        more = f" and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else ""
        return ", ".join(codes[:_SHOWN]) + more if codes else f"no {self._kind.element}"


def criteria_of(route: Route) -> tuple[Criterion, ...]:
    """Give the criteria that a route has beyond noun and verb."""
    criteria: list[Criterion] = []
    if route.contexts:
        criteria.append(_Context(route.contexts))
    if route.sources:
        criteria.append(_Source(route.sources))
    if route.not_sources:
        criteria.append(_OtherSource(route.not_sources))
    criteria.extend(_Property(asked, present=True) for asked in route.properties)
    criteria.extend(_Property(asked, present=False) for asked in route.not_properties)
    criteria.extend(_Code(kind, route.patterns(kind)) for kind in CODE_KEYS if route.patterns(kind))
    return tuple(criteria)


def _one_of(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"one of {', '.join(values)}"


def _value(text: str | None, absent: str) -> str:
    return absent if text is None else text


def _by_number(code: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part) if re.fullmatch(r"\d+", part) else -1, part) for part in code.split("."))
