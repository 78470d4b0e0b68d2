"""Where the answer to a refused request goes, and what it says."""

import pytest

from gateway.codes import ReplyCode
from gateway.endpoints import AmqpAddress, Coverage, Covered, read_url
from gateway.message import EnvelopeVersion, Finding, Header, MessageKind, read
from gateway.message.parts import reply_of
from gateway.pipeline.refusal import ReplyPlaces, Sender, fault, reply_address, response
from tests.e2e.traffic import DRAFT, FINAL, parts

CRM = Coverage([Covered("crm", read_url("https://crm.example/cim"))])
PLACES = ReplyPlaces(frozenset({"cim.dead", "cim.in.TESTING", "cim.to.crm"}), CRM)
SENDER = Sender("cimgate", "TESTING")
WHERE = AmqpAddress("", "replies")
FINDING = Finding(
    "some-rule", ReplyCode.SCHEMA_VALIDATION_FAILED, "It is \x01 wrong.", "Mend it.", line=7, xpath="/a/b"
)


def header(address: str | None) -> Header:
    return Header("get", "MeterReadings", reply_address=address)


@pytest.mark.parametrize(
    ("address", "reply_to", "expected"),
    [
        ("queue:there", "elsewhere", AmqpAddress("", "there")),
        ("topic:TESTING.REPLY.CIS", "elsewhere", AmqpAddress("cim.out", "TESTING.REPLY.CIS")),
        (None, "elsewhere", AmqpAddress("", "elsewhere")),
        ("https://partner.example/replies", "elsewhere", AmqpAddress("", "elsewhere")),
    ],
)
def test_the_envelopes_address_wins_over_reply_to(address: str | None, reply_to: str, expected: AmqpAddress) -> None:
    assert reply_address(address or "", reply_to, PLACES) == (expected, "")


@pytest.mark.parametrize(
    "address", ["queue:cim.dead", "queue: cim.in.TESTING ", "queue:cim.to.crm", "queue:cim.sub.outages"]
)
def test_no_answer_goes_to_a_queue_of_the_gateways_own(address: str) -> None:
    where, why = reply_address(address, "", PLACES)
    assert where is None
    assert "the gateway's own" in why


def test_a_url_that_no_endpoint_covers_is_never_called_and_said_so() -> None:
    where, why = reply_address("http://169.254.0.1/", "", PLACES)
    assert where is None
    assert why == "no table [[endpoints]] of the settings covers the ReplyAddress http://169.254.0.1/"


def test_the_answer_to_a_url_waits_in_the_queue_of_the_endpoint_that_covers_it() -> None:
    where, why = reply_address("https://crm.example/cim/in?key=7", "elsewhere", PLACES)
    assert (where, why) == (AmqpAddress("", "cim.to.crm"), "")
    assert where is not None
    assert (where.url, str(where)) == ("https://crm.example/cim/in?key=7", "https://crm.example/cim/in")
    asked = read(parts("MeterReadings", "get", FINAL).xml())
    answer = response(asked, [FINDING], where, SENDER, message_id="new", now="2026-03-01T00:00:00Z")
    assert answer.properties.headers is not None
    assert answer.properties.headers["cim-url"] == "https://crm.example/cim/in?key=7"


@pytest.mark.parametrize("namespace", [FINAL, DRAFT])
def test_the_answer_is_in_the_askers_dialect_and_carries_its_id(namespace: str) -> None:
    asked = read(parts("MeterReadings", "get", namespace).xml())
    answer = read(response(asked, [FINDING], WHERE, SENDER, message_id="new", now="2026-03-01T00:00:00Z").body)
    assert answer.version is asked.version
    assert (answer.header.verb, answer.header.noun) == ("reply", "MeterReadings")
    assert answer.header.correlation_id == asked.header.correlation_id
    reply = reply_of(answer)
    assert reply is not None
    [error] = reply.errors
    assert (error.code, error.level) == ("1.8", "FATAL")
    assert error.reason == "It is \N{REPLACEMENT CHARACTER} wrong."
    assert error.details == "Mend it; /a/b; line 7; rule some-rule"


def test_what_the_draft_cannot_say_is_answered_with_its_fault_and_headers() -> None:
    made = parts("MeterReadings", "create", DRAFT)
    made.noun = "NoSuchNoun"
    answer = response(read(made.xml()), [FINDING], WHERE, SENDER, message_id="new", now="2026-03-01T00:00:00Z")
    message = read(answer.body)
    assert (message.kind, message.version) == (MessageKind.FAULT, EnvelopeVersion.DRAFT)
    assert answer.properties.headers is not None
    assert answer.properties.headers["code"] == "1.8"
    assert answer.properties.correlation_id == made.id


def test_a_fault_says_code_and_reason() -> None:
    answer = fault([FINDING], WHERE, SENDER, correlation_id="c", version=EnvelopeVersion.FINAL)
    reply = reply_of(read(answer.body))
    assert reply is not None
    assert (reply.result, reply.errors[0].code) == ("FAILED", "1.8")
