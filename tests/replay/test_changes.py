"""What a replay changes in a message, and what it leaves."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import EnvelopeVersion, Message, read
from gateway.message.envelope import Property
from gateway.replay import PROPERTY, Changes, Difference, Planner, Step
from gateway.replay.changes import NoSuchContext, shifted
from gateway.replay.pacing import Pace
from gateway.replay.recorded import LeftOut, Selection
from gateway.validation import Checker, SchemaSet
from tests.e2e.traffic import DRAFT, FINAL, parts
from tests.replay.recording import message, recorded

MARK = Property(PROPERTY, "r-1")


def changed(raw: bytes, **how: object) -> Message:
    return read(Changes("r-1", **how).made(raw).body)  # type: ignore[arg-type]  # of the tests' own


def test_a_replayed_message_is_marked_and_otherwise_as_it_was() -> None:
    before = read(message(correlation_id="c-1"))
    after = changed(before.raw)
    assert after.header.properties == (MARK,)
    assert (after.header.context, after.header.message_id) == ("PRODUCTION", "m-1")
    assert (after.header.timestamp, after.header.correlation_id) == ("2026-03-17T12:00:00Z", "c-1")


def test_a_message_that_was_replayed_before_carries_the_last_mark_alone() -> None:
    once = Changes("r-0").made(message()).body
    assert changed(once).header.properties == (MARK,)


@pytest.mark.parametrize("namespace", [FINAL, DRAFT])
@pytest.mark.parametrize(("noun", "verb"), [("MeterReadings", "get"), ("EndDeviceEvents", "created")])
def test_a_valid_message_stays_valid(namespace: str, noun: str, verb: str, checker: Checker) -> None:
    made = parts(noun, verb, namespace)
    made.header_end = '<Property><Name>Site</Name><Value>N</Value></Property><x xmlns="urn:own"/>'
    after = changed(made.xml(), context="TRAINING", shift=60, new_ids=True, reply_to="queue:tests")
    assert checker.check(after).errors == ()
    assert after.header.properties == (Property("Site", "N"), MARK)


@pytest.fixture(scope="module")
def checker() -> Checker:
    from gateway import resources  # noqa: PLC0415 - for this alone

    return Checker(SchemaSet(resources.schema_sources()))


def test_the_context_is_rewritten_and_with_it_the_topic_of_the_answer() -> None:
    made = Changes("r-1", "TESTING").made(message(reply_address="topic:PRODUCTION.REPLY.CIS"))
    after = read(made.body)
    assert (after.header.context, after.header.reply_address) == ("TESTING", "topic:TESTING.REPLY.CIS")
    assert made.differences == (Difference.MARK, Difference.CONTEXT, Difference.REPLY_ADDRESS)
    assert made.context == "PRODUCTION"


def test_another_reply_address_is_given_to_those_that_have_one_alone() -> None:
    asked = changed(message(reply_address="queue:cim.CIS"), context="TESTING", reply_to="queue:tests")
    assert asked.header.reply_address == "queue:tests"
    assert changed(message(), reply_to="queue:tests").header.reply_address is None


def test_a_message_in_a_soap_envelope_or_of_a_partners_namespace_is_changed_too() -> None:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    wrapped = b'<s:Envelope xmlns:s="%s"><s:Body>%s</s:Body></s:Envelope>' % (soap.encode(), message())
    assert changed(wrapped, context="TESTING").header.context == "TESTING"
    theirs = Changes("r-1", "TESTING").made(message(namespace="urn:theirs")).body
    assert b"<Context>TESTING</Context>" in theirs
    assert b"<Name>cimgate-replay</Name>" in theirs


def test_a_context_that_the_draft_cannot_name_is_not_written_into_it() -> None:
    body = message(namespace=EnvelopeVersion.DRAFT.namespace)
    with pytest.raises(NoSuchContext, match="REPLAYS"):
        Changes("r-1", "REPLAYS").made(body)
    planner = Planner(Selection(), Changes("r-1", "REPLAYS"), Pace())
    assert planner.plan(recorded(body=body)) is LeftOut.CONTEXT


def test_new_ids_are_made_from_the_old_so_that_answers_still_answer() -> None:
    request = changed(message("get", kind="RequestMessage", message_id="q-7"), new_ids=True)
    answer = changed(message("reply", kind="ResponseMessage", message_id="a-7", correlation_id="q-7"), new_ids=True)
    event = changed(message(message_id="e-7", correlation_id="q-7"), new_ids=True)
    assert request.header.message_id not in (None, "q-7")
    assert answer.header.correlation_id == event.header.correlation_id == request.header.message_id
    assert len({request.header.message_id, answer.header.message_id, event.header.message_id}) == 3


def test_a_message_without_ids_gets_none() -> None:
    after = changed(message(message_id=""), new_ids=True)
    assert (after.header.message_id, after.header.correlation_id) == (None, None)


def test_what_cannot_be_read_stays_as_it_was() -> None:
    for raw in (b"no xml", b"<x/>", message()[:-4]):
        made = Changes("r-1", "TESTING", 60, new_ids=True).made(raw)
        assert (made.body, made.differences) == (raw, (Difference.NONE,))


def test_the_time_of_the_nonce_moves_with_the_timestamp() -> None:
    nonce = "<ReplayDetection><Nonce>n</Nonce><Created>2026-03-17T11:59:59.25Z</Created></ReplayDetection>"
    body = message().replace(b"<Context>", nonce.encode() + b"<Context>")
    after = changed(body, shift=3600)
    assert after.header.timestamp == "2026-03-17T13:00:00Z"
    assert after.header.replay_detection is not None
    assert after.header.replay_detection.created == "2026-03-17T12:59:59.25Z"


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - bounds are naive
    st.sampled_from(["", "Z", "+01:00", "-05:30"]),
    st.text("0123456789", max_size=9),
    st.integers(-(10**8), 10**8),
)
def test_a_timestamp_moves_by_the_offset_and_keeps_its_form(at: datetime, offset: str, digits: str, by: int) -> None:
    whole, fraction = at.replace(microsecond=0), f".{digits}" if digits else ""
    moved = (whole + timedelta(seconds=by)).isoformat()
    assert shifted(f"{whole.isoformat()}{fraction}{offset}", by) == f"{moved}{fraction}{offset}"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-17", "20260317T120000Z", "9999-12-31T23:59:59Z"])
def test_a_timestamp_that_cannot_be_moved_is_left(text: str) -> None:
    assert shifted(text, 60) is None


@given(st.lists(st.floats(0, 5, width=32), min_size=1, max_size=20), st.data())
def test_a_replay_that_is_taken_up_again_sends_the_same_messages(gaps: list[float], data: st.DataObject) -> None:
    at, source = 0.0, []
    for number, gap in enumerate(gaps, 1):
        at += gap
        source.append(recorded(number, at, incoming=number % 4 != 0))

    def steps(start: int) -> list[Step]:
        planner = Planner(Selection(), Changes("r-1", "TESTING", 60, new_ids=True), Pace(2.0))
        return [step for one in source[start:] if isinstance(step := planner.plan(one), Step)]

    start = data.draw(st.integers(0, len(source)))
    whole, rest = steps(0), steps(start)
    tail = whole[len(whole) - len(rest) :]
    assert [(one.changed.body, one.mark, one.recorded) for one in rest] == [
        (one.changed.body, one.mark, one.recorded) for one in tail
    ]
    if rest:
        assert [one.due for one in rest] == pytest.approx([one.due - tail[0].due for one in tail], abs=1e-5)
