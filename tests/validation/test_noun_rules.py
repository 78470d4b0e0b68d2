from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding, Severity

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]


@pytest.mark.parametrize("version", EnvelopeVersion)
@pytest.mark.parametrize("noun", ["MeterReadings", "EndDeviceEvents", "EndDeviceControls"])
def test_a_noun_with_its_own_payload_passes(judge: Judge, root: Root, noun: str, version: EnvelopeVersion) -> None:
    assert judge(noun=noun, payload=root(noun), version=version) == []


@pytest.mark.parametrize(
    ("noun", "meant"),
    [
        ("MeterReading", "MeterReadings"),
        ("meterreadings", "MeterReadings"),
        ("EndDeviceEvent", "EndDeviceEvents"),
        ("GetMeterReadings", "MeterReadings"),
    ],
)
def test_a_noun_that_does_not_exist_is_told_with_the_nearest_one(
    judge: Judge, root: Root, noun: str, meant: str
) -> None:
    [finding] = judge(noun=noun, payload=root("MeterReadings"))
    assert (finding.rule, finding.code, finding.severity) == ("noun-unknown", ReplyCode.INVALID_NOUN, Severity.ERROR)
    assert finding.advice.startswith(f"Write {meant}")
    assert (finding.found, finding.line, finding.xpath) == (noun, 4, "/EventMessage/Header/Noun")


def test_a_noun_that_resembles_none_is_answered_with_the_list(judge: Judge, root: Root) -> None:
    [finding] = judge(noun="Weather", payload=root("MeterReadings"))
    assert finding.rule == "noun-unknown"
    assert "MeterReadings" in finding.allowed
    assert "MeterReadings" in finding.advice


def test_a_noun_of_the_standard_without_schema_is_told_as_such(judge: Judge) -> None:
    payload = '<CustomerConfig xmlns="http://iec.ch/TC57/2011/CustomerConfig#"/>'
    [finding] = judge(noun="CustomerConfig", payload=payload, lacking="CustomerConfig")
    assert finding.rule == "noun-unknown"
    assert "not installed" in finding.text


@pytest.mark.parametrize(
    ("noun", "part_of_advice"),
    [("MeterReading", "Write MeterReadings"), ("OperationSet", "final version"), ("Weather", "MeterReadings")],
)
def test_a_noun_outside_the_closed_list_of_the_draft_is_refused_once(
    judge: Judge, root: Root, noun: str, part_of_advice: str
) -> None:
    [finding] = judge(noun=noun, payload=root("MeterReadings"), version=EnvelopeVersion.DRAFT)
    assert (finding.rule, finding.code) == ("cvc-enumeration-valid", ReplyCode.INVALID_NOUN)
    assert part_of_advice in finding.advice


def test_the_singular_noun_of_the_draft_is_listed_but_has_no_schema(judge: Judge, root: Root) -> None:
    [finding] = judge(noun="MeterServiceRequest", payload=root("MeterReadings"), version=EnvelopeVersion.DRAFT)
    assert finding.rule == "noun-unknown"
    assert "MeterServiceRequests" in finding.advice


def test_a_payload_of_another_noun_is_refused(judge: Judge, root: Root) -> None:
    [finding] = judge(noun="MeterReadings", payload=root("EndDeviceEvents"))
    assert (finding.rule, finding.code) == ("noun-of-payload", ReplyCode.INVALID_NOUN)
    assert finding.xpath == "/EventMessage/Payload/EndDeviceEvents"
    assert (finding.found, finding.allowed) == ("EndDeviceEvents", ("MeterReadings",))


def test_a_payload_of_another_noun_is_checked_by_its_own_schema_as_well(judge: Judge, root: Root) -> None:
    findings = judge(noun="MeterReadings", payload=root("EndDeviceEvents", "<EndDeviceEvent/>"))
    assert {finding.rule for finding in findings} == {"noun-of-payload", "cvc-complex-type.2.4"}


def test_a_payload_in_a_namespace_that_is_no_noun_s_is_refused(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=root("MeterReadings", namespace="http://example.com/readings"))
    assert finding.rule == "noun-of-payload"
    assert "http://iec.ch/TC57/2011/MeterReadings#" in finding.advice


def test_a_payload_in_another_version_of_its_namespace_has_no_schema(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=root("MeterReadings", namespace="http://www.iec.ch/TC57/2011/MeterReadings#"))
    assert (finding.rule, finding.code) == ("cvc-elt.1", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert "'http://iec.ch/TC57/2011/MeterReadings#'" in finding.advice


def test_an_unknown_root_in_a_known_namespace_has_no_declaration(judge: Judge) -> None:
    payload = '<Readings xmlns="http://iec.ch/TC57/2011/MeterReadings#"/>'
    findings = judge(payload=payload)
    assert {finding.rule for finding in findings} == {"cvc-elt.1", "noun-of-payload"}


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_parameters_of_a_get_are_checked_in_request(judge: Judge, root: Root, version: EnvelopeVersion) -> None:
    assert judge("RequestMessage", "get", request=root("GetMeterReadings"), version=version) == []


def test_parameters_of_another_noun_are_refused(judge: Judge, root: Root) -> None:
    [finding] = judge("RequestMessage", "get", request=root("GetEndDeviceEvents"))
    assert (finding.rule, finding.code) == ("noun-of-payload", ReplyCode.INVALID_NOUN)
    assert finding.allowed == ("GetMeterReadings",)
    assert finding.xpath == "/RequestMessage/Request/GetEndDeviceEvents"


def test_parameters_in_a_foreign_namespace_are_refused(judge: Judge, root: Root) -> None:
    request = root("GetMeterReadings", namespace="http://example.com/mine")
    [finding] = judge("RequestMessage", "get", request=request)
    assert finding.rule == "noun-of-payload"
    assert "http://iec.ch/TC57/2011/GetMeterReadings#" in finding.advice


def test_faulty_parameters_are_a_fault_of_the_request(judge: Judge, root: Root) -> None:
    request = root("GetMeterReadings", "<TimeSchedule/>")
    [finding] = judge("RequestMessage", "get", request=request)
    assert finding.code is ReplyCode.MANDATORY_REQUEST_ELEMENTS_MISSING
    assert finding.text == "TimeSchedule lacks scheduleInterval."


def test_parameters_without_schema_pass_with_a_warning(judge: Judge) -> None:
    request = '<GetEndDeviceControls xmlns="http://iec.ch/TC57/2011/GetEndDeviceControls#"/>'
    [finding] = judge(
        "RequestMessage", "get", noun="EndDeviceControls", request=request, lacking="GetEndDeviceControls"
    )
    assert (finding.rule, finding.severity) == ("profile-without-schema", Severity.WARNING)


def test_a_vendor_s_element_in_request_passes(judge: Judge) -> None:
    request = '<ID>meter-1</ID><hint xmlns="http://example.com/vendor">slow</hint>'
    assert judge("RequestMessage", "get", request=request) == []
