"""Messages the way partners really write them: their verdict, and what their sender is told."""

from collections.abc import Callable

import pytest

from gateway.message import Unreadable, read
from gateway.validation import Verdict

INTERVALS = b"""<?xml version='1.0' encoding='UTF-8'?>
<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message">
  <Header>
    <Verb>created</Verb><Noun>MeterReadings</Noun><Revision>1</Revision><Context>PRODUCTION</Context>
    <Timestamp>2026-02-11T06:01:00.250+02:00</Timestamp><Source>HES-SOUTH</Source>
    <MessageID>b8a5fe0e-5dd6-4a4e-9a1f-0e4f3f6f7d10</MessageID>
    <CorrelationID>b8a5fe0e-5dd6-4a4e-9a1f-0e4f3f6f7d10</CorrelationID>
    <Property><Name>Batch</Name><Value>3/9</Value></Property>
  </Header>
  <Payload>
    <MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">
      <MeterReading>
        <IntervalBlocks>
          <IntervalReadings>
            <timeStamp>2026-02-11T05:45:00+02:00</timeStamp><value>17.25</value>
            <ReadingQualities>
              <comment>estimated</comment><source>HES-SOUTH</source><ReadingQualityType ref="2.5.259"/>
            </ReadingQualities>
          </IntervalReadings>
          <ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>
        </IntervalBlocks>
        <Meter><mRID>S-1002</mRID><Names><name>S-1002</name><NameType><name>Serial</name></NameType></Names></Meter>
      </MeterReading>
    </MeterReadings>
  </Payload>
</EventMessage>"""

QUERY = b"""<RequestMessage xmlns="http://iec.ch/TC57/2011/schema/message" xmlns:g="http://iec.ch/TC57/2011/GetMeterReadings#"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://iec.ch/TC57/2011/schema/message M.xsd">
  <Header>
    <Verb>get</Verb><Noun>MeterReadings</Noun><Source>MDM</Source><AsyncReplyFlag>false</AsyncReplyFlag>
    <ReplyAddress>http://address:port/replies</ReplyAddress><AckRequired>false</AckRequired>
    <MessageID>q-1</MessageID>
  </Header>
  <Request>
    <g:GetMeterReadings>
      <g:EndDevice><g:mRID>S-1002</g:mRID></g:EndDevice>
      <g:ReadingType>
        <g:Names><g:name>energy</g:name><g:NameType><g:name>Ours</g:name></g:NameType></g:Names>
      </g:ReadingType>
    </g:GetMeterReadings>
  </Request>
</RequestMessage>"""

WRAPPED = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://iec.ch/TC57/2011/schema/message">
  <s:Body>
    <m:EventMessage>
      <m:Header><m:Verb>Create</m:Verb><m:Noun>EndDeviceEvents</m:Noun><m:Source>lab</m:Source></m:Header>
      <m:Payload>
        <EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#">
          <EndDeviceEvent><mRID>e-1</mRID><reason>try</reason><severity>Low</severity></EndDeviceEvent>
        </EndDeviceEvents>
      </m:Payload>
    </m:EventMessage>
  </s:Body>
</s:Envelope>"""

STRONGLY_TYPED = b"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">
  <s:Body>
    <t:CreateEndDeviceControls xmlns:t="http://www.iec.ch/TC57/2011/EndDeviceControlsMessage"><t:Header/></t:CreateEndDeviceControls>
  </s:Body>
</s:Envelope>"""


def test_interval_readings_with_quality_codes_pass_without_a_word(check: Callable[..., Verdict]) -> None:
    assert check(INTERVALS).findings == ()


def test_a_query_that_wants_no_reply_passes_with_a_warning_and_its_schema_hint_is_ignored(
    check: Callable[..., Verdict],
) -> None:
    verdict = check(QUERY)
    assert verdict.ok
    assert [finding.rule for finding in verdict.warnings] == ["query-one-way"]


def test_a_wrapped_event_with_a_wrong_verb_hears_all_its_faults_at_once(check: Callable[..., Verdict]) -> None:
    errors = check(WRAPPED).errors
    assert [(error.rule, error.code) for error in errors] == [
        ("soap-wrapped", "1.8"),
        ("cvc-enumeration-valid", "2.9"),
        ("cvc-complex-type.2.4", "1.7"),
    ]
    assert "created" in errors[1].advice
    assert "createdDateTime" in errors[2].text
    assert "EndDeviceEventType" in errors[2].text


def test_a_strongly_typed_message_is_told_which_root_to_send() -> None:
    with pytest.raises(Unreadable) as caught:
        read(STRONGLY_TYPED)
    assert caught.value.finding.code == "1.8"
    assert "strongly typed" in caught.value.finding.text
    assert "RequestMessage" in caught.value.finding.advice
