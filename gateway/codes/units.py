"""The unit of a reading type in the way people write it: multiplier and unit together are `kWh`."""

from typing import Final

from gateway.codes.tables import NONE, table

_MONEY: Final = "80"
_LONGEST_SYMBOL: Final = 4
_NO_PREFIX: Final = frozenset({"rev", "min", "h", "d", "ppm", "BTU", "mmHg"})
"""Symbols that nobody writes with kilo or milli."""


def unit_text(unit: int, multiplier: int, currency: int) -> str:
    """Give a unit such as `kWh`, `10^3 m³`, `mA`, `USD`; empty where the code names none.

    A unit that is not known is named by its number.
    """
    symbol = _symbol(str(unit), str(currency))
    if multiplier == 0:
        return symbol
    prefix = table("reading_multiplier").get(str(multiplier))
    if prefix is not None and symbol.isalpha() and len(symbol) <= _LONGEST_SYMBOL and symbol not in _NO_PREFIX:
        return prefix.columns["symbol"] + symbol
    return f"10^{multiplier} {symbol}".rstrip()


def _symbol(unit: str, currency: str) -> str:
    if unit == _MONEY and currency != NONE:
        known = table("reading_currency").get(currency)
        return known.name if known is not None else f"currency {currency}"
    entry = table("reading_unit_of_measure").get(unit)
    if entry is None:
        return f"unit {unit}"
    return "" if unit == NONE else entry.columns["symbol"] or entry.label
