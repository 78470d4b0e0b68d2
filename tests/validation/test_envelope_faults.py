from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding, Severity
from gateway.validation import Verdict

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_header_elements_out_of_order_are_told_with_their_place(
    judge: Judge, root: Root, version: EnvelopeVersion
) -> None:
    header = "<MessageID>1</MessageID>\n<Timestamp>2024-03-01T00:00:00Z</Timestamp>"
    [finding] = judge(header=header, payload=root("MeterReadings"), version=version)
    assert (finding.rule, finding.code) == ("cvc-complex-type.2.4", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert finding.advice.startswith("Move Timestamp before MessageID")
    assert (finding.xpath, finding.line) == ("/EventMessage/Header/Timestamp", 6)
    assert "CorrelationID" in finding.allowed


def test_the_first_element_that_stands_too_early_is_named(judge: Judge, root: Root) -> None:
    header = "<Source>a</Source><AckRequired>true</AckRequired><Revision>1</Revision>"
    [finding] = judge(header=header, payload=root("MeterReadings"))
    assert finding.advice.startswith("Move Revision before Source")


def test_a_repeated_element_is_told(judge: Judge, root: Root) -> None:
    [finding] = judge(header="<MessageID>1</MessageID><MessageID>2</MessageID>", payload=root("MeterReadings"))
    assert finding.text == "Header may hold MessageID once; here it stands once more."
    assert finding.xpath == "/EventMessage/Header/MessageID[2]"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("ReplyAdress", "ReplyAddress"), ("CorrelationId", "CorrelationID"), ("messageid", "MessageID")],
)
def test_a_misspelt_element_is_told_with_the_right_name(judge: Judge, root: Root, wrong: str, right: str) -> None:
    [finding] = judge(header=f"<{wrong}>x</{wrong}>", payload=root("MeterReadings"))
    assert finding.text == f"Header has no element {wrong}."
    assert finding.advice == f"Write {right}."


def test_an_unknown_element_is_to_be_taken_out(judge: Judge, root: Root) -> None:
    [finding] = judge(header="<Weather>fine</Weather>", payload=root("MeterReadings"))
    assert finding.advice.startswith("Take Weather out")


def test_an_element_in_no_namespace_is_told_with_the_right_one(judge: Judge, root: Root) -> None:
    [finding] = judge(header='<MessageID xmlns="">1</MessageID>', payload=root("MeterReadings"))
    assert "in no namespace" in finding.text
    assert finding.advice == f"Write MessageID in the namespace '{EnvelopeVersion.FINAL.namespace}'."


@pytest.mark.parametrize(
    ("header", "place", "part_of_advice"),
    [
        ("<Timestamp>yesterday</Timestamp>", "Timestamp", "2024-03-01T14:30:00Z"),
        ("<AsyncReplyFlag>yes</AsyncReplyFlag>", "AsyncReplyFlag", "Write true."),
        ("<Timestamp><at/></Timestamp>", "Timestamp", "<Timestamp>text</Timestamp>"),
        ("<Source kind='x'>a</Source>", "Source/@kind", "Take the attribute kind out"),
    ],
)
def test_a_value_of_the_wrong_type_is_told_with_the_way_to_write_it(
    judge: Judge, root: Root, header: str, place: str, part_of_advice: str
) -> None:
    [finding] = judge(header=header, payload=root("MeterReadings"))
    assert finding.code is ReplyCode.SCHEMA_VALIDATION_FAILED
    assert finding.rule.startswith(("cvc-datatype-valid.1.2.1", "cvc-type.3.1"))
    assert finding.xpath == f"/EventMessage/Header/{place}"
    assert part_of_advice in finding.advice


def test_a_missing_part_of_the_header_is_1_5(judge: Judge, root: Root) -> None:
    [finding] = judge(header="<User><Organization>x</Organization></User>", payload=root("MeterReadings"))
    assert finding.code is ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING
    assert finding.text == "User lacks UserID."
    assert finding.advice == "Add UserID before Organization."


def test_the_draft_demands_the_organization(judge: Judge, root: Root) -> None:
    header = "<User><UserID>x</UserID></User>"
    assert judge(header=header, payload=root("MeterReadings")) == []
    [finding] = judge(header=header, payload=root("MeterReadings"), version=EnvelopeVersion.DRAFT)
    assert finding.code is ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING
    assert finding.advice == "Add Organization after UserID."


def test_a_missing_part_of_the_request_is_1_6(judge: Judge) -> None:
    [finding] = judge("RequestMessage", "get", request="<Option><value>1</value></Option>")
    assert finding.code is ReplyCode.MANDATORY_REQUEST_ELEMENTS_MISSING
    assert finding.text == "Option lacks name."


def test_a_missing_part_of_the_payload_is_1_7(judge: Judge) -> None:
    payload = "<OperationSet><Operation><verb>create</verb></Operation></OperationSet>"
    [finding] = judge("RequestMessage", "execute", noun="OperationSet", payload=payload)
    assert finding.code is ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING
    assert finding.text == "Operation lacks operationId."


def test_a_response_without_reply_is_1_8(judge: Judge) -> None:
    [finding] = judge("ResponseMessage", "reply")
    assert finding.code is ReplyCode.SCHEMA_VALIDATION_FAILED
    assert finding.text == "ResponseMessage lacks Reply."
    assert finding.advice == "Add Reply after Header."


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_a_result_outside_the_list_is_told_with_the_list(judge: Judge, version: EnvelopeVersion) -> None:
    [finding] = judge("ResponseMessage", "reply", reply="<Result>FATAL</Result>", version=version)
    assert (finding.rule, finding.found) == ("cvc-enumeration-valid", "FATAL")
    assert finding.allowed == ("OK", "PARTIAL", "FAILED")


def test_a_path_in_xpath_belongs_in_details(judge: Judge) -> None:
    reply = "<Result>FAILED</Result><Error><code>1.8</code><xpath>/a:b[1]/c</xpath></Error>"
    [finding] = judge("ResponseMessage", "reply", reply=reply)
    assert "details" in finding.advice
    assert finding.xpath == "/ResponseMessage/Reply/Error/xpath"


def test_a_kind_of_id_outside_the_list_is_told_at_its_attribute(judge: Judge) -> None:
    [finding] = judge("RequestMessage", "get", request='<ID kind="UUID">1</ID>')
    assert (finding.rule, finding.xpath) == ("cvc-enumeration-valid", "/RequestMessage/Request/ID/@kind")
    assert (finding.found, finding.advice) == ("UUID", "Write uuid.")


def test_ids_of_the_draft_have_no_attributes(judge: Judge) -> None:
    [finding] = judge("RequestMessage", "get", request='<ID kind="uuid">1</ID>', version=EnvelopeVersion.DRAFT)
    assert finding.advice == "Take the attribute kind out."


def test_text_between_elements_is_told(judge: Judge, root: Root) -> None:
    [finding] = judge(header="hello", payload=root("MeterReadings"))
    assert finding.rule == "cvc-complex-type.2.3"
    assert finding.xpath == "/EventMessage/Header"


def test_a_part_that_the_message_cannot_have_is_told(judge: Judge) -> None:
    [finding] = judge("EventMessage", "created", reply="<Result>OK</Result>")
    assert finding.text == "EventMessage has no element Reply."


def test_a_lower_case_format_is_told(judge: Judge) -> None:
    [finding] = judge(payload="<Compressed>H4sI</Compressed><format>XML</format>")
    assert finding.advice == "Write Format."


def test_a_payload_holds_one_kind_of_content(judge: Judge) -> None:
    [finding] = judge("EventMessage", "deleted", payload="<ID>1</ID><Compressed>H4sI</Compressed>")
    assert finding.text == "Compressed is not allowed here, next to what stands before it."


def test_everything_wrong_is_told_at_once(judge: Judge, root: Root) -> None:
    findings = judge(
        verb="Create",
        noun="MeterReading",
        header="<Context>TESTING</Context><Timestamp>now</Timestamp>",
        payload=root("MeterReadings", "<MeterReading><Readings/></MeterReading>"),
        context="PRODUCTION",
    )
    assert sorted((finding.element, finding.code.value) for finding in findings) == [
        ("Context", "7.7"),
        ("Noun", "2.5"),
        ("Readings", "1.7"),
        ("Timestamp", "1.8"),
        ("Verb", "2.9"),
    ]


def test_no_text_shows_namespaces_as_programs_write_them(judge: Judge, root: Root) -> None:
    findings = judge(
        header="<Foo/>", payload=root("MeterReadings", "<Bar/><MeterReading x='1'>text</MeterReading>")
    ) + judge(
        payload=root("MeterReadings", "<MeterReading><Readings><value/><reason>x</reason></Readings></MeterReading>")
    )
    assert len(findings) > 2
    assert not any("{" in finding.text + finding.advice + "".join(finding.allowed) for finding in findings)


def test_a_good_message_is_told_apart_by_one_shared_verdict(
    check: Callable[..., Verdict], write: Callable[..., bytes], root: Root
) -> None:
    raw = write(payload=root("MeterReadings"))
    assert check(raw) is check(raw)
    assert check(raw).ok
    assert check(raw).first is None


def test_warnings_do_not_refuse(check: Callable[..., Verdict], write: Callable[..., bytes]) -> None:
    verdict = check(write(header="<CorrelationID/>"))
    assert verdict.ok
    assert verdict.errors == ()
    assert {finding.severity for finding in verdict.warnings} == {Severity.WARNING}


def test_the_first_error_is_named_although_warnings_stand_before_it(
    check: Callable[..., Verdict], write: Callable[..., bytes]
) -> None:
    verdict = check(write("RequestMessage", "create", header="<CorrelationID/>"))
    assert not verdict.ok
    assert verdict.first is not None
    assert verdict.first.rule == "payload-required"
