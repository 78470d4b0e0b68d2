from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.message import Finding, Severity

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]

_MINUTES_OF = {1: 10, 2: 15, 3: 1, 5: 30, 6: 5, 7: 60, 10: 2, 14: 3, 31: 20, 4: 1440, 79: 120, 81: 360}
_ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]


def _block(times: Sequence[str], period: int | str = 2) -> str:
    readings = "".join(f"<IntervalReadings><timeStamp>{time}</timeStamp></IntervalReadings>" for time in times)
    kind = f'<ReadingType ref="0.0.{period}.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>'
    return f"<MeterReading><IntervalBlocks>{readings}{kind}</IntervalBlocks></MeterReading>"


def _clock(*times: str) -> list[str]:
    return [f"2024-03-01T{time}+01:00" for time in times]


def _judged(judge: Judge, root: Root, times: Sequence[str], period: int | str = 2) -> list[Finding]:
    return judge(payload=root("MeterReadings", _block(times, period)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(_MINUTES_OF.items())),
    st.sampled_from(_ZONES),
    st.datetimes(datetime(2023, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - the zone is drawn apart
    st.integers(1, 120),
    st.booleans(),
)
def test_an_exact_grid_is_good_in_every_zone_over_every_change_of_the_clock(
    judge: Judge, root: Root, kind: tuple[int, int], zone: str, near: datetime, count: int, newest_first: bool
) -> None:
    code, minutes = kind
    step = timedelta(minutes=minutes)
    first = (
        datetime.min.replace(tzinfo=UTC) + (near.replace(tzinfo=UTC) - datetime.min.replace(tzinfo=UTC)) // step * step
    )
    times = [(first + number * step).astimezone(ZoneInfo(zone)).isoformat() for number in range(count)]
    assert _judged(judge, root, times[::-1] if newest_first else times, code) == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_days_of_23_and_25_hours_are_days(judge: Judge, root: Root, zone: str) -> None:
    for month in (3, 10, 11):
        midnights = [datetime(2026, month, day, tzinfo=ZoneInfo(zone)).isoformat() for day in range(1, 31)]
        assert _judged(judge, root, midnights, 4) == []


def test_a_gap_is_no_fault_and_neither_is_the_fraction_of_zero(judge: Judge, root: Root) -> None:
    assert _judged(judge, root, _clock("00:15:00", "00:30:00", "04:00:00", "04:15:00", "04:30:00")) == []
    assert _judged(judge, root, ["2024-03-01T00:15:00.000Z", "2024-03-01T00:30:00.000Z"]) == []


def test_times_off_the_grid_are_told_once_with_their_number(judge: Judge, root: Root) -> None:
    [finding] = _judged(judge, root, _clock("00:15:00", "00:31:00", "00:45:00", "01:00:01"))
    assert (finding.rule, finding.severity, finding.code) == ("interval-grid", Severity.WARNING, "1.8")
    assert finding.text.startswith("2 of 4 readings are off the grid of 15 minutes")
    assert finding.found == "2024-03-01T00:31:00+01:00"
    assert finding.xpath.endswith("/IntervalBlocks/IntervalReadings[2]/timeStamp")


def test_a_single_reading_can_be_off_the_grid(judge: Judge, root: Root) -> None:
    [finding] = _judged(judge, root, _clock("00:07:00"))
    assert finding.text.startswith("The reading is off the grid of 15 minutes")


def test_readings_evenly_further_apart_than_their_type_says_are_told(judge: Judge, root: Root) -> None:
    [finding] = _judged(judge, root, _clock("01:00:00", "02:00:00", "03:00:00", "04:00:00"))
    assert finding.rule == "interval-grid"
    assert "All 4 readings are 60 minutes apart, but their ReadingType names 15 minutes." in finding.text
    assert _judged(judge, root, _clock("01:00:00", "02:00:00", "03:00:00", "04:00:00"), 7) == []


def test_a_period_of_hours_may_start_at_any_hour_but_keeps_to_it(judge: Judge, root: Root) -> None:
    assert _judged(judge, root, _clock("01:00:00", "03:00:00", "07:00:00"), 79) == []
    [finding] = _judged(judge, root, _clock("01:00:00", "03:00:00", "06:00:00"), 79)
    assert "off the grid of 2 hours" in finding.text


@pytest.mark.parametrize("period", [0, 15, 57, 72, 100])
def test_periods_without_a_fixed_length_and_rolling_blocks_have_no_grid(judge: Judge, root: Root, period: int) -> None:
    assert _judged(judge, root, _clock("00:07:00", "00:08:30"), period) == []


def test_a_type_that_is_no_code_has_no_grid(judge: Judge, root: Root) -> None:
    declared = "<ReadingType><Names><name>energy</name></Names></ReadingType>"
    block = _block(_clock("00:07:00", "00:08:30")).replace("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "energy")
    assert judge(payload=root("MeterReadings", block + declared)) == []


def test_two_readings_of_one_time_are_told(judge: Judge, root: Root) -> None:
    [finding] = _judged(judge, root, ["2024-03-01T00:15:00Z", "2024-03-01T00:30:00Z", "2024-03-01T01:15:00+01:00"])
    assert (finding.rule, finding.found) == ("interval-order", "2024-03-01T01:15:00+01:00")


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset(judge: Judge, root: Root) -> None:
    times = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00"]
    assert _judged(judge, root, [*times, "2026-10-25T02:15:00+01:00", "2026-10-25T02:30:00+01:00"]) == []


def test_readings_out_of_order_are_told_at_the_first_that_is(judge: Judge, root: Root) -> None:
    [finding] = _judged(judge, root, _clock("00:15:00", "00:45:00", "00:30:00", "01:00:00"))
    assert (finding.rule, finding.found) == ("interval-order", "2024-03-01T00:30:00+01:00")


def test_times_without_offset_are_compared_by_the_clock(judge: Judge, root: Root) -> None:
    findings = _judged(judge, root, ["2024-03-01T00:15:00", "2024-03-01T00:31:00"])
    assert [finding.rule for finding in findings] == ["interval-grid", "timestamp-offset"]
    assert "1 more place" in findings[1].text


def test_the_hour_24_is_midnight_on_the_grid(judge: Judge, root: Root) -> None:
    times = ["2024-03-01T23:45:00Z", "2024-03-01T24:00:00Z", "2024-03-02T00:15:00Z"]
    assert [finding.rule for finding in _judged(judge, root, times)] == ["timestamp-24"]


def test_readings_without_a_time_are_left_alone(judge: Judge, root: Root) -> None:
    block = _block(_clock("00:15:00")).replace("<IntervalReadings>", "<IntervalReadings/><IntervalReadings>", 1)
    assert judge(payload=root("MeterReadings", block)) == []
