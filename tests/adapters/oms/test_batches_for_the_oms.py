"""What the outage management system gets: single reports at once, storms in few messages, each valid."""

from itertools import count
from pathlib import Path

import pytest

from gateway.adapters.oms import Batches, BatchPolicy, Report, batch_message, reports_from_json, reports_to_json
from gateway.message import EnvelopeVersion, Header, read
from gateway.outages import BadState, DeviceState, OutageCodes, PowerEvent, fold, fold_all, power_events
from gateway.validation import Checker, SchemaSet
from tests.outages.telling import CODES, FAILED, PHASE_FAILED, RESTORED, at, event_xml, message, meter, told

SECOND = 1_000_000
SCHEMAS = Path(__file__).parents[3] / "schemas"
TYPE = "<NameType><name>Number</name><NameTypeAuthority><name>utility</name></NameTypeAuthority></NameType>"
POINT = "<UsagePoint><mRID>up</mRID></UsagePoint>"
States = dict[str, DeviceState]
HEADER = Header(
    "", "", source="GATE", context="TESTING", timestamp="2026-03-17T14:03:00Z", message_id="m-1", revision="1"
)


def lost(number: int, clock: str = "14:03") -> PowerEvent:
    return told(FAILED, clock, f"M-{number}")


def taken(batches: Batches, events: list[PowerEvent], received: int, states: States) -> list[int]:
    """Fold events and give the sizes of the batches that go out."""
    changed, happenings = fold_all(states, events, received)
    states |= changed
    return [len(batch) for batch in batches.take(happenings, received)]


def test_a_single_outage_goes_out_at_once() -> None:
    batches = Batches(BatchPolicy())
    assert taken(batches, [lost(1)], at("14:03"), {}) == [1]
    assert batches.next is None


def test_a_storm_goes_out_in_batches_by_count_and_the_rest_by_time() -> None:
    batches = Batches(BatchPolicy(calm=10, count=500, seconds=5))
    states: States = {}
    now = at("14:03")
    assert taken(batches, [lost(number) for number in range(1_200)], now, states) == [500, 500]
    assert batches.next == now + 5 * SECOND
    assert batches.due(now + 4 * SECOND) == []
    assert [len(batch) for batch in batches.due(now + 5 * SECOND)] == [200]
    assert batches.waiting == ()


def test_a_storm_of_many_small_messages_goes_out_in_few() -> None:
    batches, sizes = Batches(BatchPolicy(calm=10, count=500, seconds=5)), list[int]()
    states: States = {}
    now = at("14:03")
    for number in range(2_000):
        now += SECOND // 1000
        sizes += taken(batches, [lost(number)], now, states)
    sizes += [len(batch) for batch in batches.due(now + 5 * SECOND)]
    assert sum(sizes) == 2_000
    assert len(sizes) < 20


def test_repeated_last_gasps_are_not_told_again() -> None:
    batches = Batches(BatchPolicy())
    states: States = {}
    gasps = [lost(1), lost(1), lost(1, "14:03:20"), lost(1, "14:02:50")]
    assert taken(batches, gasps, at("14:04"), states) == [1]
    assert taken(batches, gasps, at("14:10"), states) == []


def test_a_momentary_outage_is_not_told_where_that_is_wished() -> None:
    batches = Batches(BatchPolicy(suppress_momentary=60))
    states: States = {}
    assert taken(batches, [lost(1), lost(2)], at("14:03"), states) == []
    assert taken(batches, [told(RESTORED, "14:03:30", "M-1")], at("14:03:35"), states) == []
    assert batches.suppressed == 1
    assert batches.next == at("14:04")
    [[report]] = batches.due(at("14:04"))
    assert report.device.shown == "M-2"
    assert taken(batches, [told(RESTORED, "14:05", "M-2")], at("14:05"), states) == [1]


def test_an_outage_that_is_over_after_longer_is_told_with_its_end() -> None:
    batches = Batches(BatchPolicy(suppress_momentary=60))
    states: States = {}
    taken(batches, [lost(1, "14:00")], at("14:03"), states)
    assert taken(batches, [told(RESTORED, "14:03:10", "M-1")], at("14:03:20"), states) == [2]


def test_a_phase_that_was_told_as_lost_is_told_as_restored() -> None:
    batches = Batches(BatchPolicy(suppress_momentary=60))
    states: States = {}
    taken(batches, [told(PHASE_FAILED, "14:00", "M-1")], at("14:00"), states)
    assert len(batches.due(at("14:02"))) == 1
    assert taken(batches, [told(FAILED, "14:03", "M-1")], at("14:03"), states) == [1]
    assert taken(batches, [told(RESTORED, "14:03:20", "M-1")], at("14:03:20"), states) == [1]


def reports() -> list[Report]:
    devices = (
        meter("M-1"),
        f"<Assets><mRID>abc</mRID><Names><name>M-2</name>{TYPE}</Names></Assets>{POINT}",
        "<UsagePoint><Names><name>UP &amp; co</name></Names></UsagePoint>",
    )
    xml = [event_xml(FAILED, "2026-03-17T14:03:00.25Z", device) for device in devices]
    found = [e for e in power_events(message(*xml), OutageCodes()) if isinstance(e, PowerEvent)]
    return [Report.of(fold(DeviceState(), event, at("14:04"))[1], at("14:04")) for event in found]


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_a_batch_is_a_valid_message_that_tells_the_same(version: EnvelopeVersion) -> None:
    schemas = SchemaSet({path.name: path.read_bytes() for path in SCHEMAS.glob("*.xsd")})
    raw = batch_message(reports(), HEADER, (f"id-{number}" for number in count()), version)
    built = read(raw)
    assert list(Checker(schemas).check(built).findings) == []
    assert (built.header.verb, built.header.noun, built.header.source) == ("created", "EndDeviceEvents", "GATE")
    again = [event for event in power_events(built, CODES) if isinstance(event, PowerEvent)]
    assert [event.device for event in again] == [report.device for report in reports()]
    assert [(event.code, event.created, event.id) for event in again] == [
        (FAILED, at("14:03:00.25"), f"id-{number}") for number in range(3)
    ]


def test_reports_that_wait_survive_a_stop() -> None:
    assert reports_from_json(reports_to_json(reports())) == tuple(reports())


@pytest.mark.parametrize("text", ["", "{}", '{"version":9,"reports":[]}', '{"version":1,"reports":[{}]}', "[1]"])
def test_a_text_that_holds_no_reports_is_refused(text: str) -> None:
    with pytest.raises(BadState):
        reports_from_json(text)
