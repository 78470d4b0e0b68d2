from gateway.codes import Result
from gateway.conversations import Asker, asker_of, facts_of
from gateway.message import Envelope, EnvelopeVersion, Header, Message, MessageKind, Reply, ReplyError, build, read
from gateway.message.envelope import Identifier, Payload


def response(reply: Reply, payload: str = "", ids: tuple[Identifier, ...] = ()) -> Message:
    header = Header("reply", "MeterReadings", message_id="R-1", correlation_id="L-1")
    raw = build(Envelope(MessageKind.RESPONSE, header, reply=reply, payload=Payload(ids=ids) if ids else None))
    if payload:
        raw = raw.replace(b"</Reply>", f"</Reply><Payload>{payload}</Payload>".encode())
    return read(raw)


def test_the_facts_of_a_reply_are_read_from_it() -> None:
    reply = Reply(Result.PARTIAL, (ReplyError("0.1"),), (Identifier("7"),), operation_id=4)
    facts = facts_of(response(reply, '<MeterReadings xmlns="urn:r"/>'), "digest")
    assert (facts.result, facts.message_id, facts.digest, facts.operation_id) == (Result.PARTIAL, "R-1", "digest", 4)
    assert [error.code for error in facts.errors] == ["0.1"]
    assert [identifier.value for identifier in facts.ids] == ["7"]
    assert (facts.has_payload, facts.root) == (True, "{urn:r}MeterReadings")


def test_payloads_that_have_no_single_root_cannot_be_merged() -> None:
    for payload in ("<Compressed>eA==</Compressed>", '<a xmlns="urn:r"/><b xmlns="urn:r"/>'):
        facts = facts_of(response(Reply(Result.OK), payload), "digest")
        assert (facts.has_payload, facts.root) == (True, "")


def test_a_reply_without_a_payload_says_so() -> None:
    assert not facts_of(response(Reply(Result.OK)), "digest").has_payload
    assert not facts_of(response(Reply(Result.OK), " "), "digest").has_payload


def test_an_empty_fault_message_counts_as_a_failure_with_a_code() -> None:
    raw = build(Envelope(MessageKind.FAULT, reply=Reply(Result.FAILED)), EnvelopeVersion.DRAFT)
    facts = facts_of(read(raw), "digest")
    assert (facts.fault, facts.result, [error.code for error in facts.errors]) == (True, Result.FAILED, ["5.3"])


def test_the_asker_is_read_from_the_request() -> None:
    header = Header(
        "get", "MeterReadings", "2.0", source="CIS", message_id="M", async_reply_flag=True, reply_address="queue:c"
    )
    asker = asker_of(read(build(Envelope(MessageKind.REQUEST, header), EnvelopeVersion.DRAFT)), reply_to="r")
    assert asker == Asker(
        "CIS", "M", "M", "queue:c", "r", asynchronous=True, revision="2.0", version=EnvelopeVersion.DRAFT
    )
