"""Short names of reading types: `kWh delivered`, `15-min kWh received`, `kVArh Q1+Q2`, `V phase A`.

An alias leaves out what goes without saying (electricity, secondary metered; the accumulation that such a quantity
usually has) and names everything else, so that no two common reading types share one.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from gateway.codes.dotted import spoken
from gateway.codes.reading_parts import is_known, label_of
from gateway.codes.tables import NONE, table

_USUAL_KIND: Final = {
    **dict.fromkeys(("71", "72", "73"), "12"),
    **dict.fromkeys(("38", "61", "63"), "37"),
    **dict.fromkeys(("42", "119", "120", "121", "134", "156", "157", "166", "167"), "58"),
    "29": "54",
    "5": "4",
    "33": "15",
    "65": "38",
    "23": "46",
}
"""What a unit usually measures: Wh energy, W power, m³ volume, V voltage."""
_COUNTED: Final = frozenset({"12", "58"})
"""Kinds that registers add up: energy and volume. Others are values at a moment."""
_BULK, _DELTA, _INDICATING = "1", "4", "6"
_SECONDARY, _PRIMARY = "1", "2"
_MEGA: Final = re.compile(r"\bM(?=[A-Z])")
"""The one prefix that its case tells from another: MWh is not mWh."""
_SHORTENED: Final = (
    (re.compile(r"-minute\b"), "-min"),
    (re.compile(r"time-of-use period "), "TOU "),
    (re.compile(r"critical-peak period "), "CPP "),
)


def alias_of(numbers: Mapping[str, str], unit: str) -> str:
    """Give the short name of a reading type with these numbers."""
    words = [
        *(_said(field, numbers) for field in ("macro_period", *_by_period(numbers))),
        _accumulation(numbers),
        unit or "no unit",
        _kind(numbers),
        _commodity(numbers),
        _short("flow_direction", numbers),
        *(_said(field, numbers) for field in ("tou", "cpp", "consumption_tier", "phases")),
        *(_pair(pair, numbers) for pair in ("interharmonic", "argument")),
        "(primary)" if numbers["commodity"] == _PRIMARY else "",
        _currency(numbers, unit),
    ]
    return " ".join(filter(None, words))


def normal(alias: str) -> str:
    """Bring an alias into the one form that comparing needs: case, spaces, `min` for minutes, `m3` for `m³`."""
    folded = " ".join(_MEGA.sub("mega", alias).casefold().replace("³", "3").replace("²", "2").split())
    return re.sub(r"(\d+)[ -]?min(?:ute)?s?\b", r"\1-min", folded)


def common_types() -> Iterator[dict[str, int]]:
    """Give the numbers of the reading types that an alias may stand for."""
    energy = ("71", "72", "73")
    power = ("38", "61", "63")
    flows = ("0", "1", "19", "2", "3", "4", "5", "8", "10", "13", "15", "16", "17", "18", "20")
    periods = ("0", "1", "2", "3", "4", "5", "6", "7", "31")
    for (unit, kind), multiplier, flow, macro_and_period in product(
        [*((unit, "12") for unit in energy), *((unit, "37") for unit in power)],
        ("0", "3", "6"),
        flows,
        [*(("0", period) for period in periods), ("8", "0"), ("11", "0"), ("13", "0")],
    ):
        yield _made(kind, unit, multiplier, macro_and_period, flow=flow)
    for unit, kind in (("29", "54"), ("5", "4")):
        for phase, period in product(("0", "128", "64", "32", "224"), periods):
            yield _made(kind, unit, "0", ("0", period), phases=phase)
    for commodity, unit, flow in product(("7", "9"), ("42", "119", "134"), ("0", "1")):
        for macro_and_period in (("0", "0"), ("11", "0"), ("13", "0"), ("0", "7")):
            yield _made("58", unit, "0", macro_and_period, commodity=commodity, flow=flow)


def _made(
    kind: str,
    unit: str,
    multiplier: str,
    macro_and_period: tuple[str, str],
    *,
    commodity: str = _SECONDARY,
    flow: str = NONE,
    phases: str = NONE,
) -> dict[str, int]:
    macro, period = macro_and_period
    return {
        "macro_period": int(macro),
        "measuring_period": int(period),
        "accumulation": int(_usual_accumulation(kind, period, NONE)),
        "flow_direction": int(flow),
        "commodity": int(commodity),
        "measurement_kind": int(kind),
        "phases": int(phases),
        "multiplier": int(multiplier),
        "unit_of_measure": int(unit),
    }


def _usual_accumulation(kind: str, period: str, aggregate: str) -> str:
    if kind in _COUNTED:
        return _DELTA if period != NONE else _BULK
    return _INDICATING if kind in _USUAL_KIND.values() and aggregate == NONE else NONE


def _by_period(numbers: Mapping[str, str]) -> tuple[str, str]:
    period, aggregate = "measuring_period", "aggregate"
    return (aggregate, period) if numbers["macro_period"] != NONE else (period, aggregate)


def _said(field: str, numbers: Mapping[str, str]) -> str:
    if numbers[field] == NONE:
        return ""
    if not is_known(field, numbers):
        return f"{spoken(field)} {numbers[field]}"
    words = label_of(field, numbers)
    for long, short in _SHORTENED:
        words = long.sub(short, words)
    return words


def _short(field: str, numbers: Mapping[str, str]) -> str:
    entry = table(f"reading_{field}").get(numbers[field])
    return entry.columns["short"] if entry is not None else f"{spoken(field)} {numbers[field]}"


def _accumulation(numbers: Mapping[str, str]) -> str:
    usual = _usual_accumulation(numbers["measurement_kind"], numbers["measuring_period"], numbers["aggregate"])
    if numbers["accumulation"] == usual:
        return ""
    return _short("accumulation", numbers) or "unspecified"


def _kind(numbers: Mapping[str, str]) -> str:
    kind = numbers["measurement_kind"]
    if _USUAL_KIND.get(numbers["unit_of_measure"]) == kind:
        return ""
    return _said("measurement_kind", numbers) or "of no kind"


def _commodity(numbers: Mapping[str, str]) -> str:
    if numbers["commodity"] in (_SECONDARY, _PRIMARY):
        return ""
    return _said("commodity", numbers) or "of no commodity"


def _pair(pair: str, numbers: Mapping[str, str]) -> str:
    fraction = f"{numbers[f'{pair}_numerator']}/{numbers[f'{pair}_denominator']}"
    if fraction == f"{NONE}/{NONE}":
        return ""
    return label_of(f"{pair}_numerator", numbers) or f"{pair} {fraction}"


def _currency(numbers: Mapping[str, str], unit: str) -> str:
    currency = label_of("currency", numbers)
    return "" if currency and currency in unit else _said("currency", numbers)
