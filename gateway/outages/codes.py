"""Which event types tell of power lost or back: declared once, with what each means and how sure that is.

A last gasp has no code of its own in the lists that we know: it comes as Power.Failed (`*.26.0.85`). Nor has a
momentary outage; sites whose head end has codes for these declare them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from gateway.codes import BadPattern, CodeKind, CodePattern, EventType, parse_pattern
from gateway.codes.device_codes import part_entry
from gateway.codes.tables import table


class Meaning(StrEnum):
    """What an event says of the power at a device."""

    OUT = "out"
    RESTORED = "restored"
    MOMENTARY = "momentary"
    """Power was away for a moment and is back: nothing changes."""
    LAST_GASP = "last gasp"
    """As out, told by the dying device itself: several are to be expected."""


class Scope(StrEnum):
    """Of what: the whole supply, the voltage as it is measured, or a phase (which one, the codes do not say)."""

    SUPPLY = "supply"
    VOLTAGE = "voltage"
    PHASE = "phase"


ENDS: Final[Mapping[Scope, frozenset[Scope]]] = {
    Scope.SUPPLY: frozenset(Scope),
    Scope.VOLTAGE: frozenset({Scope.VOLTAGE, Scope.PHASE}),
    Scope.PHASE: frozenset({Scope.PHASE}),
}
"""What a restoration ends: that of a phase ends no outage of the supply, the wider ends the narrower [inferred].

A phase that is still without power after that is told anew by its device.
"""


class Sureness(StrEnum):
    """How sure a meaning is: the list of named events says it, we infer it, or the site has declared it."""

    LISTED = "listed"
    INFERRED = "inferred"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class OutageCode:
    """A kind of event, its meaning, and how sure that is."""

    pattern: CodePattern
    meaning: Meaning
    scope: Scope
    sureness: Sureness


class BadOutageCode(ValueError):  # noqa: N818 - says what the declaration is
    """A site's own code cannot be used; the text says which, why, and what to write."""


def _code(pattern: str, meaning: Meaning, scope: Scope, sureness: Sureness) -> OutageCode:
    return OutageCode(parse_pattern(CodeKind.EVENT, pattern), meaning, scope, sureness)


OUTAGE_CODES: Final = (
    _code("*.26.0.85", Meaning.LAST_GASP, Scope.SUPPLY, Sureness.LISTED),
    _code("*.26.0.216", Meaning.RESTORED, Scope.SUPPLY, Sureness.LISTED),
    _code("*.26.38.47", Meaning.OUT, Scope.VOLTAGE, Sureness.LISTED),
    _code("*.26.38.37", Meaning.RESTORED, Scope.VOLTAGE, Sureness.INFERRED),
    _code("*.26.79.47", Meaning.OUT, Scope.PHASE, Sureness.LISTED),
    _code("*.26.25.85", Meaning.OUT, Scope.PHASE, Sureness.LISTED),
    _code("*.26.25.100", Meaning.OUT, Scope.PHASE, Sureness.INFERRED),
    _code("*.26.25.216", Meaning.RESTORED, Scope.PHASE, Sureness.LISTED),
    _code("*.26.25.72", Meaning.RESTORED, Scope.PHASE, Sureness.INFERRED),
    _code("*.26.25.37", Meaning.RESTORED, Scope.PHASE, Sureness.INFERRED),
)
"""Sags, swells and limits are of the quality of power; Power.Status.Disconnected tells of a switch [inferred]: neither
is an outage, and neither is here."""


class OutageCodes:
    """The codes that count. Later declarations go before earlier ones, and those of a site before all."""

    def __init__(self, site: Mapping[str, str] | None = None) -> None:
        """Take the site's own codes too: `{"3.26.0.300": "momentary", "*.26.25.301": "restored phase"}`.

        A meaning is `out`, `restored`, `momentary`, `last gasp` or `none`, then `voltage` or `phase` where it is not
        the whole supply. Raises `BadOutageCode`.
        """
        own = [_declared(pattern, words) for pattern, words in (site or {}).items()]
        self._codes = (*reversed(own), *((code.pattern, code) for code in OUTAGE_CODES))
        self._known: dict[str, OutageCode | None] = {}

    @property
    def domains(self) -> frozenset[str]:
        """The domains (second part) of the codes that count; `*` where a site has declared one for all domains."""
        return frozenset(pattern.parts[1] for pattern, meant in self._codes if meant is not None)

    def find(self, code: str) -> OutageCode | None:
        """Give what a code means for the power of a device; None for other events, and for what is no code."""
        if code in self._known:
            return self._known[code]
        found = None
        if CodeKind.EVENT.well_formed(code):
            found = next((meant for pattern, meant in self._codes if pattern.takes(code)), None)
        if len(self._known) < _REMEMBERED:  # a stranger must not fill the memory
            self._known[code] = found
        return found


_REMEMBERED: Final = 4096


def _declared(pattern: str, words: str) -> tuple[CodePattern, OutageCode | None]:
    try:
        parsed = parse_pattern(CodeKind.EVENT, pattern)
    except BadPattern as error:
        raise BadOutageCode(
            f"The outage code '{pattern}' is no event type: {error}. Write such as 3.26.0.85."
        ) from error
    said = words.strip().lower()
    if said == "none":
        return parsed, None
    scope = next((scope for scope in Scope if said.endswith(f" {scope.value}")), Scope.SUPPLY)
    meaning = said.removesuffix(f" {scope.value}").strip()
    if meaning not in list(Meaning):
        allowed = ", ".join(meaning.value for meaning in Meaning)
        raise BadOutageCode(
            f"The outage code '{pattern}' is declared as '{words}'. Write {allowed} or none, and behind it voltage or "
            "phase where it is not the whole supply."
        )
    return parsed, OutageCode(parsed, Meaning(meaning), scope, Sureness.SITE)


def code_named(text: str) -> str:
    """Give the code for what stands in a `ref`: a code, or the listed name of one (`Power.Failed`), of no device.

    A text that is neither comes back as it is.
    """
    text = text.strip()
    return text if CodeKind.EVENT.well_formed(text) else _named().get(text.casefold(), text)


def device_words(code: str) -> str:
    """Say what kind of device a code speaks of, for the start of a sentence: `electric meter`."""
    number = EventType.parse(code).device if CodeKind.EVENT.well_formed(code) else 0
    entry = part_entry("device", str(number))
    return "device" if number == 0 or entry is None else entry.label


@cache
def _named() -> Mapping[str, str]:
    return {entry.name.casefold(): pattern.replace("*", "0") for pattern, entry in table("events").items()}
