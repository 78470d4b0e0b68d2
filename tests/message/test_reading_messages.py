import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Message, MessageKind, Property, Unreadable, read
from gateway.message.envelope import ReplayDetection, User

_FINAL = EnvelopeVersion.FINAL.namespace
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def _read(header: str, kind: str = "EventMessage", namespace: str = _FINAL, rest: str = "") -> Message:
    return read(f'<{kind} xmlns="{namespace}"><Header>{header}</Header>{rest}</{kind}>'.encode())


def _refused(raw: str | bytes) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        read(raw.encode() if isinstance(raw, str) else raw)
    return refused.value


_SHORT = "<Verb>created</Verb><Noun>MeterReadings</Noun>"


@pytest.mark.parametrize("version", EnvelopeVersion)
@pytest.mark.parametrize("kind", [kind for kind in MessageKind if kind is not MessageKind.FAULT])
def test_version_and_kind_are_told_by_the_root(version: EnvelopeVersion, kind: MessageKind) -> None:
    message = _read(_SHORT, kind, version.namespace)
    assert (message.kind, message.version, message.wrapped) == (kind, version, False)


def test_every_element_of_a_header_is_read() -> None:
    header = _read(
        "<Verb>get</Verb><Noun>MeterReadings</Noun><Revision>2.0</Revision>"
        "<ReplayDetection><Nonce>n</Nonce><Created>2024-03-01T24:00:00Z</Created></ReplayDetection>"
        "<Context>TESTING</Context><Timestamp>2024-03-01T24:00:00Z</Timestamp><Source>MDM</Source>"
        "<AsyncReplyFlag> 1 </AsyncReplyFlag><ReplyAddress>queue:q</ReplyAddress><AckRequired>false</AckRequired>"
        "<User><UserID>u</UserID><Organization>o</Organization></User>"
        "<MessageID>m</MessageID><CorrelationID>c</CorrelationID><Comment>hi</Comment>"
        "<Property><Name>a</Name><Value>1</Value></Property><Property><Name>b</Name></Property>"
        '<extra xmlns="urn:x">left alone</extra>',
        "RequestMessage",
    ).header
    assert (header.verb, header.noun, header.revision) == ("get", "MeterReadings", "2.0")
    assert header.replay_detection == ReplayDetection("n", "2024-03-01T24:00:00Z")
    assert (header.context, header.timestamp, header.source) == ("TESTING", "2024-03-01T24:00:00Z", "MDM")
    assert (header.async_reply_flag, header.reply_address, header.ack_required) == (True, "queue:q", False)
    assert header.user == User("u", "o")
    assert (header.message_id, header.correlation_id, header.comment) == ("m", "c", "hi")
    assert header.properties == (Property("a", "1"), Property("b"))


def test_what_a_header_lacks_is_none_and_what_is_empty_is_empty() -> None:
    header = _read(_SHORT + "<CorrelationID/>").header
    assert (header.correlation_id, header.message_id, header.async_reply_flag) == ("", None, None)


def test_an_element_of_another_namespace_is_not_taken_for_the_header_s() -> None:
    assert _read(_SHORT + '<MessageID xmlns="urn:x">1</MessageID>').header.message_id is None


def test_of_a_repeated_element_the_first_counts() -> None:
    assert _read(_SHORT + "<MessageID>1</MessageID><MessageID>2</MessageID>").header.message_id == "1"


def test_comments_and_instructions_are_no_content() -> None:
    payload = '<Payload><!-- a --><?b c?><M xmlns="urn:m"/></Payload>'
    message = _read("<!-- x -->" + _SHORT, rest=payload)
    assert [child.tag for child in message.content] == ["{urn:m}M"]


def test_a_reply_echoes_the_correlation_id_or_else_the_message_id() -> None:
    assert _read(_SHORT + "<MessageID>m</MessageID><CorrelationID>c</CorrelationID>").header.echoed_id == "c"
    assert _read(_SHORT + "<MessageID>m</MessageID><CorrelationID> </CorrelationID>").header.echoed_id == "m"
    assert _read(_SHORT).header.echoed_id is None


def test_the_bytes_are_kept_as_they_came() -> None:
    text = f'<EventMessage xmlns="{_FINAL}"><Header>{_SHORT}</Header></EventMessage>'
    encoded = f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    message = read(encoded)
    assert message.raw == encoded
    assert message.header.noun == "MeterReadings"


def test_a_message_inside_soap_is_opened_and_noted() -> None:
    inside = f'<EventMessage xmlns="{_FINAL}"><Header>{_SHORT}</Header></EventMessage>'
    message = read(f'<s:Envelope xmlns:s="{_SOAP}"><s:Header/><s:Body>{inside}</s:Body></s:Envelope>'.encode())
    assert message.wrapped
    assert message.kind is MessageKind.EVENT


def test_a_fault_message_has_no_header() -> None:
    raw = f'<FaultMessage xmlns="{_FINAL}"><Reply><Result>FAILED</Result></Reply></FaultMessage>'
    assert read(raw.encode()).header.verb == ""


@pytest.mark.parametrize("version", EnvelopeVersion)
@pytest.mark.parametrize(
    ("content", "missing"),
    [
        ("", "Header"),
        ("<Header/>", "Verb"),
        ("<Header><Verb>get</Verb></Header>", "Noun"),
        ("<Header><Verb> </Verb><Noun>x</Noun></Header>", "Verb"),
    ],
)
def test_a_header_that_cannot_be_used_is_1_5_in_the_sender_s_version(
    content: str, missing: str, version: EnvelopeVersion
) -> None:
    refused = _refused(f'<RequestMessage xmlns="{version.namespace}">{content}</RequestMessage>')
    finding = refused.finding
    assert (finding.rule, finding.code) == ("header-unusable", ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING)
    assert (finding.element, finding.line) == (missing, 1)
    assert refused.version is version


@pytest.mark.parametrize(
    ("raw", "part_of_text"),
    [
        ("<order/>", "not a message"),
        ('<RequestMessage xmlns="http://www.iec.ch/TC57/2010/schema/message"/>', "no known version"),
        ("<RequestMessage/>", "no known version"),
        (f'<s:Envelope xmlns:s="{_SOAP}"><s:Body><order/></s:Body></s:Envelope>', "not a message"),
    ],
)
def test_what_is_no_message_is_1_8_with_the_roots_that_are(raw: str, part_of_text: str) -> None:
    finding = _refused(raw).finding
    assert (finding.rule, finding.code) == ("envelope-root", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert part_of_text in finding.text
    assert "RequestMessage" in finding.allowed
    assert "{" not in finding.found


@pytest.mark.parametrize("body", ["", "<s:Body/>"])
def test_an_empty_soap_envelope_is_no_message(body: str) -> None:
    assert _refused(f'<s:Envelope xmlns:s="{_SOAP}">{body}</s:Envelope>').finding.rule == "soap-wrapped"
