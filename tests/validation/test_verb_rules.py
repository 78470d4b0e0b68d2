from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding, Severity

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]


@pytest.mark.parametrize("verb", ["created", "changed"])
def test_an_event_in_the_past_tense_passes(judge: Judge, root: Root, verb: str) -> None:
    assert judge("EventMessage", verb, payload=root("MeterReadings")) == []


@pytest.mark.parametrize("verb", ["create", "change"])
def test_a_request_in_the_present_tense_passes(judge: Judge, root: Root, verb: str) -> None:
    assert judge("RequestMessage", verb, payload=root("MeterReadings")) == []


def test_a_response_with_reply_passes(judge: Judge, root: Root) -> None:
    findings = judge("ResponseMessage", "reply", reply="<Result>OK</Result>", payload=root("MeterReadings"))
    assert findings == []


@pytest.mark.parametrize("version", EnvelopeVersion)
@pytest.mark.parametrize(
    ("kind", "verb", "right"),
    [
        ("RequestMessage", "created", "create"),
        ("RequestMessage", "canceled", "cancel"),
        ("EventMessage", "create", "created"),
        ("EventMessage", "close", "closed"),
        ("ResponseMessage", "created", "reply"),
        ("ResponseMessage", "get", "reply"),
    ],
)
def test_a_verb_of_another_kind_of_message_is_refused_with_the_right_one(
    judge: Judge, root: Root, kind: str, verb: str, right: str, version: EnvelopeVersion
) -> None:
    reply = "<Result>OK</Result>" if kind == "ResponseMessage" else None
    [finding] = judge(kind, verb, reply=reply, payload=root("MeterReadings"), version=version)
    assert (finding.rule, finding.code, finding.severity) == ("verb-of-kind", ReplyCode.INVALID_VERB, Severity.ERROR)
    assert finding.advice.startswith(f"Write {right}:")
    assert (finding.found, finding.line, finding.xpath) == (verb, 3, f"/{kind}/Header/Verb")
    assert right in finding.allowed


def test_reply_belongs_in_responses_alone(judge: Judge, root: Root) -> None:
    [finding] = judge("EventMessage", "reply", payload=root("MeterReadings"))
    assert finding.rule == "verb-of-kind"
    assert "created" in finding.advice


def test_an_event_of_a_get_does_not_exist(judge: Judge, root: Root) -> None:
    [finding] = judge("EventMessage", "get", payload=root("MeterReadings"))
    assert finding.rule == "verb-of-kind"
    assert "get" not in finding.allowed


def test_a_one_way_request_may_be_in_the_past_tense(judge: Judge, root: Root) -> None:
    header = "<AckRequired>false</AckRequired>"
    assert judge("RequestMessage", "created", header=header, payload=root("MeterReadings")) == []


def test_a_one_way_request_may_not_say_reply(judge: Judge, root: Root) -> None:
    header = "<AckRequired>false</AckRequired>"
    [finding] = judge("RequestMessage", "reply", header=header, payload=root("MeterReadings"))
    assert finding.rule == "verb-of-kind"


@pytest.mark.parametrize(
    ("kind", "verb", "right"),
    [
        ("EventMessage", "Create", "created"),
        ("RequestMessage", "Create", "create"),
        ("RequestMessage", "GET", "get"),
        ("RequestMessage", " get ", "get"),
        ("EventMessage", "craeted", "created"),
    ],
)
def test_a_verb_that_does_not_exist_is_explained_with_the_one_that_was_meant(
    judge: Judge, root: Root, kind: str, verb: str, right: str
) -> None:
    payload = None if right == "get" else root("MeterReadings")
    [finding] = judge(kind, verb, payload=payload)
    assert (finding.rule, finding.code) == ("cvc-enumeration-valid", ReplyCode.INVALID_VERB)
    assert finding.advice.startswith(f"Write {right}:")
    assert right in finding.allowed


def test_a_verb_that_resembles_none_is_answered_with_the_list(judge: Judge, root: Root) -> None:
    [finding] = judge("EventMessage", "explode", payload=root("MeterReadings"))
    assert finding.code is ReplyCode.INVALID_VERB
    assert all(verb in finding.advice for verb in ("created", "changed", "closed"))


@pytest.mark.parametrize(
    ("kind", "verb", "instead"),
    [
        ("RequestMessage", "update", "change"),
        ("EventMessage", "updated", "changed"),
        ("EventMessage", "cancelled", "canceled"),
        ("RequestMessage", "cancelled", "cancel"),
        ("EventMessage", "Updated", "changed"),
    ],
)
def test_a_deprecated_verb_is_refused_in_the_final_version(
    judge: Judge, root: Root, kind: str, verb: str, instead: str
) -> None:
    [finding] = judge(kind, verb, payload=root("MeterReadings"))
    assert (finding.rule, finding.code) == ("verb-deprecated", ReplyCode.INVALID_VERB)
    assert finding.advice.startswith(f"Write {instead}:")


@pytest.mark.parametrize(
    ("verb", "part_of_advice"),
    [("show", "Write reply"), ("publish", "created"), ("report", "created"), ("terminate", "close")],
)
def test_a_deprecated_verb_is_refused_in_the_draft_whose_schema_lists_it(
    judge: Judge, root: Root, verb: str, part_of_advice: str
) -> None:
    kind = "ResponseMessage" if verb == "show" else "EventMessage"
    reply = "<Result>OK</Result>" if verb == "show" else None
    [finding] = judge(kind, verb, reply=reply, payload=root("MeterReadings"), version=EnvelopeVersion.DRAFT)
    assert finding.rule == "verb-deprecated"
    assert part_of_advice in finding.advice


@pytest.mark.parametrize("version", EnvelopeVersion)
@pytest.mark.parametrize(
    ("verb", "command"),
    [("subscribe", "cimgate subscriptions create NAME --noun MeterReadings"), ("unsubscribe", "subscriptions delete")],
)
def test_who_asks_for_a_subscription_by_a_message_is_told_how_one_is_made(
    judge: Judge, root: Root, verb: str, command: str, version: EnvelopeVersion
) -> None:
    [finding] = judge("RequestMessage", verb, payload=root("MeterReadings"), version=version)
    assert (finding.rule, finding.code) == ("verb-subscription", ReplyCode.INVALID_VERB)
    assert command in finding.advice
    assert "cim.events" in finding.advice


def test_executed_is_not_in_the_draft(judge: Judge, root: Root) -> None:
    [finding] = judge("EventMessage", "executed", payload=root("MeterReadings"), version=EnvelopeVersion.DRAFT)
    assert (finding.rule, finding.code) == ("cvc-enumeration-valid", ReplyCode.INVALID_VERB)
    assert "final version" in finding.advice
