from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]


def _operation(number: int, content: str, verb: str = "create", noun: str = "MeterReadings", extra: str = "") -> str:
    parts = f"<operationId>{number}</operationId>"
    parts += f"<noun>{noun}</noun>" if noun else ""
    parts += f"<verb>{verb}</verb>" if verb else ""
    return f"<Operation>{parts}{extra}{content}</Operation>"


def _execute(
    judge: Judge, *operations: str, sequence: bool = False, integrity: bool = True, **parts: object
) -> list[Finding]:
    flags = "<enforceMsgSequence>true</enforceMsgSequence>" if sequence else ""
    flags += "<enforceTransactionalIntegrity>true</enforceTransactionalIntegrity>" if integrity else ""
    payload = f"<OperationSet>{flags}{''.join(operations)}</OperationSet>"
    return judge(**{"kind": "RequestMessage", "verb": "execute", "noun": "OperationSet", "payload": payload} | parts)


def test_a_set_of_good_operations_passes(judge: Judge, root: Root) -> None:
    operations = [
        _operation(1, root("MeterReadings")),
        _operation(
            2, root("EndDeviceControls"), "delete", "EndDeviceControls", "<elementOperation>true</elementOperation>"
        ),
        _operation(3, root("EndDeviceEvents"), noun=""),
    ]
    assert _execute(judge, *operations, sequence=True) == []


def test_an_executed_set_passes_in_the_past_tense(judge: Judge, root: Root) -> None:
    assert _execute(judge, _operation(1, root("MeterReadings"), "created"), kind="EventMessage", verb="executed") == []


def test_a_set_without_operations_is_refused(judge: Judge) -> None:
    [finding] = _execute(judge)
    assert (finding.rule, finding.code) == ("operations-none", ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING)


def test_an_operation_id_is_unique(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings")), _operation(1, root("MeterReadings")))
    assert (finding.rule, finding.code) == ("operation-id-unique", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert finding.xpath == "/RequestMessage/Payload/OperationSet/Operation[2]/operationId"


def test_an_operation_without_verb_is_refused(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings"), verb=""))
    assert finding.rule == "operation-verb-missing"
    assert finding.code is ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING
    assert finding.allowed == ("change", "create", "delete")


@pytest.mark.parametrize("verb", ["get", "cancel", "close", "execute", "explode"])
def test_an_operation_creates_changes_or_deletes(judge: Judge, root: Root, verb: str) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings"), verb))
    assert (finding.rule, finding.code) == ("operation-verb", ReplyCode.INVALID_VERB)
    assert finding.found == verb


@pytest.mark.parametrize(
    ("kind", "outer", "inner", "right"),
    [("RequestMessage", "execute", "created", "create"), ("EventMessage", "executed", "delete", "deleted")],
)
def test_the_tense_of_operations_is_that_of_the_message(
    judge: Judge, root: Root, kind: str, outer: str, inner: str, right: str
) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings"), inner), kind=kind, verb=outer)
    assert (finding.rule, finding.code) == ("operation-tense", ReplyCode.INVALID_VERB)
    assert finding.advice == f"Write {right}."


@pytest.mark.parametrize("verb", ["create", "change"])
def test_element_operation_is_for_deleting(judge: Judge, root: Root, verb: str) -> None:
    flag = "<elementOperation>true</elementOperation>"
    [finding] = _execute(judge, _operation(1, root("MeterReadings"), verb, extra=flag))
    assert (finding.rule, finding.code) == ("operation-element", ReplyCode.SCHEMA_VALIDATION_FAILED)


def test_a_sequence_must_ascend_where_it_is_enforced(judge: Judge, root: Root) -> None:
    operations = [_operation(number, root("MeterReadings")) for number in (1, 3, 2)]
    [finding] = _execute(judge, *operations, sequence=True)
    assert (finding.rule, finding.code) == ("operation-order", ReplyCode.SCHEMA_VALIDATION_FAILED)
    assert finding.found == "2"
    assert _execute(judge, *operations) == []


def test_the_noun_of_an_operation_is_that_of_its_payload(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings"), noun="EndDeviceControls"))
    assert (finding.rule, finding.code) == ("operation-noun", ReplyCode.INVALID_NOUN)


def test_the_payload_of_an_operation_is_in_its_own_namespace(judge: Judge, root: Root) -> None:
    content = root("MeterReadings", namespace="http://example.com/mine")
    [finding] = _execute(judge, _operation(1, content))
    assert finding.rule == "operation-noun"
    assert "http://iec.ch/TC57/2011/MeterReadings#" in finding.advice


@pytest.mark.parametrize("noun", ["", "CustomerConfig"])
def test_an_operation_of_a_noun_without_schema_is_refused(judge: Judge, noun: str) -> None:
    content = '<CustomerConfig xmlns="http://iec.ch/TC57/2011/CustomerConfig#"/>'
    [finding] = _execute(judge, _operation(1, content, noun=noun), lacking="CustomerConfig")
    assert (finding.rule, finding.code) == ("noun-unknown", ReplyCode.INVALID_NOUN)


def test_an_operation_without_payload_is_refused(judge: Judge) -> None:
    [finding] = _execute(judge, _operation(1, ""))
    assert (finding.rule, finding.code) == ("operation-payload", ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING)


def test_the_payload_of_an_operation_is_checked_by_its_schema(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, _operation(7, root("EndDeviceEvents", "<EndDeviceEvent/>"), noun="EndDeviceEvents"))
    assert finding.rule == "cvc-complex-type.2.4"
    assert finding.code is ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING
    assert finding.xpath == "/RequestMessage/Payload/OperationSet/Operation/EndDeviceEvents/EndDeviceEvent"


def test_execute_goes_with_the_noun_operation_set(judge: Judge, root: Root) -> None:
    [finding] = judge("RequestMessage", "execute", payload=root("MeterReadings"))
    assert (finding.rule, finding.code) == ("execute-operation-set", ReplyCode.INVALID_NOUN)
    assert finding.allowed == ("OperationSet",)


def test_the_noun_operation_set_goes_with_execute(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings")), verb="create")
    assert (finding.rule, finding.found, finding.allowed) == ("execute-operation-set", "create", ("execute",))


def test_an_event_of_an_operation_set_says_executed(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings"), "created"), kind="EventMessage", verb="created")
    assert (finding.rule, finding.allowed) == ("execute-operation-set", ("executed",))


@pytest.mark.parametrize("payload", [None, "<ID>1</ID>"])
def test_execute_needs_an_operation_set_in_the_payload(judge: Judge, payload: str | None) -> None:
    [finding] = judge("RequestMessage", "execute", noun="OperationSet", payload=payload)
    assert finding.rule == "execute-operation-set"
    assert finding.code is ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING


def test_a_reply_about_an_operation_set_has_no_payload(judge: Judge) -> None:
    reply = "<Result>OK</Result><operationId>1</operationId>"
    assert judge("ResponseMessage", "reply", noun="OperationSet", reply=reply) == []


def test_an_operation_set_cannot_be_named_in_the_draft(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, _operation(1, root("MeterReadings")), version=EnvelopeVersion.DRAFT)
    assert (finding.rule, finding.code) == ("cvc-enumeration-valid", ReplyCode.INVALID_NOUN)


def test_a_set_with_very_many_faults_is_told_in_part(judge: Judge) -> None:
    findings = _execute(judge, *(_operation(number, "") for number in range(3000)))
    assert len(findings) == 100


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 5000])
def test_an_operation_id_that_is_no_number_of_practice_is_refused(judge: Judge, root: Root, digits: str) -> None:
    operation = f"<Operation><operationId>{digits}</operationId>{root('MeterReadings')}</Operation>"
    payload = f"<OperationSet>{operation}</OperationSet>"
    [finding] = judge("RequestMessage", "execute", noun="OperationSet", payload=payload)
    assert (finding.rule, finding.code) == ("operation-id-size", ReplyCode.SCHEMA_VALIDATION_FAILED)
    reply = f"<Result>OK</Result><operationId>{digits}</operationId>"
    [finding] = judge("ResponseMessage", "reply", noun="OperationSet", reply=reply)
    assert finding.xpath == "/ResponseMessage/Reply/operationId"


def test_a_set_of_several_operations_that_does_not_say_whether_all_must_succeed_is_warned(
    judge: Judge, root: Root
) -> None:
    operations = [_operation(1, root("MeterReadings")), _operation(2, root("MeterReadings"))]
    [finding] = _execute(judge, *operations, integrity=False)
    assert (finding.rule, finding.severity) == ("operation-integrity", "warning")
    assert "each for itself" in finding.text
    assert _execute(judge, operations[0], integrity=False) == []


_METER = "<Meter><mRID>m-1</mRID></Meter>"
_LINK = "<Meter><mRID>m-1</mRID></Meter><UsagePoint><Names><name>up-7</name></Names></UsagePoint>"


def _linked(root: Root, link: int, meter: int, verb: str = "create") -> list[str]:
    return [
        _operation(link, root("MasterDataLinkageConfig", _LINK), "create", "MasterDataLinkageConfig"),
        _operation(meter, root("MeterConfig", _METER), verb, "MeterConfig"),
    ]


def test_a_link_to_what_only_a_later_operation_creates_is_warned(judge: Judge, root: Root) -> None:
    [finding] = _execute(judge, *_linked(root, 1, 2))
    assert (finding.rule, finding.severity, finding.found) == ("operation-link", "warning", "m-1")
    assert "Operation 1 links the Meter 'm-1', which only operation 2 creates" in finding.text


def test_the_order_of_an_enforced_sequence_counts_for_links(judge: Judge, root: Root) -> None:
    [order] = _execute(judge, *_linked(root, 2, 1), sequence=True)
    assert order.rule == "operation-order"


def test_links_to_what_exists_or_was_created_before_pass(judge: Judge, root: Root) -> None:
    assert _execute(judge, *reversed(_linked(root, 2, 1))) == []
    assert _execute(judge, *_linked(root, 1, 2, verb="change")) == []
    other = _operation(2, root("MeterConfig", "<Meter><mRID>m-2</mRID></Meter>"), "create", "MeterConfig")
    assert _execute(judge, _linked(root, 1, 2)[0], other) == []


def test_a_hundred_faults_of_one_rule_do_not_hide_another(judge: Judge, root: Root) -> None:
    many = [_operation(number, "") for number in range(1, 151)]
    findings = _execute(judge, *many, _operation(151, root("MeterReadings"), "explode"))
    assert {finding.rule for finding in findings} <= {"operation-payload", "operation-verb"}
    assert len(findings) == 100
