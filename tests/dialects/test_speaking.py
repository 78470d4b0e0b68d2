"""Answers go out in the dialect of the asker: what was undone when it asked is done again."""

from collections.abc import Callable

import pytest
from lxml import etree

from gateway.dialects import Dialect, speak, spoken_version
from gateway.message import Envelope, EnvelopeVersion, Header, Message, MessageKind, Reply, build
from gateway.message.speech import NamespaceMap, Speech
from gateway.validation import Verdict
from tests.dialects.writing import DRAFT, FINAL, SOAP, Read, event, typed, wrapped
from tests.e2e.registry import execute, operation

OLD = "http://www.iec.ch/TC57/2010/schema/message"
_CONTROLS = """<t:Payload><EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#"><EndDeviceControl>
    <EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl></EndDeviceControls></t:Payload>"""


def _answer(asked: Message) -> etree._Element:
    header = Header("reply", asked.header.noun, correlation_id="1")
    envelope = Envelope(MessageKind.RESPONSE, header, reply=Reply("OK"))  # type: ignore[arg-type]
    version = spoken_version(asked.version, asked.speech, asked.header.noun)
    return etree.fromstring(speak(build(envelope, version), asked.speech))


def test_who_asks_as_the_standard_has_it_is_answered_so(read: Read) -> None:
    body = build(Envelope(MessageKind.RESPONSE, Header("reply", "MeterReadings"), reply=Reply("OK")))  # type: ignore[arg-type]
    asked = read(event(), Dialect(lenient=True, namespaces=NamespaceMap(((OLD, FINAL),))))
    assert speak(body, asked.speech) is body


def test_an_old_envelope_is_answered_in_the_old_envelope(read: Read) -> None:
    asked = read(event(envelope=OLD), Dialect(namespaces=NamespaceMap(((OLD, FINAL),))))
    answer = _answer(asked)
    assert {etree.QName(element).namespace for element in answer.iter()} == {OLD}
    assert answer.findtext(f"{{{OLD}}}Header/{{{OLD}}}Noun") == "EndDeviceEvents"


def test_a_draft_that_is_read_as_final_is_answered_with_a_draft_by_its_own_schema(read: Read) -> None:
    asked = read(event(envelope=DRAFT), Dialect(namespaces=NamespaceMap(((DRAFT, FINAL),))))
    assert asked.version is EnvelopeVersion.FINAL
    assert spoken_version(asked.version, asked.speech, asked.header.noun) is EnvelopeVersion.DRAFT
    assert _answer(asked).tag == f"{{{DRAFT}}}ResponseMessage"


def test_a_set_in_the_drafts_namespace_is_answered_there_though_the_draft_has_no_sets(read: Read) -> None:
    asked = read(execute(operation(1, "create", "a"), space=DRAFT), Dialect(namespaces=NamespaceMap(((DRAFT, FINAL),))))
    answer = _answer(asked)
    assert answer.tag == f"{{{DRAFT}}}ResponseMessage"
    assert answer.findtext(f"{{{DRAFT}}}Header/{{{DRAFT}}}Noun") == "OperationSet"
    assert answer.findtext(f"{{{DRAFT}}}Reply/{{{DRAFT}}}Result") == "OK"


def test_the_asker_reads_its_own_noun(read: Read) -> None:
    asked = read(
        event(noun="Alarms", root="Alarms", payload="http://iec.ch/TC57/2011/Alarms#"),
        Dialect(nouns={"Alarms": "EndDeviceEvents"}),
    )
    assert _answer(asked).findtext(f"{{{FINAL}}}Header/{{{FINAL}}}Noun") == "Alarms"


def test_a_strongly_typed_request_in_soap_is_answered_in_kind(read: Read, check: Callable[[Message], Verdict]) -> None:
    raw = wrapped(typed("CreateEndDeviceControls", "EndDeviceControls", "create", _CONTROLS))
    asked = read(raw, Dialect(lenient=True))
    assert check(asked).ok
    answer = _answer(asked)
    space = "http://www.iec.ch/TC57/2011/EndDeviceControlsMessage"
    assert answer.tag == f"{{{SOAP}}}Envelope"
    [body] = answer
    [reply] = body
    assert reply.tag == f"{{{space}}}EndDeviceControlsResponseMessage"
    assert [part.tag for part in reply] == [f"{{{space}}}Header", f"{{{space}}}Reply"]
    assert reply.findtext(f"{{{space}}}Header/{{{DRAFT}}}Verb") == "reply"
    assert reply.findtext(f"{{{space}}}Reply/{{{DRAFT}}}Result") == "OK"
    again = read(etree.tostring(answer), Dialect(lenient=True))
    assert (again.kind, again.header.verb, again.header.noun) == (MessageKind.RESPONSE, "reply", "EndDeviceControls")
    assert check(again).ok


@pytest.mark.parametrize("payload", ["http://vendor.example/cim#", "http://iec.ch/TC57/2010/EndDeviceEvents#"])
def test_a_payload_goes_out_in_the_partners_namespace_and_back(read: Read, payload: str) -> None:
    pairs = ((OLD, FINAL), (payload.replace("EndDeviceEvents", "*"), "http://iec.ch/TC57/2011/*#"))
    dialect = Dialect(namespaces=NamespaceMap(pairs))
    theirs = etree.fromstring(speak(event(), Speech(dialect.namespaces)))
    assert {etree.QName(element).namespace for element in theirs.iter()} == {OLD, payload}
    ours = read(etree.tostring(theirs), dialect)
    canonical = etree.fromstring(event())
    assert [(e.tag, (e.text or "").strip()) for e in ours.root.iter()] == [
        (e.tag, (e.text or "").strip()) for e in canonical.iter()
    ]
