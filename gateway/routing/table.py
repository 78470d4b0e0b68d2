"""The routes in use: who receives a message."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.message import Finding, Message, MessageKind
from gateway.routing.criteria import Criterion, criteria_of
from gateway.routing.explanation import Explanation, Judged, explain, why_unroutable
from gateway.routing.facts import Facts
from gateway.routing.routes import Route, System, is_event

_UNROUTED: Final = frozenset({MessageKind.RESPONSE, MessageKind.FAULT})
_NOBODY: Final[frozenset[str | None]] = frozenset()

_Candidates: TypeAlias = tuple[frozenset[str | None], tuple[tuple[Route, tuple[Criterion, ...]], ...]]
"""For one system and one (noun, verb): the sources it does not hear, its routes for the pair in the file's order."""


class RouteTable:
    """All systems and their routes, indexed by noun and verb. Immutable; may be shared between threads."""

    def __init__(self, systems: Iterable[System], routes: Iterable[Route]) -> None:
        in_order = sorted(systems, key=lambda system: system.name)
        self.systems: Mapping[str, System] = MappingProxyType({system.name: system for system in in_order})
        self.routes: tuple[Route, ...] = tuple(
            sorted(routes, key=lambda route: (route.system.name, route.number)),
        )
        self._judged: tuple[Judged, ...] = tuple((route, criteria_of(route)) for route in self.routes)
        self._index = self._indexed()

    def match(self, message: Message) -> tuple[Route, ...]:
        """Give the routes that fire: for each system the first that matches, in the order of the systems' names.

        Replies and faults have none: they belong to their conversation.
        """
        header = message.header
        candidates = self._index.get((header.noun, header.verb))
        if candidates is None or message.kind in _UNROUTED:
            return ()
        fired: list[Route] = []
        facts: Facts | None = None
        source = header.source
        for unheard, routes in candidates:
            if source in unheard:
                continue
            for route, criteria in routes:
                if not criteria:
                    fired.append(route)
                    break
                if facts is None:
                    facts = Facts(message)
                for criterion in criteria:
                    if not criterion.admits(facts):
                        break
                else:
                    fired.append(route)
                    break
        return tuple(fired)

    def explain(self, message: Message) -> tuple[Explanation, ...]:
        """Say of every route of every system whether it fires for a message, or why not."""
        return explain(self._judged, message)

    def unroutable(self, message: Message) -> Finding:
        """Say why no route takes a message: rule `no-route`, 2.5 where none has its noun, 2.9 otherwise.

        To be asked only where `match` gives nothing.
        """
        return why_unroutable(self._judged, message)

    def _indexed(self) -> dict[tuple[str, str], tuple[_Candidates, ...]]:
        index: dict[tuple[str, str], dict[str, list[Judged]]] = {}
        for judged in self._judged:
            route = judged[0]
            for pair in route.pairs:
                index.setdefault(pair, {}).setdefault(route.system.name, []).append(judged)
        return {
            pair: tuple(
                (frozenset(self.systems[name].sources) if is_event(pair[1]) else _NOBODY, tuple(routes))
                for name, routes in by_system.items()
            )
            for pair, by_system in index.items()
        }
