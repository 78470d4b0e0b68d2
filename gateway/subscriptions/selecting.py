"""What of a filter the broker can judge by the headers of `cim.events`, and what is left for the gateway."""

import hashlib
import json
from dataclasses import dataclass
from enum import Enum, auto
from itertools import product
from typing import Final

from gateway.subscriptions.filters import Filter
from gateway.subscriptions.values import Subscription

Match = tuple[tuple[str, str | bool], ...]
"""Headers, all of which must be there with these values; none at all matches every event."""

_MOST_MATCHES: Final = 40
ANY: Final = "*"


class Judged(Enum):
    """When the gateway must judge an event for a subscription."""

    NEVER = auto()
    WHERE_MORE = auto()
    """Where it has more types or domains than headers tell."""
    ALWAYS = auto()


@dataclass(frozen=True, slots=True)
class Selection:
    """How the events of a subscription are selected. Its queue is bound once for each of `matches`, and by the mark.

    A match takes nothing that the filter does not take. `mark` is the header with which the gateway marks what they
    leave out. Its value goes with the filter: one that is replaced by another of the same name marks nothing for it.
    """

    matches: tuple[Match, ...]
    judged: Judged
    mark: tuple[str, str]

    @property
    def bindings(self) -> tuple[Match, ...]:
        """All that the queue is bound by."""
        return self.matches if self.judged is Judged.NEVER else (*self.matches, (self.mark,))


def selection(subscription: Subscription) -> Selection:
    """Say how the events of a subscription are selected."""
    wanted = subscription.filter
    matches, judged = _matches(wanted)
    return Selection(matches, judged, (f"cim-sub:{subscription.name}", fingerprint(wanted)))


def fingerprint(wanted: Filter) -> str:
    """Give a short text that is another for every other filter."""
    return hashlib.sha256(json.dumps(wanted.values, sort_keys=True).encode()).hexdigest()[:16]


def domain_of(pattern: str) -> str:
    """Give the domain where a pattern stands for a whole one, else nothing."""
    device, domain, *rest = pattern.split(".")
    return domain if domain != ANY and {device, *rest} == {ANY} else ""


def _matches(wanted: Filter) -> tuple[tuple[Match, ...], Judged]:
    if wanted.devices or wanted.severities:
        # The header cim-severity is missing where several are said: it tells too little, and devices are not told.
        return (), Judged.ALWAYS
    codes = [header for header in map(_event_header, wanted.events) if header]
    if wanted.events and not codes:
        return (), Judged.ALWAYS
    alternatives: list[list[tuple[str, str | bool]]] = [
        [(name, value) for value in values]
        for name, values in (("cim-noun", wanted.nouns), ("cim-verb", wanted.verbs), ("cim-source", wanted.sources))
        if values
    ]
    judged = Judged.NEVER
    if wanted.events:
        alternatives.append([(header, True) for header in codes])
        judged = Judged.WHERE_MORE if len(codes) == len(wanted.events) else Judged.ALWAYS
    matches = tuple(product(*alternatives))
    return (matches, judged) if len(matches) <= _MOST_MATCHES else ((), Judged.ALWAYS)


def _event_header(pattern: str) -> str:
    if ANY not in pattern:
        return f"cim-event:{pattern}"
    domain = domain_of(pattern)
    return f"cim-domain:{domain}" if domain else ""
