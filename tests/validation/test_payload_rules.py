from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding, Severity
from gateway.validation import Verdict

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]


@pytest.mark.parametrize("version", EnvelopeVersion)
@pytest.mark.parametrize("verb", ["create", "change"])
@pytest.mark.parametrize("payload", [None, ""])
def test_a_request_to_create_or_change_needs_a_payload(
    judge: Judge, verb: str, payload: str | None, version: EnvelopeVersion
) -> None:
    [finding] = judge("RequestMessage", verb, payload=payload, version=version)
    assert (finding.rule, finding.severity) == ("payload-required", Severity.ERROR)
    assert finding.code is ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING
    assert finding.allowed == ("MeterReadings",)


def test_ids_are_not_the_payload_of_a_create(judge: Judge) -> None:
    [finding] = judge("RequestMessage", "create", payload="<ID>1</ID>")
    assert finding.rule == "payload-required"
    assert "ids" in finding.text


def test_a_one_way_request_in_the_past_tense_needs_its_payload_too(judge: Judge) -> None:
    [finding] = judge("RequestMessage", "created", header="<AckRequired>false</AckRequired>")
    assert (finding.rule, finding.severity) == ("payload-required", Severity.ERROR)


@pytest.mark.parametrize("verb", ["created", "changed", "deleted"])
def test_an_event_without_payload_passes_with_a_warning(judge: Judge, verb: str) -> None:
    [finding] = judge("EventMessage", verb)
    assert (finding.rule, finding.severity) == ("payload-required", Severity.WARNING)


@pytest.mark.parametrize("verb", ["canceled", "closed", "deleted"])
def test_ids_are_enough_for_an_event_of_an_end(judge: Judge, verb: str) -> None:
    assert judge("EventMessage", verb, payload="<ID>1</ID>") == []


def test_a_get_has_no_payload(judge: Judge, root: Root) -> None:
    [finding] = judge("RequestMessage", "get", payload=root("MeterReadings"))
    assert (finding.rule, finding.code) == ("payload-forbidden", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert "Request" in finding.advice


def test_parameters_of_a_get_in_the_payload_belong_in_request(judge: Judge, root: Root) -> None:
    [finding] = judge("RequestMessage", "get", payload=root("GetMeterReadings"))
    assert finding.rule == "payload-forbidden"
    assert finding.advice.startswith("Move GetMeterReadings into Request")


@pytest.mark.parametrize("verb", ["delete", "cancel", "close"])
@pytest.mark.parametrize("request_part", [None, "", "<ID> </ID>", "<Option><name>x</name></Option>"])
def test_a_request_to_end_something_names_it(judge: Judge, verb: str, request_part: str | None) -> None:
    [finding] = judge("RequestMessage", verb, request=request_part)
    assert (finding.rule, finding.code) == ("id-required", ReplyCode.MANDATORY_REQUEST_ELEMENTS_MISSING)


@pytest.mark.parametrize("verb", ["delete", "cancel", "close"])
def test_the_object_may_be_named_in_request_payload_or_a_typed_payload(judge: Judge, root: Root, verb: str) -> None:
    assert judge("RequestMessage", verb, request="<ID>1</ID>") == []
    assert judge("RequestMessage", verb, payload="<ID>1</ID>") == []
    assert judge("RequestMessage", verb, payload=root("MeterReadings")) == []


def test_two_payload_roots_are_refused(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=root("MeterReadings") + root("MeterReadings"))
    assert (finding.rule, finding.code) == ("one-payload", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert finding.xpath == "/EventMessage/Payload/MeterReadings[2]"


def test_each_of_two_payload_roots_is_checked(judge: Judge, root: Root) -> None:
    findings = judge(payload=root("MeterReadings") + root("EndDeviceEvents", "<EndDeviceEvent/>"))
    assert {finding.rule for finding in findings} == {"one-payload", "cvc-complex-type.2.4"}


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_a_failed_reply_should_name_an_error(judge: Judge, version: EnvelopeVersion) -> None:
    [finding] = judge("ResponseMessage", "reply", reply="<Result>FAILED</Result>", version=version)
    assert (finding.rule, finding.severity) == ("failed-without-error", Severity.WARNING)


@pytest.mark.parametrize(
    "reply",
    ["<Result>FAILED</Result><Error><code>SIM8011</code></Error>", "<Result>OK</Result>", "<Result>PARTIAL</Result>"],
)
def test_replies_that_say_enough_pass_with_any_code(judge: Judge, reply: str) -> None:
    assert judge("ResponseMessage", "reply", reply=reply) == []


def test_a_fault_message_is_judged_by_its_schema_alone(check: Callable[..., Verdict]) -> None:
    start, end = f'<FaultMessage xmlns="{EnvelopeVersion.FINAL.namespace}">', "</FaultMessage>"
    assert check(f"{start}<Reply><Result>FAILED</Result></Reply>{end}".encode()).findings == ()
    [finding] = check(f"{start}{end}".encode()).findings
    assert finding.text == "FaultMessage lacks Reply."


def test_the_draft_s_fault_message_is_empty(check: Callable[..., Verdict]) -> None:
    start, end = f'<FaultMessage xmlns="{EnvelopeVersion.DRAFT.namespace}">', "</FaultMessage>"
    assert check(f"{start}{end}".encode()).ok
    assert not check(f"{start}<Reply><Result>FAILED</Result></Reply>{end}".encode()).ok
