"""Namespaces and nouns of partners are read as ours, and every translation is told."""

from collections.abc import Callable

import pytest
from lxml import etree

from gateway.dialects import Dialect
from gateway.message import EnvelopeVersion, Message, Severity, Unreadable
from gateway.message.parts import operation_set_of
from gateway.message.speech import NamespaceMap
from gateway.validation import Verdict
from tests.dialects.writing import DRAFT, FINAL, Read, event

YEARS = NamespaceMap(
    (
        ("http://www.iec.ch/TC57/2010/schema/message", FINAL),
        ("http://iec.ch/TC57/2010/*#", "http://iec.ch/TC57/2011/*#"),
        ("http://vendor.example/cim#", "http://iec.ch/TC57/2011/*#"),
    )
)
OLD = "http://www.iec.ch/TC57/2010/schema/message"


def test_an_old_envelope_is_refused_until_the_settings_name_it(read: Read, check: Callable[[Message], Verdict]) -> None:
    raw = event(envelope=OLD, payload="http://iec.ch/TC57/2010/EndDeviceEvents#")
    with pytest.raises(Unreadable) as refused:
        read(raw, Dialect(lenient=True))
    assert OLD in refused.value.finding.text
    message = read(raw, Dialect(namespaces=YEARS))
    assert message.version is EnvelopeVersion.FINAL
    assert check(message).findings == ()


def test_what_is_handed_on_is_the_translated_message_and_its_lines_stay_those_of_the_original(read: Read) -> None:
    message = read(event(envelope=OLD, payload="http://vendor.example/cim#"), Dialect(namespaces=YEARS))
    again = etree.fromstring(message.raw)
    assert again.tag == f"{{{FINAL}}}EventMessage"
    assert OLD.encode() not in message.raw
    assert {etree.QName(e).namespace for e in again.iter()} == {FINAL, "http://iec.ch/TC57/2011/EndDeviceEvents#"}
    [code] = message.root.iter("{*}EndDeviceEventType")
    assert code.sourceline == 7


def test_each_namespace_is_told_once_with_what_it_is_read_as(read: Read) -> None:
    message = read(event(envelope=OLD, payload="http://vendor.example/cim#"), Dialect(namespaces=YEARS))
    assert [(repair.rule, repair.severity) for repair in message.repairs] == [
        ("dialect-namespace", Severity.REPAIRED)
    ] * 2
    assert [repair.found for repair in message.repairs] == [OLD, "http://vendor.example/cim#"]
    assert message.repairs[1].allowed == ("http://iec.ch/TC57/2011/EndDeviceEvents#",)
    assert message.repairs[1].line == 4


def test_one_vendor_namespace_for_all_nouns_becomes_that_of_each(read: Read) -> None:
    operation = (
        "<Operation><operationId>{0}</operationId><verb>create</verb>"
        '<v:{1} xmlns:v="http://vendor.example/cim#"><v:Meter/></v:{1}></Operation>'
    )
    operations = operation.format(1, "MeterConfig") + operation.format(2, "MasterDataLinkageConfig")
    raw = f"""<RequestMessage xmlns="{FINAL}"><Header><Verb>execute</Verb><Noun>OperationSet</Noun></Header>
      <Payload><OperationSet>{operations}</OperationSet></Payload></RequestMessage>""".encode()
    message = read(raw, Dialect(namespaces=YEARS))
    spaces = [etree.QName(meter).namespace for meter in message.root.iter("{*}Meter")]
    assert spaces == ["http://iec.ch/TC57/2011/MeterConfig#", "http://iec.ch/TC57/2011/MasterDataLinkageConfig#"]


def test_a_draft_set_that_is_read_as_final_says_what_the_draft_means_by_an_absent_flag(
    read: Read, check: Callable[[Message], Verdict]
) -> None:
    operation = '<Operation><operationId>1</operationId><verb>create</verb><MeterConfig xmlns="%s"/></Operation>'
    raw = f"""<RequestMessage xmlns="{DRAFT}"><Header><Verb>execute</Verb><Noun>OperationSet</Noun></Header>
      <Payload><OperationSet>{operation % "http://iec.ch/TC57/2011/MeterConfig#"}</OperationSet></Payload>
    </RequestMessage>""".encode()
    message = read(raw, Dialect(namespaces=NamespaceMap(((DRAFT, FINAL),))))
    operations = operation_set_of(message)
    assert operations is not None
    assert operations.enforce_transactional_integrity is True
    assert check(message).ok


def test_a_noun_of_the_site_is_read_as_the_standards_wherever_it_stands(read: Read) -> None:
    raw = event(noun="DeviceAlarms", root="DeviceAlarms", payload="http://iec.ch/TC57/2011/DeviceAlarms#")
    message = read(raw, Dialect(nouns={"DeviceAlarms": "EndDeviceEvents"}))
    assert message.header.noun == "EndDeviceEvents"
    assert message.content[0].tag == "{http://iec.ch/TC57/2011/EndDeviceEvents#}EndDeviceEvents"
    assert [repair.rule for repair in message.repairs] == ["dialect-noun"]
    assert "Write EndDeviceEvents." in message.repairs[0].advice


def test_a_lenient_source_may_use_the_drafts_name_of_service_requests(read: Read) -> None:
    raw = f"""<RequestMessage xmlns="{DRAFT}"><Header><Verb>get</Verb><Noun>MeterServiceRequest</Noun></Header>
      <Request><GetMeterServiceRequest xmlns="http://iec.ch/TC57/2011/GetMeterServiceRequest#"/></Request>
    </RequestMessage>""".encode()
    message = read(raw, Dialect(lenient=True))
    assert message.header.noun == "MeterServiceRequests"
    assert message.request is not None
    assert message.request[0].tag == "{http://iec.ch/TC57/2011/GetMeterServiceRequests#}GetMeterServiceRequests"
    assert read(raw, Dialect()).header.noun == "MeterServiceRequest"


def test_a_good_message_of_a_source_with_a_dialect_is_handed_on_byte_for_byte(read: Read) -> None:
    raw = event()
    message = read(raw, Dialect(lenient=True, namespaces=YEARS, nouns={"X": "MeterConfig"}))
    assert message.raw is raw
    assert message.repairs == ()


def test_each_source_is_read_in_its_own_dialect(read: Read) -> None:
    raw = event(verb="CREATED")
    assert read(raw, {"HES": Dialect(lenient=True)}).header.verb == "created"
    assert read(raw, {"OMS": Dialect(lenient=True)}).header.verb == "CREATED"
    assert read(raw, {"*": Dialect(lenient=True), "HES": Dialect()}).header.verb == "CREATED"
