"""A replay keeps the spacing that was recorded, at any speed, and never sends more than it may."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.replay import BadPace, Pace, Timetable

GAPS = st.lists(st.floats(0, 1_000, width=32), min_size=1, max_size=50)
SPEEDS = st.floats(0.01, 1_000)
RATES = st.floats(0.01, 10_000)
START = 1_773_748_800.0


def times(gaps: list[float]) -> list[float]:
    at, found = START, []
    for gap in gaps:
        at += gap
        found.append(at)
    return found


def dues(pace: Pace, at: list[float]) -> list[float]:
    timetable = Timetable(pace)
    return [timetable.due(one) for one in at]


@given(GAPS, SPEEDS)
def test_the_spacing_is_the_recorded_one_at_any_speed(gaps: list[float], speed: float) -> None:
    at = times(gaps)
    assert dues(Pace(speed), at) == pytest.approx([(one - at[0]) / speed for one in at], rel=1e-6, abs=1e-6)


@given(GAPS)
def test_at_full_speed_there_are_no_pauses(gaps: list[float]) -> None:
    assert set(dues(Pace(None), times(gaps))) == {0.0}


@given(GAPS, st.none() | SPEEDS, RATES)
def test_the_ceiling_is_kept_and_nothing_is_sent_early(gaps: list[float], speed: float | None, rate: float) -> None:
    at = times(gaps)
    limited, free = dues(Pace(speed, rate), at), dues(Pace(speed), at)
    assert all(later - earlier >= 1 / rate * (1 - 1e-6) - 1e-6 for earlier, later in pairwise(limited))
    assert all(one >= other for one, other in zip(limited, free, strict=True))


def test_after_a_rush_the_recorded_time_is_caught_up_with() -> None:
    rush = [START] * 11
    assert dues(Pace(1.0, 10), [*rush, START + 60])[-2:] == [pytest.approx(1.0), 60.0]


@given(st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=50), st.none() | SPEEDS, st.none() | RATES)
def test_what_was_recorded_out_of_order_is_sent_in_its_place(
    steps: list[float], speed: float | None, rate: float | None
) -> None:
    found = dues(Pace(speed, rate), times(steps))
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("written", "speed"), [("as-recorded", 1.0), ("1x", 1.0), ("10X", 10.0), ("0.5x", 0.5), ("max", None)]
)
def test_a_speed_is_read(written: str, speed: float | None) -> None:
    assert Pace.read(written, "200/s") == Pace(speed, 200.0)


@pytest.mark.parametrize(
    ("speed", "rate"),
    [*((speed, None) for speed in ("fast", "10", "0x", "-1x", "infx", "nanx")), ("max", "0/s"), ("max", "x")],
)
def test_what_is_no_speed_or_rate_is_refused_with_what_to_write(speed: str, rate: str | None) -> None:
    with pytest.raises(BadPace, match="write"):
        Pace.read(speed, rate)
