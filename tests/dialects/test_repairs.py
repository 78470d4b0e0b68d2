"""What a lenient dialect repairs, and that a strict one refuses the same with the same words."""

from collections.abc import Callable

import pytest
from lxml import etree

from gateway.dialects import Dialect, Tense
from gateway.message import Finding, Message, MessageKind, Severity, Unreadable
from gateway.validation import Verdict
from tests.dialects.writing import DRAFT, FINAL, SOAP, Read, event, typed, wrapped

Check = Callable[[Message], Verdict]
LENIENT = Dialect(lenient=True)
STRICT = Dialect()

_CONTROL = f"""<RequestMessage xmlns="{FINAL}">
  <Header><Verb>%s</Verb><Noun>EndDeviceControls</Noun><CorrelationID>%s</CorrelationID></Header>
  <Payload><EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#"><EndDeviceControl>
    <EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl></EndDeviceControls></Payload>
</RequestMessage>"""
_REPLY = f"""<ResponseMessage xmlns="{FINAL}"><Header><Verb>%s</Verb><Noun>MeterReadings</Noun></Header>
  <Reply><Result>OK</Result></Reply></ResponseMessage>"""
_EVENTS = """<t:Payload><EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#"><EndDeviceEvent>
    <createdDateTime>2026-03-01T08:00:00Z</createdDateTime><EndDeviceEventType ref="3.26.0.85"/>
  </EndDeviceEvent></EndDeviceEvents></t:Payload>"""
_CONTROLS = """<t:Payload><EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#"><EndDeviceControl>
    <EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl></EndDeviceControls></t:Payload>"""

_SET = f"""<RequestMessage xmlns="{FINAL}"><Header><Verb>execute</Verb><Noun>OperationSet</Noun></Header>
  <Payload><OperationSet><Operation><operationId>1</operationId><verb>%s</verb>
    <MeterConfig xmlns="http://iec.ch/TC57/2011/MeterConfig#"/></Operation></OperationSet></Payload>
</RequestMessage>"""

REPAIRABLE = {
    "an operation's verb in capitals": _SET % "Create",
    "update for change in an operation": _SET % "update",
    "a verb in capitals": _CONTROL % ("CREATE", "1"),
    "a verb with a capital and blanks": _CONTROL % (" Create ", "1"),
    "update for change": _CONTROL % ("update", "1"),
    "Update with a capital": _CONTROL % ("Update", "1"),
    "the present tense in an event": event("create").decode(),
    "updated in an event": event("updated").decode(),
    "British spelling": event("cancelled").decode(),
    "another verb than reply in a response": _REPLY % "created",
    "a capital in the verb of a response": _REPLY % "Reply",
    "a SOAP envelope": wrapped(event()).decode(),
    "a noun that is none, over a payload that is one": event(noun="SendEndDeviceEvents").decode(),
    "a strongly typed event": typed("CreatedEndDeviceEvents", "EndDeviceEvents", "created", _EVENTS).decode(),
    "a strongly typed request": typed("CreateEndDeviceControls", "EndDeviceControls", "create", _CONTROLS).decode(),
}


def _first_words(read: Read, check: Check, raw: bytes) -> tuple[str, str, str]:
    try:
        error = check(read(raw, STRICT)).first
    except Unreadable as refused:
        error = refused.finding
    assert error is not None, "a strict dialect lets it pass"
    return error.rule, error.text, error.advice


@pytest.mark.parametrize("fault", REPAIRABLE)
def test_what_strict_refuses_lenient_repairs_and_tells_in_the_same_words(read: Read, check: Check, fault: str) -> None:
    raw = REPAIRABLE[fault].encode()
    message = read(raw, LENIENT)
    assert [(r.rule, r.text, r.advice) for r in message.repairs] == [_first_words(read, check, raw)]
    assert all(repair.severity is Severity.REPAIRED for repair in message.repairs)
    assert check(message).ok
    assert message.raw != raw
    assert check(read(message.raw, STRICT)).ok, "what is handed on is good by the standard"


def test_a_blank_correlation_id_is_taken_out(read: Read, check: Check) -> None:
    raw = (_CONTROL % ("create", " ")).encode()
    message = read(raw, LENIENT)
    assert message.header.correlation_id is None
    assert [repair.rule for repair in message.repairs] == ["blank-correlation"]
    assert b"CorrelationID" not in message.raw
    [warning] = (finding for finding in check(read(raw, STRICT)).findings if finding.rule == "blank-correlation")
    assert warning.text == message.repairs[0].text


@pytest.mark.parametrize("verb", ["created", "Created", "subscribe", "report", "destroy"])
def test_what_could_be_meant_in_two_ways_is_left_to_be_refused(read: Read, check: Check, verb: str) -> None:
    message = read((_CONTROL % (verb, "1")).encode(), LENIENT)
    assert not check(message).ok


def test_several_repairs_of_one_message_are_all_told(read: Read, check: Check) -> None:
    message = read(wrapped(event("Create", noun="meter alarms")), LENIENT)
    assert [repair.rule for repair in message.repairs] == ["soap-wrapped", "cvc-enumeration-valid", "noun-unknown"]
    assert (message.header.verb, message.header.noun) == ("created", "EndDeviceEvents")
    assert check(message).ok


def test_a_typed_message_inside_soap_becomes_the_generic_one(read: Read, check: Check) -> None:
    raw = wrapped(typed("CreatedEndDeviceEvents", "EndDeviceEvents", "created", _EVENTS))
    message = read(raw, LENIENT)
    assert (message.kind, message.header.verb, message.header.noun) == (MessageKind.EVENT, "created", "EndDeviceEvents")
    assert etree.fromstring(message.raw).tag == f"{{{DRAFT}}}EventMessage"
    assert not message.wrapped
    assert check(message).ok


def test_an_event_typed_as_created_may_have_create_in_its_header(read: Read, check: Check) -> None:
    message = read(typed("CreatedEndDeviceEvents", "EndDeviceEvents", "create", _EVENTS), LENIENT)
    assert (message.kind, message.header.verb) == (MessageKind.EVENT, "created")
    assert [repair.rule for repair in message.repairs] == ["strongly-typed", "strongly-typed-tense"]
    assert check(message).ok


def test_a_switch_command_that_may_be_a_report_is_never_guessed(read: Read) -> None:
    raw = typed("CreatedEndDeviceControls", "EndDeviceControls", "create", _CONTROLS)
    with pytest.raises(Unreadable) as refused:
        read(raw, LENIENT)
    finding: Finding = refused.value.finding
    assert (finding.rule, finding.code) == ("strongly-typed-tense", "2.9")
    assert "a report or a command?" in finding.text


@pytest.mark.parametrize(
    ("tense", "kind", "verb"),
    [(Tense.OPERATION, MessageKind.EVENT, "created"), (Tense.HEADER, MessageKind.REQUEST, "create")],
)
def test_a_site_can_settle_whose_tense_counts(
    read: Read, check: Check, tense: Tense, kind: MessageKind, verb: str
) -> None:
    raw = typed("CreatedEndDeviceControls", "EndDeviceControls", "create", _CONTROLS)
    message = read(raw, Dialect(lenient=True, tense=tense))
    assert (message.kind, message.header.verb) == (kind, verb)
    assert check(message).ok


def test_a_typed_query_has_its_parameters_in_the_request(read: Read, check: Check) -> None:
    profile = '<GetMeterReadings xmlns="http://iec.ch/TC57/2011/GetMeterReadings#"/>'
    raw = typed("GetMeterReadings", "MeterReadings", "get", f"<t:Request>{profile}</t:Request>", space=FINAL, www="")
    message = read(raw, LENIENT)
    assert (message.kind, message.header.verb) == (MessageKind.REQUEST, "get")
    assert message.request is not None
    assert check(message).ok


@pytest.mark.parametrize("root", ["MakeMeterConfig", "CreateMeterReadings", "Created"])
def test_a_typed_root_that_names_no_operation_of_its_noun_is_refused(read: Read, root: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(typed(root, "MeterConfig", "create", ""), LENIENT)
    assert refused.value.finding.rule == "strongly-typed"


def test_a_soap_body_with_two_messages_is_left_to_be_refused(read: Read, check: Check) -> None:
    raw = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode() + event() + event() + b"</s:Body></s:Envelope>"
    verdict = check(read(raw, LENIENT))
    assert verdict.first is not None
    assert verdict.first.rule == "soap-wrapped"
