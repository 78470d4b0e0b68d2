from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding, Severity
from gateway.validation import Verdict

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]

_ASYNC = "<AsyncReplyFlag>true</AsyncReplyFlag>"
_ID = "<MessageID>m-1</MessageID>"


def _get(judge: Judge, header: str) -> list[Finding]:
    return judge("RequestMessage", "get", header=header, request="<ID>meter-1</ID>")


@pytest.mark.parametrize(
    "address", ["queue:mdm.replies", "topic:TESTING.REPLY.MDM", "http://mdm/cb", "https://mdm:8443/"]
)
def test_an_asynchronous_request_with_address_and_id_passes(judge: Judge, address: str) -> None:
    assert _get(judge, f"{_ASYNC}<ReplyAddress>{address}</ReplyAddress>{_ID}") == []


def test_an_asynchronous_request_without_address_is_refused(judge: Judge) -> None:
    [finding] = _get(judge, _ASYNC + _ID)
    assert finding.rule == "async-reply-address"
    assert finding.code is ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING
    assert "queue:NAME" in finding.advice


def test_a_blank_address_is_none(judge: Judge) -> None:
    [finding] = _get(judge, f"{_ASYNC}<ReplyAddress> </ReplyAddress>{_ID}")
    assert finding.rule == "async-reply-address"


def test_an_asynchronous_request_without_any_id_is_refused(judge: Judge) -> None:
    [finding] = _get(judge, f"{_ASYNC}<ReplyAddress>queue:q</ReplyAddress>")
    assert (finding.rule, finding.code) == ("async-id", ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING)


def test_a_correlation_id_alone_is_enough(judge: Judge) -> None:
    header = f"{_ASYNC}<ReplyAddress>queue:q</ReplyAddress><CorrelationID>c-1</CorrelationID>"
    assert _get(judge, header) == []


def test_a_blank_correlation_id_does_not_count(judge: Judge) -> None:
    findings = _get(judge, f"{_ASYNC}<ReplyAddress>queue:q</ReplyAddress><CorrelationID/>")
    assert {finding.rule for finding in findings} == {"async-id", "blank-correlation"}


def test_a_synchronous_request_needs_neither(judge: Judge) -> None:
    assert _get(judge, "<AsyncReplyFlag>false</AsyncReplyFlag>") == []


@pytest.mark.parametrize("address", ["NONE", "queue:", "queue:two words", "ftp://mdm/", "http://", "mdm.replies"])
def test_a_malformed_address_is_an_error_where_replies_are_asynchronous(judge: Judge, address: str) -> None:
    [finding] = _get(judge, f"{_ASYNC}<ReplyAddress>{address}</ReplyAddress>{_ID}")
    assert (finding.rule, finding.severity) == ("reply-address-form", Severity.ERROR)
    assert finding.code is ReplyCode.SCHEMA_VALIDATION_FAILED
    assert finding.found == address


def test_a_malformed_address_is_a_warning_where_replies_are_synchronous(judge: Judge) -> None:
    [finding] = _get(judge, "<ReplyAddress>NONE</ReplyAddress>")
    assert (finding.rule, finding.severity) == ("reply-address-form", Severity.WARNING)


def test_a_one_way_request_may_have_any_address(judge: Judge, root: Root) -> None:
    header = f"{_ASYNC}<ReplyAddress>NONE</ReplyAddress><AckRequired>false</AckRequired>"
    assert judge("RequestMessage", "create", header=header, payload=root("MeterReadings")) == []


def test_a_get_without_reply_is_odd_but_passes(judge: Judge) -> None:
    [finding] = _get(judge, "<AckRequired>false</AckRequired>")
    assert (finding.rule, finding.severity) == ("query-one-way", Severity.WARNING)


def test_a_blank_correlation_id_is_told(judge: Judge, root: Root) -> None:
    [finding] = judge(header="<CorrelationID> </CorrelationID>", payload=root("MeterReadings"))
    assert (finding.rule, finding.severity) == ("blank-correlation", Severity.WARNING)


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_a_foreign_context_is_refused_naming_both(judge: Judge, root: Root, version: EnvelopeVersion) -> None:
    [finding] = judge(
        header="<Context>TESTING</Context>", payload=root("MeterReadings"), context="PRODUCTION", version=version
    )
    assert (finding.rule, finding.code) == ("context-foreign", ReplyCode.POLICY_VIOLATION)
    assert "TESTING" in finding.text
    assert "PRODUCTION" in finding.text
    assert finding.xpath == "/EventMessage/Header/Context"


@pytest.mark.parametrize("header", ["<Context>PRODUCTION</Context>", "", "<Context/>"])
def test_the_own_context_and_none_pass(judge: Judge, root: Root, header: str) -> None:
    assert judge(header=header, payload=root("MeterReadings"), context="PRODUCTION") == []


def test_any_context_passes_a_gateway_without_one(judge: Judge, root: Root) -> None:
    assert judge(header="<Context>TESTING</Context>", payload=root("MeterReadings")) == []


def test_a_context_outside_the_closed_list_of_the_draft_is_a_fault_of_schema_told_once(
    judge: Judge, root: Root
) -> None:
    [finding] = judge(
        header="<Context>LAB</Context>",
        payload=root("MeterReadings"),
        context="PRODUCTION",
        version=EnvelopeVersion.DRAFT,
    )
    assert (finding.rule, finding.code) == ("cvc-enumeration-valid", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert "TRAINING" in finding.allowed


def test_a_generic_message_is_for_the_inside_of_intermediaries(judge: Judge, root: Root) -> None:
    [finding] = judge("Message", payload=root("MeterReadings"))
    assert (finding.rule, finding.code) == ("generic-root", ReplyCode.SCHEMA_VALIDATION_FAILED)


def test_a_message_in_a_soap_envelope_is_refused_and_still_judged(
    check: Callable[..., Verdict], write: Callable[..., bytes], root: Root
) -> None:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    inside = write(verb="Create", payload=root("MeterReadings")).decode()
    verdict = check(f'<s:Envelope xmlns:s="{soap}"><s:Body>{inside}</s:Body></s:Envelope>'.encode())
    assert [finding.rule for finding in verdict.findings] == ["soap-wrapped", "cvc-enumeration-valid"]
    assert verdict.findings[1].xpath == "/Envelope/Body/EventMessage/Header/Verb"
