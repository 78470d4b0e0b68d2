"""A system and its routes, as a route file states them."""

from dataclasses import dataclass
from typing import Final

from gateway.codes.patterns import CodeKind, CodePattern
from gateway.message.nouns import OPERATION_SET
from gateway.message.verbs import EVENT_VERBS, Verb

ANY = "*"
CODE_KEYS: Final = {CodeKind.EVENT: "events", CodeKind.CONTROL: "controls", CodeKind.READING: "readings"}
"""The keys of a route file that ask for codes."""
_SET_VERBS = frozenset({Verb.EXECUTE, Verb.EXECUTED})


@dataclass(frozen=True, slots=True)
class System:
    """A receiving system: its name, where it is reached (`queue:NAME`), the Header.Source values it sends under.

    `dialect` names the source of the settings in whose dialect it is written to; empty: as the standard has it.
    """

    name: str
    address: str
    sources: tuple[str, ...]
    file: str
    dialect: str = ""
    dialect_line: int = 1


@dataclass(frozen=True, slots=True)
class PropertyValues:
    """A Header.Property that a route asks for, or will not have: its name and the values that count (`*`: any)."""

    name: str
    values: tuple[str, ...]

    @property
    def any_value(self) -> bool:
        """Whether the name alone counts."""
        return ANY in self.values

    def includes(self, other: "PropertyValues") -> bool:
        """Tell whether every name and value that counts for the other counts for this one."""
        return self.name == other.name and (
            self.any_value or (not other.any_value and set(other.values) <= set(self.values))
        )


@dataclass(frozen=True, slots=True)
class RouteOptions:
    """How a conversation by this route is held: seconds until it ends, and how its replies reach the asker.

    `aggregate`: one answer when all systems have given theirs; else each reply is handed on as it comes.
    `publish`: the past-tense event follows a success. `last_is_ok`: the last of several replies says OK, not PARTIAL.
    `journal`: how much of its messages the journal keeps (full, headers, off); empty where it does not say.
    `reads`: a get of the noun by the ids of its objects tells their state, so that operations of a set can be undone.
    """

    timeout: float | None = None
    aggregate: bool = False
    publish: bool = False
    last_is_ok: bool = False
    reads: bool = False
    journal: str = ""


PLAIN: Final = RouteOptions()
"""The options of a route that says nothing about them."""


@dataclass(frozen=True, slots=True)
class Route:
    """One `[[route]]`: the messages that its system receives. Criteria that are empty ask for nothing.

    `number` counts the routes of a file from 1; `pairs` are the (noun, verb) pairs it takes, wildcards spelt out.
    """

    system: System
    number: int
    line: int
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    name: str = ""
    note: str = ""
    contexts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    not_sources: tuple[str, ...] = ()
    properties: tuple[PropertyValues, ...] = ()
    not_properties: tuple[PropertyValues, ...] = ()
    events: tuple[CodePattern, ...] = ()
    controls: tuple[CodePattern, ...] = ()
    readings: tuple[CodePattern, ...] = ()
    options: RouteOptions = PLAIN

    @property
    def label(self) -> str:
        """What to call the route: `OMS route 2 'outages' (oms.toml:14)`."""
        name = f" '{self.name}'" if self.name else ""
        return f"{self.system.name} route {self.number}{name} ({self.system.file}:{self.line})"

    def patterns(self, kind: CodeKind) -> tuple[CodePattern, ...]:
        """Give the patterns over one kind of code."""
        match kind:
            case CodeKind.EVENT:
                return self.events
            case CodeKind.CONTROL:
                return self.controls
            case CodeKind.READING:
                return self.readings
            case CodeKind.QUALITY:  # no route asks for the quality of readings
                return ()


def can_occur(noun: str, verb: str) -> bool:
    """Tell whether a valid message may have the pair: execute and executed are the verbs of OperationSet alone."""
    return (noun == OPERATION_SET) is (verb in _SET_VERBS)


def is_event(verb: str) -> bool:
    """Tell an event by its verb: past tense. Nobody receives back an event of its own."""
    return verb in EVENT_VERBS
