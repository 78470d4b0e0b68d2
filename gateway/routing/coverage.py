"""Whether a route can ever fire, and whether earlier ones of its file leave it anything."""

from collections.abc import Sequence

from gateway.codes.patterns import CodeKind
from gateway.routing.routes import CODE_KEYS, Route, is_event


def never_fires(route: Route) -> str:
    """Say why no message can match a route; empty where one can."""
    if route.sources and not set(route.sources) - set(route.not_sources):
        return "every source it takes is excluded by not_sources"
    for wanted in route.properties:
        if any(refused.includes(wanted) for refused in route.not_properties):
            return f"what it asks of Property {wanted.name} is excluded by not_properties"
    if route.pairs and not any(_open(route, verb) for _, verb in route.pairs):
        return (
            f"it takes only events from {', '.join(route.sources)}, "
            f"and {route.system.name} never receives an event that it sent itself"
        )
    return ""


def shadowing(route: Route, earlier: Sequence[Route]) -> tuple[Route, ...]:
    """Give the earlier routes that together match all that a route can match; empty where something is left to it.

    Judged for each (noun, verb) pair by one earlier route: some shadows that several routes throw together on the same
    pair are not seen, but a route that is named here never fires.
    """
    shadows: dict[int, Route] = {}
    for pair in route.pairs:
        if not _open(route, pair[1]):
            continue
        cover = next((other for other in earlier if pair in other.pairs and _covers(other, route, pair[1])), None)
        if cover is None:
            return ()
        shadows[cover.number] = cover
    return tuple(shadows[number] for number in sorted(shadows))


def _open(route: Route, verb: str) -> bool:
    return not route.sources or bool(set(route.sources) - _excluded(route, verb))


def _excluded(route: Route, verb: str) -> set[str]:
    own = route.system.sources if is_event(verb) else ()
    return {*route.not_sources, *own}


def _covers(cover: Route, route: Route, verb: str) -> bool:
    excluded = _excluded(route, verb)
    sources = set(route.sources) - excluded
    if cover.contexts and not (route.contexts and set(route.contexts) <= set(cover.contexts)):
        return False
    if cover.sources and not (sources and sources <= set(cover.sources)):
        return False
    lost = set(cover.not_sources) - excluded
    if lost and (not sources or lost & sources):
        return False
    return (
        all(any(wanted.includes(other) for other in route.properties) for wanted in cover.properties)
        and all(any(other.includes(refused) for other in route.not_properties) for refused in cover.not_properties)
        and all(_codes_covered(cover, route, kind) for kind in CODE_KEYS)
    )


def _codes_covered(cover: Route, route: Route, kind: CodeKind) -> bool:
    wide, narrow = cover.patterns(kind), route.patterns(kind)
    return not wide or (bool(narrow) and all(any(one.covers(other) for one in wide) for other in narrow))
