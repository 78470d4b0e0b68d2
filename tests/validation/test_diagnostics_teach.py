"""What a sender learns from a fault: what was meant, where it belongs, how it is written."""

from collections.abc import Callable, Mapping

import pytest

from gateway.message import Finding, read
from gateway.validation import Checker, SchemaSet

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]

_SITE = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:p="http://iec.ch/TC57/2011/MeterReadings#"
    targetNamespace="http://iec.ch/TC57/2011/MeterReadings#" elementFormDefault="qualified">
  <xs:element name="MeterReadings"><xs:complexType><xs:sequence>
    <xs:element name="code" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
      <xs:maxLength value="3"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="count" minOccurs="0"><xs:simpleType><xs:restriction base="xs:int">
      <xs:minInclusive value="3"/><xs:maxInclusive value="9"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="energy" minOccurs="0"><xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
      <xs:attribute name="unit" use="required"><xs:simpleType><xs:restriction base="xs:string">
        <xs:enumeration value="kWh"/><xs:enumeration value="Wh"/></xs:restriction></xs:simpleType></xs:attribute>
      </xs:extension></xs:simpleContent></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


def _readings(judge: Judge, root: Root, content: str) -> list[Finding]:
    return judge(payload=root("MeterReadings", f"<MeterReading>{content}</MeterReading>"))


def _control(judge: Judge, root: Root, content: str) -> Finding:
    control = f'<EndDeviceControl>{content}<EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl>'
    findings = judge(noun="EndDeviceControls", payload=root("EndDeviceControls", control))
    [finding] = [finding for finding in findings if finding.rule.startswith("cvc-")]
    return finding


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ("<IntervalReadings/>", "Put IntervalReadings into IntervalBlocks."),
        ("<ReadingQualities/>", "Put ReadingQualities into Readings or IntervalBlocks/IntervalReadings."),
        ("<Meter><name>NTH-1</name></Meter>", "Put name into Names."),
        (
            "<Readings><unit>72</unit></Readings>",
            "Take unit out; in this profile it belongs into MeterReadings/ReadingType.",
        ),
        ("<readings/>", "Write Readings."),
        ("<Reading/>", "Write Readings."),
    ],
)
def test_an_element_in_the_wrong_place_is_told_where_it_belongs(
    judge: Judge, root: Root, content: str, advice: str
) -> None:
    assert _readings(judge, root, content)[0].advice == advice


def test_all_strangers_in_an_element_are_told_at_once(judge: Judge, root: Root) -> None:
    findings = _readings(judge, root, "<first/><Meter/><second/><third/>")
    assert [finding.element for finding in findings] == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("element", "written", "meant"),
    [
        ("priceSignal", "0,21", "Write 0.21: a number with a point, without a unit."),
        ("priceSignal", "12 kWh", "Write 12: a number with a point, without a unit."),
        ("priceSignal", "1,234.5", "Write a number with a point, such as 12.5, without a unit."),
        ("drProgramLevel", "3.0", "Write 3: digits alone, without a unit."),
        ("drProgramLevel", "3.5", "Write a whole number in digits, such as 12, without a unit."),
        ("drProgramMandatory", "TRUE", "Write true."),
        ("drProgramMandatory", "no", "Write false."),
        ("drProgramMandatory", "perhaps", "Write true or false."),
    ],
)
def test_a_value_in_another_form_is_told_as_it_was_meant(
    judge: Judge, root: Root, element: str, written: str, meant: str
) -> None:
    finding = _control(judge, root, f"<{element}>{written}</{element}>")
    assert finding.text.startswith(f"{element} is '{written}', which is ")
    assert finding.advice == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-17 10:43:00Z", "Write 2026-03-17T10:43:00Z: date, T, time and offset."),
        ("2026-03-17T10:43:00+0100", "Write 2026-03-17T10:43:00+01:00: date, T, time and offset."),
        ("17.03.2026 10:43", "Write 2026-03-17T10:43:00, and after it the offset, Z or such as +01:00."),
        (
            "2026-02-30 10:43:00Z",
            "Write date, T, time and offset, such as 2024-03-01T14:30:00Z or 2024-03-01T15:30:00+01:00.",
        ),
    ],
)
def test_a_time_in_another_form_is_told_as_it_was_meant(judge: Judge, root: Root, written: str, meant: str) -> None:
    [finding] = _readings(judge, root, f"<valuesInterval><end>{written}</end></valuesInterval>")
    assert finding.advice == meant


def test_an_empty_value_is_called_empty(judge: Judge, root: Root) -> None:
    assert _control(judge, root, "<drProgramLevel/>").text == "drProgramLevel is empty, but must hold a whole number."


@pytest.mark.parametrize(("written", "text"), [("rel", "has no attribute rel"), ("href", "has no attribute href")])
def test_a_misspelt_attribute_is_told_with_the_one_that_was_meant(
    judge: Judge, root: Root, written: str, text: str
) -> None:
    [finding] = _readings(judge, root, f'<Readings><ReadingType {written}="x"/></Readings>')
    assert text in finding.text
    assert finding.advice == f"Write ref instead of {written}."
    assert finding.allowed == ("@ref",)


def test_blanks_around_a_listed_value_are_told(judge: Judge, root: Root) -> None:
    [finding] = _readings(
        judge,
        root,
        '<Readings><reason> billing </reason><ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></Readings>',
    )
    assert finding.advice == "Write billing without blanks or line breaks."


def test_an_object_sent_without_its_list_is_told_the_root(judge: Judge) -> None:
    payload = '<EndDeviceEvent xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#"/>'
    assert judge(noun="EndDeviceEvents", payload=payload)[0].advice == (
        "Write EndDeviceEvents as the root, and EndDeviceEvent in it."
    )


@pytest.mark.parametrize(
    ("content", "text", "advice"),
    [
        ("<code>abcd</code>", "code is 'abcd', which its type does not allow.", "at most 3 characters"),
        ("<count>1</count>", "count is '1', which its type does not allow.", "at least 3, at most 9"),
        ("<count>many</count>", "count is 'many', which is not a whole number.", "such as 12"),
        ("<energy>1</energy>", "energy lacks the attribute unit.", 'Write unit="..." in energy.'),
        ('<energy unit="kwh">1</energy>', "The attribute unit is 'kwh', which is not in the list.", "Write kWh."),
        ('<energy unit="Wh">1,5</energy>', "energy is '1,5', which is not a decimal number.", "Write 1.5"),
    ],
)
def test_the_limits_of_a_sites_own_schema_are_told_in_words(
    sources: Mapping[str, bytes], write: Callable[..., bytes], root: Root, content: str, text: str, advice: str
) -> None:
    site = SchemaSet({**sources, "site.xsd": _SITE.encode()})
    [finding] = Checker(site).check(read(write(payload=root("MeterReadings", content)))).findings
    assert finding.text == text
    assert advice in finding.advice
