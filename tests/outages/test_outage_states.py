"""How a device stands after what was told of it, and how that is said."""

from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest

from gateway.outages import (
    OUTAGE_CODES,
    BadOutageCode,
    BadState,
    DeviceState,
    OutageCodes,
    Policy,
    Power,
    What,
    describe,
    from_json,
    to_json,
)
from gateway.outages.codes import Sureness
from tests.outages.telling import (
    CODES,
    FAILED,
    PHASE_FAILED,
    PHASE_RESTORED,
    RESTORED,
    VOLTAGE_LOST,
    VOLTAGE_NORMAL,
    at,
    folded,
    told,
)

PHASE_LATER = (told(PHASE_FAILED, "14:10"), "14:10")


def words(*events: tuple[tuple[str, str], str]) -> list[str]:
    """Tell what is said of events: (code, time), and the time at which each came."""
    _, happenings = folded((told(*event), received) for event, received in events)
    return [describe(happening, UTC).removeprefix("electric meter M-1 ") for happening in happenings]


def test_an_outage_and_its_end_are_told_in_words() -> None:
    _, (lost, back) = folded([(told(FAILED, "14:03"), "14:03:10"), (told(RESTORED, "14:15"), "14:15:05")])
    assert describe(lost, UTC) == "electric meter M-1 lost power at 14:03"
    assert describe(back, UTC) == "electric meter M-1 restored at 14:15 after 12 min"
    assert describe(lost, timezone(timedelta(hours=1))) == "electric meter M-1 lost power at 15:03"


@pytest.mark.parametrize(
    ("events", "last"),
    [
        ([((FAILED, "14:03"), "14:03"), ((RESTORED, "14:03:42"), "14:04")], "restored at 14:03 after 42 s (momentary)"),
        ([((RESTORED, "14:03"), "14:03")], "restored at 14:03 (no outage was known)"),
        ([((FAILED, "14:03"), "14:03"), ((FAILED, "14:03"), "14:05")], "lost power at 14:03, told again"),
        ([((FAILED, "14:03"), "14:03"), ((FAILED, "14:03:30"), "14:05")], "lost power at 14:03, told again"),
        (
            [((FAILED, "14:03"), "14:03"), ((FAILED, "14:10"), "14:10")],
            "lost power at 14:10 once more, without power since 14:03",
        ),
        (
            [((FAILED, "14:03"), "14:03"), ((FAILED, "13:50"), "14:10")],
            "lost power at 13:50, told late: it is without power since 13:50",
        ),
        (
            [((RESTORED, "14:15"), "14:15"), ((FAILED, "14:03"), "14:20")],
            "lost power at 14:03 for 12 min, told late: power is back since 14:15",
        ),
        (
            [((FAILED, "14:03"), "14:03"), ((RESTORED, "14:01"), "14:20")],
            "restored at 14:01, but is without power since 14:03",
        ),
        (
            [((FAILED, "14:03"), "14:03"), ((FAILED, "14:10"), "14:10"), ((RESTORED, "14:06"), "14:20")],
            "restored at 14:06, told late: it is without power since 14:10",
        ),
        (
            [((FAILED, "14:03"), "14:03"), ((PHASE_RESTORED, "14:06"), "14:06")],
            "phase restored at 14:06, but is without power since 14:03",
        ),
        ([((PHASE_FAILED, "14:03"), "14:03")], "lost a phase at 14:03"),
        ([((VOLTAGE_LOST, "14:03"), "14:03")], "lost voltage at 14:03"),
        (
            [((VOLTAGE_LOST, "14:03"), "14:03"), ((VOLTAGE_NORMAL, "14:33"), "14:33")],
            "voltage restored at 14:33 after 30 min",
        ),
        (
            [((RESTORED, "14:15"), "14:15"), ((RESTORED, "14:20"), "14:20")],
            "restored at 14:20, which was known: power is back since 14:20",
        ),
    ],
)
def test_what_an_event_comes_to_is_said(events: list[tuple[tuple[str, str], str]], last: str) -> None:
    assert words(*events)[-1] == last


def test_a_phase_that_is_out_when_the_outage_before_it_ends_late_is_still_out() -> None:
    state, (*_, last) = folded([(told(FAILED, "14:03"), "14:03"), PHASE_LATER, (told(RESTORED, "14:09"), "14:12")])
    assert last.what is What.PARTLY_RESTORED
    assert describe(last, UTC).endswith("restored at 14:09 after 6 min, but is without a phase since 14:10")
    assert state.view.power is Power.PARTLY


def test_a_restoration_of_a_phase_does_not_end_an_outage_of_the_supply_and_the_other_way_it_does() -> None:
    both = [(told(PHASE_FAILED, "14:00"), "14:00"), (told(FAILED, "14:03"), "14:03")]
    inner, _ = folded([*both, (told(PHASE_RESTORED, "14:06"), "14:06")])
    assert (inner.view.power, inner.view.since) == (Power.OUT, at("14:03"))
    outer, _ = folded([*both, (told(RESTORED, "14:06"), "14:06")])
    assert (outer.view.power, outer.view.restored) == (Power.ON, at("14:06"))


def test_a_late_loss_does_not_turn_the_light_off_again() -> None:
    state, (_, late) = folded([(told(RESTORED, "14:15"), "14:15"), (told(FAILED, "14:03"), "16:00")])
    assert late.what is What.LATE
    assert state.view.power is Power.ON


def test_of_loss_and_restoration_in_the_same_second_power_is_back() -> None:
    for first, second in ((FAILED, RESTORED), (RESTORED, FAILED)):
        state, _ = folded([(told(first, "14:03"), "14:03"), (told(second, "14:03"), "14:03")])
        assert state.view.power is Power.ON


def test_how_long_a_momentary_outage_is_is_for_the_site_to_say() -> None:
    events = [(told(FAILED, "14:03"), "14:03"), (told(RESTORED, "14:05"), "14:05")]
    assert folded(events)[1][1].what is What.MOMENTARY
    assert folded(events, Policy(momentary=60))[1][1].what is What.RESTORED


@pytest.mark.parametrize("clock", ["23:59", None])
def test_a_time_that_is_missing_or_to_come_is_that_of_arrival_and_blocks_no_restoration(clock: str | None) -> None:
    wrong = told(FAILED, clock, text="2026-03-17T23:59:00Z")
    state, (lost, back) = folded([(wrong, "14:03"), (told(RESTORED, "14:15"), "14:15")])
    assert lost.doubtful
    assert describe(lost, UTC).endswith("lost power at 14:03 (time of arrival: its own is missing or wrong)")
    assert back.lasted == 12 * 60 * 1_000_000
    assert state.view.power is Power.ON


def test_a_clock_that_was_reset_does_not_hide_an_outage() -> None:
    event = told(FAILED, None)
    reset = type(event)(event.device, FAILED, event.meaning, event.scope, 0, "1970-01-01T00:00:00Z")
    state, _ = folded([(told(RESTORED, "12:00"), "12:00"), (reset, "14:03")])
    assert (state.view.power, state.view.since) == (Power.OUT, at("14:03"))


def test_an_event_with_a_wrong_time_that_is_sent_again_is_known_again() -> None:
    wrong = told(FAILED, None, text="yesterday", mrid="e-1")
    state, happenings = folded([(wrong, "14:03"), (told(RESTORED, "14:15"), "14:15"), (wrong, "14:30")])
    assert happenings[2].what is What.REPEATED
    assert state.view.power is Power.ON


def test_events_without_times_are_known_again_by_their_ids_alone() -> None:
    first, second = told(FAILED, None, mrid="e-1"), told(FAILED, None, mrid="e-2")
    back = (told(RESTORED, "14:15"), "14:15")
    assert folded([(first, "14:03"), back, (first, "14:30")])[0].view.power is Power.ON
    assert folded([(first, "14:03"), back, (second, "14:30")])[0].view.power is Power.OUT


def test_a_partner_that_gives_all_its_events_one_id_loses_none() -> None:
    events = [
        (told(FAILED, "14:03", mrid="?"), "14:03"),
        (told(RESTORED, "14:30", mrid="?"), "14:30"),
        (told(FAILED, "15:00", mrid="?"), "15:00"),
    ]
    assert folded(events)[0].view.power is Power.OUT


def test_a_date_stands_with_a_time_of_another_day() -> None:
    _, (lost,) = folded([(told(FAILED, "14:03"), "14:03")])
    later = type(lost)(lost.event, lost.what, lost.at, lost.received + 86_400_000_000, lost.before, lost.after)
    assert describe(later, UTC) == "electric meter M-1 lost power at 2026-03-17 14:03"


def test_the_state_is_kept_as_json() -> None:
    state, _ = folded([(told(FAILED, "14:03"), "14:03"), (told(RESTORED, None, text="x", mrid="e"), "14:15")])
    assert from_json(to_json(state)) == state
    assert from_json(to_json(DeviceState())) == DeviceState()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        "{}",
        '{"version":1}',
        '{"version":2,"facts":[]}',
        '{"version":1,"facts":[[1,2,"supply"]]}',
        '{"version":1,"facts":[[1,true,"gas"]]}',
        '{"version":1,"facts":[[1,true,"phase",4]]}',
        '{"version":1,"facts":[1]}',
    ],
)
def test_a_text_that_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(BadState):
        from_json(text)


def test_a_storm_of_reports_of_one_device_does_not_let_its_state_grow() -> None:
    events = [(told(FAILED, f"14:{minute:02}:{second:02}"), "16:00") for minute in range(60) for second in (0, 30)]
    state, _ = folded(events)
    assert len(to_json(state)) < 1_000
    assert (state.view.power, state.view.since) == (Power.OUT, at("14:00"))
    assert folded([(told(RESTORED, "15:00"), "16:00")], state=state)[0].view.power is Power.ON


def test_every_code_says_how_sure_its_meaning_is_and_listed_ones_are_in_the_list() -> None:
    for code in OUTAGE_CODES:
        found = CODES.find(f"3{str(code.pattern).removeprefix('*')}")
        assert found is code
        assert code.sureness in (Sureness.LISTED, Sureness.INFERRED)


def test_a_site_declares_codes_of_its_own_and_takes_ours_away() -> None:
    codes = OutageCodes({"3.26.0.300": "momentary", "*.26.25.301": "restored phase", "*.26.0.85": "none"})
    momentary = codes.find("3.26.0.300")
    assert momentary is not None
    assert codes.find("3.26.0.85") is None
    assert codes.find("3.12.0.257") is None
    assert codes.find("no code") is None


def test_a_momentary_outage_that_has_a_code_changes_nothing() -> None:
    codes = OutageCodes({"3.26.0.300": "momentary"})
    meant = codes.find("3.26.0.300")
    assert meant is not None
    event = told(FAILED, "14:03")
    momentary = type(event)(event.device, "3.26.0.300", meant.meaning, meant.scope, event.created)
    state, (happening,) = folded([(momentary, "14:03")])
    assert state.view.power is Power.UNKNOWN
    assert describe(happening, UTC) == "electric meter M-1 had a momentary outage at 14:03"


@pytest.mark.parametrize(
    ("pattern", "words", "says"),
    [
        ("3.26.0", "out", "The outage code '3.26.0' is no event type: it has 3 parts"),
        ("3.26.0.1", "dark", "is declared as 'dark'. Write out, restored, momentary, last gasp or none"),
        ("3.26.0.1", "out gas", "is declared as 'out gas'"),
    ],
)
def test_a_code_that_is_declared_wrongly_is_refused(pattern: str, words: str, says: str) -> None:
    with pytest.raises(BadOutageCode) as caught:
        OutageCodes({pattern: words})
    assert says in str(caught.value)


def test_the_page_names_every_code_with_its_meaning_and_how_sure_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "outages.md").read_text("utf-8")
    rows = [f"| `{code.pattern}` | {code.meaning} | {code.scope} | {code.sureness} |" for code in OUTAGE_CODES]
    assert [line for line in page.splitlines() if line.startswith("| `*")] == rows
