from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]

_MISSING = ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING
_WRONG = ReplyCode.SCHEMA_VALIDATION_FAILED


def _events(judge: Judge, root: Root, content: str, version: EnvelopeVersion = EnvelopeVersion.FINAL) -> list[Finding]:
    payload = root("EndDeviceEvents", f"\n<EndDeviceEvent>\n{content}\n</EndDeviceEvent>\n")
    return judge(noun="EndDeviceEvents", payload=payload, version=version)


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_all_that_is_missing_is_told_with_where_it_goes(judge: Judge, root: Root, version: EnvelopeVersion) -> None:
    [finding] = _events(judge, root, "<mRID>1</mRID><severity>low</severity>", version)
    assert (finding.rule, finding.code) == ("cvc-complex-type.2.4", _MISSING)
    assert finding.text == "EndDeviceEvent lacks createdDateTime and EndDeviceEventType."
    assert finding.advice == "Add createdDateTime after mRID and EndDeviceEventType after severity."
    assert finding.xpath == "/EventMessage/Payload/EndDeviceEvents/EndDeviceEvent"
    assert finding.line == 9
    assert finding.allowed == ("createdDateTime", "EndDeviceEventType")


def test_what_is_missing_at_the_end_is_told_too(judge: Judge, root: Root) -> None:
    [finding] = _events(judge, root, "<createdDateTime>2024-03-01T00:00:00Z</createdDateTime>")
    assert finding.advice == "Add EndDeviceEventType after createdDateTime."


def test_an_empty_element_lacks_all_it_needs(judge: Judge, root: Root) -> None:
    [finding] = _events(judge, root, "")
    assert finding.advice == "Add createdDateTime in it and EndDeviceEventType in it."


def test_a_misspelt_mandatory_element_is_not_told_as_missing_too(judge: Judge, root: Root) -> None:
    content = '<createdDatetime>2024-03-01T00:00:00Z</createdDatetime><EndDeviceEventType ref="3.26.0.85"/>'
    [finding] = _events(judge, root, content)
    assert (finding.code, finding.element) == (_WRONG, "createdDatetime")
    assert finding.advice == "Write createdDateTime."


def test_a_misspelt_element_and_a_missing_one_are_two_faults(judge: Judge, root: Root) -> None:
    findings = _events(judge, root, "<createdDatetime>2024-03-01T00:00:00Z</createdDatetime>")
    assert [finding.code for finding in findings] == [_WRONG, _MISSING]
    assert findings[1].text == "EndDeviceEvent lacks EndDeviceEventType."


def test_swapped_elements_are_told_once(judge: Judge, root: Root) -> None:
    content = '<EndDeviceEventType ref="3.26.0.85"/><createdDateTime>2024-03-01T00:00:00Z</createdDateTime>'
    [finding] = _events(judge, root, content)
    assert finding.text == "EndDeviceEventType stands before createdDateTime, out of order."
    assert finding.advice.startswith("Move createdDateTime before EndDeviceEventType")


def test_an_optional_element_too_late_is_told_with_where_it_belongs(judge: Judge, root: Root) -> None:
    content = "<createdDateTime>2024-03-01T00:00:00Z</createdDateTime><severity>low</severity><reason>x</reason>"
    findings = _events(judge, root, content + '<EndDeviceEventType ref="3.26.0.85"/>')
    assert [finding.advice for finding in findings] == [
        "Move reason before severity: the order of the elements is fixed."
    ]


def test_each_faulty_sibling_is_told_with_its_index(judge: Judge, root: Root) -> None:
    payload = root("EndDeviceEvents", "<EndDeviceEvent/>\n<EndDeviceEvent/>\n<EndDeviceEvent/>")
    findings = judge(noun="EndDeviceEvents", payload=payload)
    assert [finding.xpath.rpartition("/")[2] for finding in findings] == [f"EndDeviceEvent[{n}]" for n in (1, 2, 3)]
    assert [finding.line for finding in findings] == [8, 9, 10]


def test_a_value_outside_an_enumeration_is_told_with_the_nearest(judge: Judge, root: Root) -> None:
    kind = '<ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>'
    reading = f"<MeterReading><Readings><reason>Billing</reason>{kind}</Readings></MeterReading>"
    [finding] = judge(payload=root("MeterReadings", reading))
    assert (finding.rule, finding.code, finding.found) == ("cvc-enumeration-valid", _WRONG, "Billing")
    assert finding.advice == "Write billing."
    assert "inquiry" in finding.allowed


@pytest.mark.parametrize(
    ("interval", "part_of_advice"),
    [("<end>2024-03-01</end>", "2024-03-01T14:30:00Z"), ("<start/>", "2024-03-01T14:30:00Z")],
)
def test_a_value_of_the_wrong_type_is_told(judge: Judge, root: Root, interval: str, part_of_advice: str) -> None:
    payload = root("MeterReadings", f"<MeterReading><valuesInterval>{interval}</valuesInterval></MeterReading>")
    [finding] = judge(payload=payload)
    assert finding.rule == "cvc-datatype-valid.1.2.1"
    assert part_of_advice in finding.advice


def test_a_number_of_a_derived_type_is_told(judge: Judge, root: Root) -> None:
    control = (
        '<EndDeviceControl><priceSignal>cheap</priceSignal><EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl>'
    )
    [finding] = judge(verb="changed", noun="EndDeviceControls", payload=root("EndDeviceControls", control))
    assert finding.found == "cheap"
    assert finding.advice == "Write a number with a point, such as 12.5, without a unit."


def test_a_reference_is_an_attribute(judge: Judge, root: Root) -> None:
    reading = "<MeterReading><Readings><ReadingType>0.0.0.1</ReadingType></Readings></MeterReading>"
    [finding] = judge(payload=root("MeterReadings", reading))
    assert finding.rule == "cvc-complex-type.2.1"
    assert finding.text == "ReadingType holds the text '0.0.0.1', but must be empty."
    assert finding.advice == 'Write <ReadingType ref="0.0.0.1"/>: a reference is an attribute.'


def test_an_unknown_attribute_is_told(judge: Judge, root: Root) -> None:
    reading = '<MeterReading><Readings><ReadingType href="x"/></Readings></MeterReading>'
    [finding] = judge(payload=root("MeterReadings", reading))
    assert finding.rule == "cvc-complex-type.3.2.1"
    assert finding.xpath.endswith("/Readings/ReadingType/@href")


def test_two_choices_at_once_are_told(judge: Judge, root: Root) -> None:
    both = (
        "<EndDeviceControl><PanPricing><providerID>1</providerID></PanPricing>"
        '<PanDisplay/><EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl>'
    )
    finding = judge(noun="EndDeviceControls", payload=root("EndDeviceControls", both))[0]
    assert finding.element == "PanDisplay"
    assert finding.text == (
        "EndDeviceControl may hold only one of PanDemandResponse, PanDisplay and PanPricing; "
        "PanPricing is there already."
    )
    assert finding.advice == "Take PanDisplay or PanPricing out."


def test_a_schema_location_in_the_message_is_neither_a_fault_nor_followed(judge: Judge, root: Root) -> None:
    hint = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd"'
    payload = root("MeterReadings").replace("<MeterReadings ", f"<MeterReadings {hint} ", 1)
    assert judge(payload=payload) == []


def test_a_type_that_the_message_invents_is_told(judge: Judge, root: Root) -> None:
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    [finding] = judge(payload=root("MeterReadings", f'<MeterReading {xsi} xsi:type="Special"/>'))
    assert finding.rule.startswith("cvc-elt.4")
