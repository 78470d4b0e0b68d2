"""Why a route fires, or why it does not, told for a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from gateway.codes import ReplyCode
from gateway.message import Finding, Message, MessageKind
from gateway.message.places import xpath_of
from gateway.routing.criteria import Criterion
from gateway.routing.facts import Facts
from gateway.routing.problems import nearest
from gateway.routing.routes import Route, is_event

Judged: TypeAlias = tuple[Route, tuple[Criterion, ...]]
"""A route and its criteria beyond noun and verb."""

_REPLIES: Final = frozenset({MessageKind.RESPONSE, MessageKind.FAULT})

_ROUTE_NEEDED: Final = " route for it is missing: add one to the file of the system that should receive it."


class Outcome(StrEnum):
    """What became of one route."""

    FIRED = "fired"
    NOT_REACHED = "not reached"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One route and a message: fired, not reached because route `by` of the same system fired, or what failed.

    `criterion` is the key of the route file that failed first (`noun`, `verbs`, `contexts`, ...), `kind` for a reply,
    or `own-event` where the system sent the event itself; `found` is the message's value, `wanted` the route's.
    """

    route: Route
    outcome: Outcome
    criterion: str = ""
    found: str = ""
    wanted: str = ""
    by: Route | None = None

    @property
    def text(self) -> str:
        """The explanation in one sentence."""
        if self.outcome is Outcome.FIRED:
            return f"Fires: {self.route.system.name} receives the message at {self.route.system.address}."
        if self.by is not None:
            return f"Not reached: route {self.by.number} of {self.route.system.name} fired before it."
        if self.criterion == "kind":
            return f"No route takes a {self.found}: it goes to the conversation that it answers."
        if self.criterion == "own-event":
            return f"The event is of {self.found}, and {self.route.system.name} never receives its own events."
        return f"{self.criterion}: found {self.found}, the route wants {self.wanted}."


def explain(routes: Iterable[Judged], message: Message) -> tuple[Explanation, ...]:
    """Judge every route; the routes of one system must follow each other in the order of their file."""
    facts = Facts(message)
    fired: dict[str, Route] = {}
    explanations: list[Explanation] = []
    for route, criteria in routes:
        by = fired.get(route.system.name)
        if by is not None:
            explanations.append(Explanation(route, Outcome.NOT_REACHED, by=by))
            continue
        explanation = _judge(route, criteria, message, facts)
        if explanation.outcome is Outcome.FIRED:
            fired[route.system.name] = route
        explanations.append(explanation)
    return tuple(explanations)


def why_unroutable(routes: Sequence[Judged], message: Message) -> Finding:
    """Say which of noun, verb or other criteria leaves a message without a receiver."""
    header = message.header
    takers = [judged for judged in routes if any(noun == header.noun for noun, _ in judged[0].pairs)]
    if not takers:
        return _no_noun(routes, message)
    of_verb = [judged for judged in takers if (header.noun, header.verb) in judged[0].pairs]
    if not of_verb:
        return _no_verb(takers, message)
    reasons = "; ".join(
        f"{explanation.route.label}: {explanation.text.rstrip('.')}" for explanation in explain(of_verb, message)
    )
    return _finding(
        message,
        "Verb",
        ReplyCode.INVALID_VERB,
        f"Routes take {header.verb}({header.noun}), but each excludes this message. {reasons}.",
        "Change what the routes ask for in the message, or add a route without it.",
    )


def _no_noun(routes: Sequence[Judged], message: Message) -> Finding:
    known = sorted({noun for route, _ in routes for noun, _ in route.pairs})
    guess = nearest(message.header.noun, known)
    return _finding(
        message,
        "Noun",
        ReplyCode.INVALID_NOUN,
        f"No route takes the noun {message.header.noun}.",
        (f"Did you mean {guess}? Otherwise a" if guess else "A") + _ROUTE_NEEDED,
        tuple(known),
    )


def _no_verb(takers: Sequence[Judged], message: Message) -> Finding:
    header = message.header
    verbs = sorted({verb for route, _ in takers for noun, verb in route.pairs if noun == header.noun})
    return _finding(
        message,
        "Verb",
        ReplyCode.INVALID_VERB,
        f"Routes take {header.noun}, but none takes it with the verb {header.verb}; only with {', '.join(verbs)}.",
        "A" + _ROUTE_NEEDED,
        tuple(verbs),
    )


def _judge(route: Route, criteria: Sequence[Criterion], message: Message, facts: Facts) -> Explanation:
    header = message.header

    def failed(criterion: str, found: str, wanted: str) -> Explanation:
        return Explanation(route, Outcome.FAILED, criterion, found, wanted)

    if message.kind in _REPLIES:
        return failed("kind", message.kind, f"{MessageKind.REQUEST} or {MessageKind.EVENT}")
    if not any(noun == header.noun for noun, _ in route.pairs):
        return failed("noun", header.noun, ", ".join(route.nouns))
    if (header.noun, header.verb) not in route.pairs:
        return failed("verbs", header.verb, ", ".join(route.verbs))
    if is_event(header.verb) and header.source in route.system.sources:
        return failed("own-event", header.source or "", f"a Source other than {', '.join(route.system.sources)}")
    for criterion in criteria:
        if not criterion.admits(facts):
            return failed(criterion.key, criterion.found(facts), criterion.wanted)
    return Explanation(route, Outcome.FIRED)


def _finding(
    message: Message, element: str, code: ReplyCode, text: str, advice: str, allowed: tuple[str, ...] = ()
) -> Finding:
    place = next(message.root.iter(f"{message.version.prefix}{element}"), None)
    return Finding(
        "no-route",
        code,
        text,
        advice,
        xpath="" if place is None else xpath_of(place),
        line=None if place is None else place.sourceline,
        element=element,
        found=message.header.noun if element == "Noun" else message.header.verb,
        allowed=allowed,
    )
