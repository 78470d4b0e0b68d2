"""The power of one device, folded from its events: in whatever order they come, however often.

The state is the set of what was told, so that neither order nor repetition matters, and what follows from it is
computed. Of a long story the part that can still matter is kept: after an outage has ended, what led to it is not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.outages.codes import ENDS, Meaning, Scope
from gateway.outages.events import PowerEvent

SECOND: Final = 1_000_000
MOST_FACTS: Final = 16
"""Facts that are kept of a device. Only the beginning of an outage with more reports than this can become inexact."""


class Power(StrEnum):
    """How a device stands. `partly` is a phase without power; `unknown` is a device of which nothing was told."""

    UNKNOWN = "unknown"
    ON = "on"
    PARTLY = "partly"
    OUT = "out"


class What(StrEnum):
    """What an event has come to."""

    LOST = "lost"
    PARTLY_LOST = "partly lost"
    RESTORED = "restored"
    PARTLY_RESTORED = "partly restored"
    MOMENTARY = "momentary"
    FURTHER = "further"
    """A further outage while there is one already, wider, narrower or the same."""
    STILL_OUT = "still out"
    """A restoration that ends only something narrower, such as a phase, or an outage before the present one."""
    BEGAN = "began at another time"
    """An event that came late tells that the present outage began earlier, or later."""
    LATE = "late"
    """A loss before a restoration that is known already: nothing changes."""
    ALREADY_ON = "already on"
    REPEATED = "repeated"


CHANGES: Final = frozenset({What.LOST, What.PARTLY_LOST, What.RESTORED, What.PARTLY_RESTORED, What.MOMENTARY})
"""What changes how a device stands, and is worth telling an outage management system."""


class Fact(NamedTuple):
    """One thing that was told: when (microseconds), power back or lost, of what.

    `id` (the event's mRID) and `said` are kept of those events alone whose time cannot be believed, to know them again.
    The order is that of time; of two at the same time the restoration counts as the later one [inferred].
    """

    at: int
    back: bool
    scope: Scope
    id: str = ""
    said: str = ""
    """What createdDateTime said, where it could not be believed and `at` is when the event came."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What is known of a device, in the order of time."""

    facts: tuple[Fact, ...] = ()

    @property
    def view(self) -> "View":
        """How the device stands."""
        return _view(self.facts)


@dataclass(frozen=True, slots=True)
class View:
    """How a device stands: since when it is out (or a phase is), and when power last came back. Microseconds."""

    power: Power = Power.UNKNOWN
    since: int | None = None
    restored: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What is for a site to say. Seconds.

    An outage of at most `momentary` is a momentary one. Reports within `merge` of each other are one outage told
    again. A time that is `ahead` of its arrival, or further than `behind` it, comes from a clock that is wrong: the
    time of arrival stands in for it [inferred], as it does for a time that is missing or says no offset.
    """

    momentary: float = 300
    merge: float = 60
    ahead: float = 300
    behind: float = 366 * 86_400


DEFAULT_POLICY: Final = Policy()


@dataclass(frozen=True, slots=True)
class Happening:
    """What came of an event: the device's state before and after, and how long power was away (microseconds).

    `at` is the time that was gone by; `doubtful` tells that it is the time of arrival.
    """

    event: PowerEvent
    what: What
    at: int
    received: int
    before: View = field(default_factory=View)
    after: View = field(default_factory=View)
    lasted: int | None = None
    doubtful: bool = False


def fold(
    state: DeviceState, event: PowerEvent, received: int, policy: Policy = DEFAULT_POLICY
) -> tuple[DeviceState, Happening]:
    """Take an event that came at `received` (microseconds since 1970) into the state of its device."""
    at, doubtful = _credible(event, received, policy)
    before = state.view
    if event.meaning is Meaning.MOMENTARY:
        return state, Happening(event, What.MOMENTARY, at, received, before, before, None, doubtful)
    back = event.meaning is Meaning.RESTORED
    fact = Fact(at, back, event.scope, *((event.id, event.created_text) if doubtful else ()))
    if _told(state.facts, fact, doubtful=doubtful):
        return state, Happening(event, What.REPEATED, at, received, before, before, None, doubtful)
    changed = DeviceState(_kept(tuple(sorted((*state.facts, fact)))))
    after = changed.view
    if back:
        what, lasted = _on_return(before, after, at, policy)
    else:
        what, lasted = _on_loss(state.facts, before, after, fact, policy)
    return changed, Happening(event, what, at, received, before, after, lasted, doubtful)


def fold_all(
    states: Mapping[str, DeviceState], events: Iterable[PowerEvent], received: int, policy: Policy = DEFAULT_POLICY
) -> tuple[dict[str, DeviceState], list[Happening]]:
    """Take events that came together into the states of their devices, by key; one that is not there is unknown.

    Gives the states that have changed, and what happened, in the order of the events. Linear in the events.
    """
    changed: dict[str, DeviceState] = {}
    happenings: list[Happening] = []
    for event in events:
        key = event.device.key
        old = changed.get(key) or states.get(key) or DeviceState()
        new, happening = fold(old, event, received, policy)
        if new is not old:
            changed[key] = new
        happenings.append(happening)
    return changed, happenings


def _credible(event: PowerEvent, received: int, policy: Policy) -> tuple[int, bool]:
    at = event.created
    if at is None or at > received + policy.ahead * SECOND or at < received - policy.behind * SECOND:
        return received, True
    return at, False


def _told(facts: tuple[Fact, ...], fact: Fact, *, doubtful: bool) -> bool:
    """Tell whether an event was taken in before: the same at the same time, or with the same time that is wrong.

    Ids alone do not decide: some send the same with every event.
    """
    alike = [known for known in facts if known.back is fact.back and known.scope is fact.scope]
    if not doubtful:
        return any(known.at == fact.at and not known.said for known in alike)
    if not fact.said:
        return any(fact.id and known.id == fact.id for known in alike)
    return any(known.said == fact.said and known.id in ("", fact.id or known.id) for known in alike)


def _on_loss(facts: tuple[Fact, ...], before: View, after: View, fact: Fact, policy: Policy) -> tuple[What, int | None]:
    if after.power is not before.power:
        return (What.LOST if after.power is Power.OUT else What.PARTLY_LOST), None
    if after.power is Power.ON:
        ended = min((f.at for f in facts if f.back and f.at >= fact.at and fact.scope in ENDS[f.scope]), default=None)
        return What.LATE, None if ended is None else ended - fact.at
    near = policy.merge * SECOND
    if any(not f.back and f.scope is fact.scope and abs(f.at - fact.at) <= near for f in facts):
        return What.REPEATED, None
    return (What.BEGAN if after.since != before.since else What.FURTHER), None


def _on_return(before: View, after: View, at: int, policy: Policy) -> tuple[What, int | None]:
    if after.power is before.power:
        if after.power is Power.ON:
            return What.ALREADY_ON, None
        return (What.BEGAN if after.since != before.since else What.STILL_OUT), None
    lasted = None if before.since is None else at - before.since
    if after.power is Power.PARTLY:
        return What.PARTLY_RESTORED, lasted
    brief = lasted is not None and lasted <= policy.momentary * SECOND
    return (What.MOMENTARY if brief else What.RESTORED), lasted


def _view(facts: tuple[Fact, ...]) -> View:
    if not facts:
        return View()
    restored = max((fact.at for fact in facts if fact.back), default=None)
    open_ = _open(facts)
    whole = [fact.at for fact in open_ if fact.scope is not Scope.PHASE]
    if whole:
        return View(Power.OUT, min(whole), restored)
    if open_:
        return View(Power.PARTLY, open_[0].at, restored)
    return View(Power.ON, None, restored)


def _open(facts: tuple[Fact, ...]) -> list[Fact]:
    """Give the losses that no restoration has ended, in the order of time."""
    ended: dict[Scope, int] = {}
    for fact in facts:
        if fact.back:
            for scope in ENDS[fact.scope]:
                ended[scope] = fact.at  # the facts are in order: the last one stays
    return [fact for fact in facts if not fact.back and fact.at > ended.get(fact.scope, fact.at - 1)]


def _kept(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Drop what matters least where there is too much: the oldest that decides nothing any more."""
    if len(facts) <= MOST_FACTS:
        return facts
    needed: set[Fact] = {fact for scope in Scope for fact in _last(facts, scope)}
    open_ = _open(facts)
    for scope in Scope:
        losses = [fact for fact in open_ if fact.scope is scope]
        needed.update((losses[0], losses[-1]) if losses else ())
    victim = next(fact for fact in facts if fact not in needed)
    return tuple(fact for fact in facts if fact is not victim)


def _last(facts: tuple[Fact, ...], scope: Scope) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact.back and fact.scope is scope)[-1:]
