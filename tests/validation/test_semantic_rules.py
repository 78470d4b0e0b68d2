from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.codes import CodeKind
from gateway.message import Finding, Severity
from gateway.validation import SchemaSet
from gateway.validation.rules.semantics import SemanticPass, Semantics

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]

_ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
_SPACE = "http://iec.ch/TC57/2011/MeterReadings#"


def _reading(ref: str = _ENERGY, time: str = "2024-03-01T00:00:00Z", quality: str = "") -> str:
    qualities = f'<ReadingQualities><ReadingQualityType ref="{quality}"/></ReadingQualities>' if quality else ""
    return (
        f"<MeterReading><Readings><timeStamp>{time}</timeStamp>{qualities}"
        f'<ReadingType ref="{ref}"/></Readings></MeterReading>'
    )


def _energy_type(name: str) -> str:
    return f"<ReadingType><Names><name>{name}</name></Names></ReadingType>"


@pytest.mark.parametrize(
    ("ref", "part"),
    [
        ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72", "17 parts"),
        ("0.0.2.x.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "'x', which is no number"),
        ("0.0.2.*.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "'*', which is no number"),
        ("3.26.0.85", "4 parts"),
        ("1.8.0", "3 parts"),
    ],
)
def test_a_reading_type_that_is_nearly_a_code_is_refused(judge: Judge, root: Root, ref: str, part: str) -> None:
    [finding] = judge(payload=root("MeterReadings", _reading(ref)))
    assert (finding.rule, finding.code, finding.severity) == ("code-syntax", "2.6", Severity.ERROR)
    assert part in finding.text
    assert finding.xpath == "/EventMessage/Payload/MeterReadings/MeterReading/Readings/ReadingType"


@pytest.mark.parametrize(("quality", "part"), [("2.5", "2 parts"), ("2.5.259.1", "4 parts")])
def test_another_code_that_is_none_is_not_schema_valid(judge: Judge, root: Root, quality: str, part: str) -> None:
    [finding] = judge(payload=root("MeterReadings", _reading(quality=quality)))
    assert (finding.rule, finding.code) == ("code-syntax", "1.8")
    assert part in finding.text
    assert "ReadingQualityType" in finding.text


def test_a_wildcard_is_for_routes(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=root("MeterReadings", _reading(quality="*.5.259")))
    assert "routes" in finding.advice


def test_a_name_like_a_code_is_good_where_the_payload_declares_it(judge: Judge, root: Root) -> None:
    payload = _reading("3.0.129.160") + _energy_type("3.0.129.160")
    assert judge(payload=root("MeterReadings", payload)) == []


def test_a_reference_to_what_the_payload_declares_passes_by_name_and_by_mrid(judge: Judge, root: Root) -> None:
    declared = "<ReadingType><mRID>t-1</mRID><Names><name>energy</name></Names></ReadingType>"
    assert judge(payload=root("MeterReadings", _reading("t-1") + _reading("energy") + declared)) == []


def test_a_reference_to_nothing_is_told_once_with_the_nearest_name(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=root("MeterReadings", _reading("enrgy") * 3 + _energy_type("energy")))
    assert (finding.rule, finding.code, finding.severity) == ("ref-dangling", "2.6", Severity.WARNING)
    assert finding.text.endswith("The same in 2 more places.")
    assert finding.advice == "Write 'energy'."
    assert finding.allowed == ("energy",)


def test_a_name_of_another_sort_of_object_is_no_target(judge: Judge, root: Root) -> None:
    quality = "<ReadingQualityType><Names><name>energy</name></Names></ReadingQualityType>"
    [finding] = judge(payload=root("MeterReadings", _reading("energy") + quality))
    assert finding.rule == "ref-dangling"


def test_references_between_objects_of_master_data_are_followed(judge: Judge, root: Root) -> None:
    function = "<ComFunction><mRID>f-1</mRID></ComFunction>"
    module = '<ComModule><mRID>m-1</mRID><ComFunctions ref="{}"/></ComModule>'
    good = root("ComModuleConfig", function + module.format("f-1"))
    bad = root("ComModuleConfig", function + module.format("f-2"))
    assert judge(noun="ComModuleConfig", payload=good) == []
    [finding] = judge(noun="ComModuleConfig", payload=bad)
    assert (finding.rule, finding.code) == ("ref-dangling", "1.8")
    assert "no ComFunction of the payload" in finding.text


@pytest.mark.parametrize("attribute", ['ref="?"', 'ref=""', 'ref=" "', ""])
def test_an_empty_reference_and_a_forgotten_template_are_told(judge: Judge, root: Root, attribute: str) -> None:
    payload = f"<MeterReading><Readings><ReadingType {attribute}/></Readings></MeterReading>"
    [finding] = judge(payload=root("MeterReadings", payload))
    assert (finding.rule, finding.severity) == ("ref-empty", Severity.WARNING)
    assert _ENERGY in finding.advice
    assert ("templates" in finding.advice) is ("?" in attribute)


@pytest.mark.parametrize("time", ["2024-03-01T00:00:00", "2024-03-01T00:00:00.250", "12024-03-01T00:00:00"])
def test_a_time_without_an_offset_is_warned(judge: Judge, root: Root, time: str) -> None:
    [finding] = judge(payload=root("MeterReadings", _reading(time=time) * 2))
    assert (finding.rule, finding.severity, finding.found) == ("timestamp-offset", Severity.WARNING, time)
    assert f"{time}Z" in finding.advice
    assert "The same in 1 more place." in finding.text


@pytest.mark.parametrize("time", ["2024-03-01T00:00:00Z", "2024-03-01T00:00:00.5-11:30", " 2024-03-01T00:00:00Z\n"])
def test_a_time_with_an_offset_passes(judge: Judge, root: Root, time: str) -> None:
    assert judge(payload=root("MeterReadings", _reading(time=time))) == []


def test_the_hour_24_is_warned_with_the_same_instant_as_it_is_read_everywhere(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=root("MeterReadings", _reading(time="2024-02-29T24:00:00+01:00")))
    assert (finding.rule, finding.severity) == ("timestamp-24", Severity.WARNING)
    assert "2024-03-01T00:00:00+01:00" in finding.advice


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ("<Timestamp>2024-03-01T00:00:00</Timestamp>", "Timestamp"),
        (
            "<ReplayDetection><Nonce>1</Nonce><Created>2024-03-01T24:00:00Z</Created></ReplayDetection>",
            "ReplayDetection/Created",
        ),
    ],
)
def test_the_times_of_the_header_are_judged(judge: Judge, root: Root, header: str, place: str) -> None:
    [finding] = judge(header=header, payload=root("MeterReadings"))
    assert finding.rule in ("timestamp-offset", "timestamp-24")
    assert finding.xpath == f"/EventMessage/Header/{place}"


def _asked(judge: Judge, start: str, end: str) -> list[Finding]:
    return judge("RequestMessage", "get", request=f"<StartTime>{start}</StartTime><EndTime>{end}</EndTime>")


def test_the_times_of_a_request_are_judged(judge: Judge) -> None:
    assert [f.xpath for f in _asked(judge, "2024-03-01T00:00:00", "2024-03-01T24:00:00")] == [
        "/RequestMessage/Request/StartTime",
        "/RequestMessage/Request/EndTime",
        "/RequestMessage/Request/EndTime",
    ]
    [finding] = _asked(judge, "2024-03-02T00:00:00Z", "2024-03-01T00:00:00Z")
    assert (finding.rule, finding.severity) == ("period-backwards", Severity.WARNING)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("2024-03-01T12:00:00+01:00", "2024-03-01T11:30:00Z"),
        ("2024-03-02T00:00:00Z", "2024-03-01T24:00:00Z"),
    ],
)
def test_periods_run_forward_as_instants(judge: Judge, start: str, end: str) -> None:
    assert [f.rule for f in _asked(judge, start, end) if f.rule != "timestamp-24"] == []


def test_a_period_that_ends_before_it_starts_is_told(judge: Judge, root: Root) -> None:
    period = "<end>2024-03-01T00:00:00Z</end><start>2024-03-02T00:00:00Z</start>"
    payload = f"<MeterReading><valuesInterval>{period}</valuesInterval></MeterReading>"
    [finding] = judge(payload=root("MeterReadings", payload))
    assert (finding.rule, finding.element) == ("period-backwards", "end")


_CONTROL = '<EndDeviceControl>{}<EndDeviceControlType ref="3.31.0.23"/>{}</EndDeviceControl>'


def _controls(judge: Judge, root: Root, content: str, verb: str = "created") -> list[Finding]:
    return judge(verb=verb, noun="EndDeviceControls", payload=root("EndDeviceControls", content))


def test_a_control_that_is_created_without_a_start_is_warned(judge: Judge, root: Root) -> None:
    [finding] = _controls(judge, root, _CONTROL.format("", "") * 2)
    assert (finding.rule, finding.code, finding.severity) == ("control-start", "1.7", Severity.WARNING)
    assert finding.xpath.endswith("/EndDeviceControl[1]")
    assert "The same in 1 more place." in finding.text


@pytest.mark.parametrize("verb", ["changed", "canceled", "deleted"])
def test_only_a_control_that_is_created_needs_a_start(judge: Judge, root: Root, verb: str) -> None:
    assert _controls(judge, root, _CONTROL.format("", ""), verb) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "",
            "<primaryDeviceTiming><interval><start>2024-03-01T00:00:00Z</start></interval></primaryDeviceTiming>",
        ),
        ("<PanDisplay><startDateTime>2024-03-01T00:00:00Z</startDateTime></PanDisplay>", ""),
        ("<PanDemandResponse><cancelNow>true</cancelNow></PanDemandResponse>", ""),
    ],
)
def test_a_control_may_say_its_start_in_several_places(judge: Judge, root: Root, before: str, after: str) -> None:
    assert _controls(judge, root, _CONTROL.format(before, after)) == []


def test_the_verb_of_the_operation_counts_inside_a_set(judge: Judge, root: Root) -> None:
    control = root("EndDeviceControls", _CONTROL.format("", ""))
    operation = "<Operation><operationId>{0}</operationId><verb>{1}</verb>" + control + "</Operation>"
    flags = "<enforceTransactionalIntegrity>false</enforceTransactionalIntegrity>"
    payload = f"<OperationSet>{flags}{operation.format(1, 'create')}{operation.format(2, 'change')}</OperationSet>"
    [finding] = judge("RequestMessage", "execute", noun="OperationSet", payload=payload)
    assert finding.rule == "control-start"
    assert "/Operation[1]/" in finding.xpath


def test_one_fault_of_an_element_is_told_once(judge: Judge, root: Root) -> None:
    payload = "<MeterReading><Readings><ReadingType>0.0.1</ReadingType></Readings></MeterReading>"
    assert [finding.rule for finding in judge(payload=root("MeterReadings", payload))] == ["cvc-complex-type.2.1"]


def test_a_payload_that_is_not_valid_hears_of_its_codes_too(judge: Judge, root: Root) -> None:
    payload = root("MeterReadings", _reading("0.0.1") + "<Meters/>")
    assert {finding.rule for finding in judge(payload=payload)} == {"cvc-complex-type.2.4", "code-syntax"}


_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_TIMES = st.one_of(
    st.datetimes(timezones=_OFFSETS).map(lambda time: time.isoformat()),
    st.datetimes().map(datetime.isoformat),
    st.sampled_from(["2024-03-01T24:00:00Z", "2024-03-01T24:00:00", "2024-03-01T00:00:00Z", " 2024-03-01T10:00:00Z "]),
)
_REFS = st.one_of(
    st.lists(st.integers(-3, 12_345), min_size=1, max_size=19).map(lambda parts: ".".join(map(str, parts))),
    st.sampled_from([_ENERGY, "2.5.259", "energy", "?", "", "007.1.2", " 2.5.259", "a.b", "2.5.2590000000"]),
    st.sampled_from(CodeKind).flatmap(lambda kind: st.just(".".join(["0"] * kind.parts))),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_REFS, _TIMES, _REFS), max_size=4), st.booleans())
def test_what_the_stricter_schema_lets_pass_is_what_the_closer_look_has_no_word_for(
    schemas: SchemaSet, judge: Judge, root: Root, readings: list[tuple[str, str, str]], declared: bool
) -> None:
    content = "".join(_reading(*reading) for reading in readings) + (_energy_type("energy") if declared else "")
    payload = root("MeterReadings", content)
    findings = [finding for finding in judge(payload=payload) if not finding.rule.startswith("cvc-")]
    closer = Semantics(schemas.vocabulary(_SPACE)).findings(etree.fromstring(payload), "created")
    assert _told(findings) == _told(closer)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_REFS, _TIMES, _REFS), max_size=5))
def test_a_stream_of_children_hears_what_the_whole_tree_hears(
    schemas: SchemaSet, root: Root, readings: list[tuple[str, str, str]]
) -> None:
    content = "".join(_reading(*reading) for reading in readings) + _energy_type("energy")
    semantics = Semantics(schemas.vocabulary(_SPACE))
    whole = semantics.findings(etree.fromstring(root("MeterReadings", content)), "created")
    judging, parts = SemanticPass(semantics, "created"), etree.fromstring(root("MeterReadings", content))
    found: list[Finding] = []
    for child in list(parts):
        found += judging.record(child)
        child.clear()
    assert _told(found + judging.finish()) == _told(whole)


def _told(findings: list[Finding]) -> list[tuple[Any, ...]]:
    return sorted((finding.rule, finding.text, finding.code) for finding in findings)
