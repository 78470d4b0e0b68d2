"""A reading type as one sentence: `15-minute delta of active energy delivered (forward), in kWh` and the like."""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.codes.dotted import spoken
from gateway.codes.reading_parts import is_known, label_of, phase_bits
from gateway.codes.tables import NONE
from gateway.codes.words import as_sentence

_KIND_OF_POWER: Final = {
    **{("12", unit): f"{adjective} energy" for unit, adjective in (("72", "active"), ("73", "reactive"))},
    **{("37", unit): f"{adjective} power" for unit, adjective in (("38", "active"), ("63", "reactive"))},
    ("12", "71"): "apparent energy",
    ("37", "61"): "apparent power",
}
"""Measurement kinds 12 (energy) and 37 (power) say which by their unit."""
_ADJECTIVES: Final = frozenset({"4", "5", "7", "11", "12", "27", "28"})
"""Aggregates that do not take `of`: nominal voltage, but average of voltage."""
_TAIL: Final = (
    *("commodity", "tou", "cpp", "consumption_tier", "phases", "interharmonic_numerator", "argument_numerator"),
)
_TOLD_ELSEWHERE: Final = frozenset(
    {"interharmonic_denominator", "argument_denominator", "multiplier", "unit_of_measure", "phases"}
)


def sentence_of(numbers: Mapping[str, str], unit: str) -> str:
    """Say what a reading type with these numbers measures; numbers that no table knows come last, as numbers."""
    if all(number == NONE for number in numbers.values()):
        return "A reading type that says nothing: all its parts are 0."
    flow = label_of("flow_direction", numbers)
    measured = f"{_head(numbers)}{_quantity(numbers)}{f' {flow}' if flow else ''}"
    return as_sentence(", ".join([measured, *_tail(numbers, unit), *_unknown(numbers)]))


def _head(numbers: Mapping[str, str]) -> str:
    macro, aggregate = label_of("macro_period", numbers), label_of("aggregate", numbers)
    period, accumulation = label_of("measuring_period", numbers), label_of("accumulation", numbers)
    mean = (aggregate, numbers["aggregate"] not in _ADJECTIVES)
    # A billing-period maximum, but a 15-minute average: the aggregate goes with the longer period where there is one.
    order = [(macro, False), mean, (period, False)] if macro else [(period, False), mean]
    words = [(word, is_noun) for word, is_noun in (*order, (accumulation, True)) if word]
    if not words:
        return ""
    return f"{' '.join(word for word, _ in words)} {'of ' if words[-1][1] else ''}"


def _quantity(numbers: Mapping[str, str]) -> str:
    kind = numbers["measurement_kind"]
    if by_unit := _KIND_OF_POWER.get((kind, numbers["unit_of_measure"])):
        return by_unit
    return label_of("measurement_kind", numbers) or ("quantity" if kind == NONE else f"quantity of kind {kind}")


def _tail(numbers: Mapping[str, str], unit: str) -> Iterator[str]:
    yield from filter(None, (label_of(field, numbers) for field in _TAIL))
    if not is_known("phases", numbers):
        bits = phase_bits(int(numbers["phases"]))
        yield f"phases {numbers['phases']} ({f'by its bits {bits}' if bits else 'unknown'})"
    if unit:
        yield f"in {unit}{'' if is_known('unit_of_measure', numbers) else ' (unknown)'}"
    if label_of("currency", numbers) not in ("", unit):
        yield f"currency {label_of('currency', numbers)}"


def _unknown(numbers: Mapping[str, str]) -> Iterator[str]:
    for field in numbers:
        if field in _TOLD_ELSEWHERE or is_known(field, numbers):
            continue
        if field.endswith("_numerator"):
            pair = field.removesuffix("_numerator")
            yield f"{pair} {numbers[field]}/{numbers[f'{pair}_denominator']} (unknown)"
        else:
            yield f"{spoken(field)} {numbers[field]} (unknown)"
