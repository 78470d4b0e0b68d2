"""The semantic checks know a site's own schemas as they know ours."""

from collections.abc import Callable, Mapping

import pytest

from gateway.message import Finding, read
from gateway.validation import Checker, SchemaSet

_SPACE = "http://iec.ch/TC57/2011/Weather#"
_TYPES = """
  <xs:complexType name="Weather">
    <xs:sequence>
      <xs:element name="Reading" type="w:Reading" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="Station" type="w:Station" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Reading">
    <xs:sequence>
      <xs:element name="taken" type="w:Moment"/>
      <xs:element name="note" type="xs:string" minOccurs="0"/>
      <xs:element name="ReadingType" type="w:Pointer"/>
      <xs:element name="Stations" type="w:Pointer" minOccurs="0"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="Station"><xs:sequence><xs:element name="mRID" type="xs:string"/></xs:sequence></xs:complexType>
  <xs:simpleType name="Moment"><xs:restriction base="xs:dateTime"/></xs:simpleType>
  <xs:complexType name="Base"><xs:attribute name="ref" type="xs:string"/></xs:complexType>
  <xs:complexType name="Pointer"><xs:complexContent><xs:extension base="w:Base"/></xs:complexContent></xs:complexType>
"""


def _schema(content: str) -> bytes:
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:w="{_SPACE}" targetNamespace="{_SPACE}" '
        f'elementFormDefault="qualified">{content}</xs:schema>'
    ).encode()


_ROOT = '<xs:element name="Weather" type="w:Weather"/>'
_WAYS = {
    "one file": {"weather.xsd": _schema(_ROOT + _TYPES)},
    "two files": {
        "weather.xsd": _schema('<xs:include schemaLocation="types.xsd"/>' + _ROOT),
        "types.xsd": _schema(_TYPES),
    },
}


@pytest.fixture(params=_WAYS)
def judge_weather(
    request: pytest.FixtureRequest, sources: Mapping[str, bytes], write: Callable[..., bytes], root: Callable[..., str]
) -> Callable[[str], list[Finding]]:
    checker = Checker(SchemaSet({**sources, **_WAYS[request.param]}))

    def judge(content: str) -> list[Finding]:
        return list(checker.check(read(write(noun="Weather", payload=root("Weather", content, _SPACE)))).findings)

    return judge


_GOOD = "<taken>2024-03-01T00:00:00Z</taken>{}<ReadingType ref='0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0'/>{}"


def test_a_payload_of_a_site_passes(judge_weather: Callable[[str], list[Finding]]) -> None:
    reading = "<Reading>" + _GOOD.format("", "<Stations ref='s-1'/>") + "</Reading>"
    assert judge_weather(reading + "<Station><mRID>s-1</mRID></Station>") == []


def test_times_of_derived_types_are_judged_and_texts_are_not(judge_weather: Callable[[str], list[Finding]]) -> None:
    late = _GOOD.format("<note>2024-03-01T00:00:00</note>", "")
    assert judge_weather(f"<Reading>{late}</Reading>") == []
    [finding] = judge_weather(f"<Reading>{late.replace('00Z', '00')}</Reading>")
    assert (finding.rule, finding.element) == ("timestamp-offset", "taken")


def test_references_of_derived_types_are_judged(judge_weather: Callable[[str], list[Finding]]) -> None:
    reading = "<Reading>" + _GOOD.format("", "<Stations ref='s-2'/>").replace(".72.0", ".72") + "</Reading>"
    findings = judge_weather(reading + "<Station><mRID>s-1</mRID></Station>")
    assert [(finding.rule, finding.element) for finding in findings] == [
        ("code-syntax", "ReadingType"),
        ("ref-dangling", "Stations"),
    ]
    assert "no Station of the payload" in findings[1].text
