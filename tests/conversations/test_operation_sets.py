import pytest

from gateway.codes import Level, Result
from gateway.conversations import (
    Alarm,
    AlarmClosed,
    Answer,
    CancelAsked,
    Confirmed,
    HandOn,
    OperationFacts,
    PublishEvent,
    RequestAgain,
    Role,
    Send,
    State,
    TimerFired,
    Undeliverable,
    set_of,
)
from gateway.conversations.values import Leg
from gateway.message import Envelope, EnvelopeVersion, Header, MessageKind, build, read
from gateway.message.envelope import Operation, OperationSet, Payload
from tests.conversations.talking import DEADLINE, METER_AND_LINK, Talk, execute

FIVE = tuple(OperationFacts(number, "create", "MeterConfig") for number in range(1, 6))
CHANGE = OperationFacts(1, "change", "MeterConfig")
DELETE = OperationFacts(1, "delete", "MeterConfig")


def open_legs(talk: Talk) -> list[tuple[int, Leg]]:
    return [(number, leg) for number, leg in enumerate(talk.conversation.legs) if leg.open]


def running(talk: Talk) -> list[str]:
    """Give what the systems are asked for at present, as `verb operation`."""
    return [f"{leg.verb} {leg.operation_id}" for _, leg in open_legs(talk)]


def answer_all(talk: Talk, **failures: str) -> None:
    """Let every request succeed but those named: `create_3="2.4"` fails the create of operation 3 with that code."""
    while waiting := open_legs(talk):
        number, leg = waiting[0]
        code = failures.get(f"{leg.verb}_{leg.operation_id}")
        if code == "silence":
            due = talk.conversation.deadline
            talk.now = due
            talk.feed(TimerFired(due))
        elif code is not None:
            talk.reply(number, "FAILED", code)
        else:
            talk.reply(number, "OK", has_payload=leg.role is Role.READ, body=f"{leg.verb} {leg.operation_id}")


def codes(talk: Talk) -> list[tuple[int | None, str]]:
    (answer,) = talk.told
    return [(error.operation_id, str(error.code)) for error in answer.errors]


class TestTheTable:
    """The rows of messaging D4."""

    @pytest.mark.parametrize("integrity", [True, False])
    @pytest.mark.parametrize("sequence", [True, False])
    def test_all_done(self, sequence: bool, integrity: bool) -> None:
        talk = execute(*FIVE, sequence=sequence, integrity=integrity)
        answer_all(talk)
        assert (talk.told[0].result, codes(talk)) == (Result.OK, [(number, "0.0") for number in range(1, 6)])
        assert talk.conversation.state is State.DONE

    @pytest.mark.parametrize("sequence", [True, False])
    def test_with_integrity_operation_3_of_5_fails(self, sequence: bool) -> None:
        talk = execute(*FIVE, sequence=sequence, integrity=True)
        answer_all(talk, create_3="2.4")
        assert talk.told[0].result is Result.FAILED
        assert codes(talk) == [(1, "5.9"), (2, "5.9"), (3, "2.4"), (4, "5.9"), (5, "5.9")]
        assert all(error.level is Level.FATAL for error in talk.told[0].errors)
        assert talk.conversation.state is State.FAILED
        assert not talk.conversation.alarm

    def test_without_integrity_some_fail(self) -> None:
        talk = execute(*FIVE)
        answer_all(talk, create_2="2.4", create_5="5.7")
        assert talk.told[0].result is Result.PARTIAL
        assert codes(talk) == [(None, "0.2"), (1, "0.0"), (2, "2.4"), (3, "0.0"), (4, "0.0"), (5, "5.7")]
        levels = [error.level for error in talk.told[0].errors if error.code == "0.0"]
        assert levels == [Level.INFORM] * 3

    def test_without_integrity_all_fail(self) -> None:
        talk = execute(*FIVE)
        answer_all(talk, **{f"create_{number}": "2.4" for number in range(1, 6)})
        assert (talk.told[0].result, codes(talk)) == (Result.FAILED, [(number, "2.4") for number in range(1, 6)])

    def test_in_sequence_without_integrity_operation_3_fails(self) -> None:
        talk = execute(*FIVE, sequence=True)
        answer_all(talk, create_3="2.4")
        assert talk.told[0].result is Result.PARTIAL
        assert codes(talk) == [(None, "0.2"), (1, "0.0"), (2, "0.0"), (3, "2.4"), (4, "5.2"), (5, "5.2")]

    def test_in_sequence_without_integrity_the_first_fails(self) -> None:
        talk = execute(*FIVE, sequence=True)
        answer_all(talk, create_1="2.4")
        assert (talk.told[0].result, codes(talk)[:2]) == (Result.FAILED, [(1, "2.4"), (2, "5.2")])

    def test_invalid_before_the_start(self) -> None:
        talk = execute(CHANGE, *FIVE[1:], integrity=True)
        assert talk.told[0].result is Result.FAILED
        assert codes(talk) == [(number, "5.2") for number in range(1, 6)]
        assert not talk.conversation.legs

    def test_undoing_fails(self) -> None:
        talk = execute(*FIVE, sequence=True, integrity=True)
        answer_all(talk, create_3="2.4", delete_1="5.1")
        assert talk.told[0].result is Result.FAILED
        assert codes(talk) == [(1, "5.3"), (2, "5.9"), (3, "2.4"), (4, "5.9"), (5, "5.9")]
        assert talk.told[0].errors[0].level is Level.CATASTROPHIC


class TestOrder:
    def test_in_sequence_each_operation_waits_for_the_one_before(self) -> None:
        talk = execute(*reversed(METER_AND_LINK), sequence=True)
        for number in (1, 2, 3):
            assert running(talk) == [f"create {number}"]
            talk.reply(open_legs(talk)[0][0])
        assert talk.conversation.final

    def test_without_a_sequence_links_wait_for_all_the_rest(self) -> None:
        talk = execute(METER_AND_LINK[2], *METER_AND_LINK[:2])
        assert running(talk) == ["create 1", "create 2"]
        talk.reply(1)
        assert running(talk) == ["create 1"]
        talk.reply(0)
        assert running(talk) == ["create 3"]

    def test_operations_of_one_noun_that_do_different_things_wait_for_each_other(self) -> None:
        talk = execute(DELETE, *FIVE[1:3], OperationFacts(4, "change", "UsagePointConfig"))
        assert running(talk) == ["delete 1"]
        talk.reply(0)
        assert running(talk) == ["create 2", "create 3", "change 4"]

    def test_without_a_sequence_links_are_taken_away_before_what_they_tie(self) -> None:
        talk = execute(
            OperationFacts(1, "delete", "MeterConfig"), OperationFacts(2, "delete", "MasterDataLinkageConfig")
        )
        assert running(talk) == ["delete 2"]

    def test_an_operation_is_done_when_all_its_systems_have_done_it(self) -> None:
        talk = execute(FIVE[0], systems=("MDM", "MS"))
        talk.reply(0)
        assert not talk.conversation.final
        talk.reply(1, "FAILED", "5.1")
        assert codes(talk) == [(1, "5.1")]

    def test_an_acknowledgement_does_not_move_the_set_on(self) -> None:
        talk = execute(*FIVE, sequence=True)
        talk.reply(0, "OK", "0.3")
        assert running(talk) == ["create 1"]


class TestUndoing:
    def test_a_create_is_undone_by_a_delete_the_last_one_first_one_by_one(self) -> None:
        talk = execute(*FIVE[:3], sequence=True, integrity=True)
        talk.reply(0)
        talk.reply(1)
        talk.reply(2, "FAILED", "5.1")
        assert running(talk) == ["delete 2"]
        talk.reply(3)
        assert running(talk) == ["delete 1"]
        assert not talk.told
        talk.reply(4)
        assert talk.conversation.final

    def test_operations_that_run_side_by_side_all_end_before_any_is_undone(self) -> None:
        talk = execute(*FIVE[:2], integrity=True)
        talk.reply(0, "FAILED", "5.1")
        assert running(talk) == ["create 2"]
        talk.reply(1)
        assert running(talk) == ["delete 2"]

    @pytest.mark.parametrize(("operation", "undo"), [(CHANGE, "change 1"), (DELETE, "create 1")])
    def test_what_was_there_before_is_read_and_brought_back(self, operation: OperationFacts, undo: str) -> None:
        talk = execute(
            operation, OperationFacts(2, "delete", "UsagePointConfig"), sequence=True, integrity=True, reads=True
        )
        assert running(talk) == ["get 1"]
        talk.reply(0, has_payload=True, body="the state before")
        assert running(talk) == [f"{operation.verb} 1"]
        talk.reply(1)
        talk.reply(2, "FAILED", "5.1")
        assert running(talk) == [undo]
        ((_, leg),) = open_legs(talk)
        assert leg.payload == "the state before"

    def test_a_state_that_cannot_be_read_fails_the_operation_before_it_is_begun(self) -> None:
        talk = execute(CHANGE, integrity=True, reads=True)
        talk.reply(0, "OK")
        assert codes(talk) == [(1, "5.2")]
        assert [leg.verb for leg in talk.conversation.legs] == ["get"]

    def test_the_code_of_a_failed_reading_is_that_of_the_operation(self) -> None:
        talk = execute(CHANGE, integrity=True, reads=True)
        talk.reply(0, "FAILED", "2.4")
        assert codes(talk) == [(1, "2.4")]

    def test_what_may_have_been_done_is_undone_too(self) -> None:
        talk = execute(CHANGE, integrity=True, reads=True)
        talk.reply(0, has_payload=True)
        talk.feed(TimerFired(DEADLINE))
        assert running(talk) == ["change 1"]

    def test_a_create_of_which_nothing_is_found_has_not_happened(self) -> None:
        talk = execute(FIVE[0], integrity=True, reads=True)
        talk.reply(0, "FAILED", "2.4")
        answer_all(talk, create_1="silence", delete_1="2.4")
        assert codes(talk) == [(1, "4.1")]
        assert not talk.conversation.alarm

    def test_what_was_there_before_a_create_is_not_deleted(self) -> None:
        talk = execute(FIVE[0], integrity=True, reads=True)
        talk.reply(0, has_payload=True, body="it was there")
        talk.feed(TimerFired(DEADLINE))
        assert running(talk) == ["change 1"]
        assert talk.conversation.legs[-1].payload == "it was there"

    def test_a_create_without_an_answer_raises_the_alarm_where_nobody_knows_what_was_there_before(self) -> None:
        talk = execute(FIVE[0], integrity=True)
        answer_all(talk, create_1="silence")
        assert codes(talk) == [(1, "4.1"), (1, "5.3")]
        assert [leg.verb for leg in talk.conversation.legs] == ["create"]
        assert talk.conversation.alarm

    @pytest.mark.parametrize(("code", "alarm"), [("2.4", False), ("2.9", True), ("2.14", True), ("5.1", True)])
    def test_only_an_object_that_is_not_there_needs_no_deleting(self, code: str, alarm: bool) -> None:
        talk = execute(*FIVE[:2], sequence=True, integrity=True)
        answer_all(talk, create_2="5.1", delete_1=code)
        assert bool(talk.conversation.alarm) is alarm

    def test_a_request_that_no_queue_took_is_not_undone(self) -> None:
        talk = execute(FIVE[0], integrity=True)
        talk.feed(Undeliverable(1.0, talk.conversation.legs[0].id))
        assert codes(talk) == [(1, "5.2")]

    def test_a_request_that_comes_back_after_it_was_confirmed_may_have_been_taken_the_first_time(self) -> None:
        talk = execute(FIVE[0], integrity=True)
        talk.confirm()
        talk.feed(Undeliverable(1.0, talk.conversation.legs[0].id))
        assert talk.conversation.alarm

    def test_undoing_goes_on_when_one_system_stays_silent(self) -> None:
        talk = execute(*FIVE[:3], sequence=True, integrity=True)
        answer_all(talk, create_3="5.1", delete_2="silence")
        assert codes(talk) == [(1, "5.9"), (2, "5.3"), (3, "5.1")]


class TestAlarm:
    def test_it_says_what_stays_where_and_lasts_until_a_person_closes_it(self) -> None:
        talk = execute(*FIVE[:2], sequence=True, integrity=True)
        answer_all(talk, create_2="5.1", delete_1="5.1")
        text = (
            "An OperationSet could not be rolled back: operation 1 (create MeterConfig) in MDM. Mend it there by hand."
        )
        assert Alarm(text) in talk.effects
        assert talk.conversation.alarm == text
        talk.confirm()
        talk.feed(AlarmClosed(1e6))
        assert not talk.conversation.alarm
        assert talk.conversation.settled


class TestTime:
    def test_without_integrity_what_is_done_stays_and_the_rest_is_not_attempted(self) -> None:
        talk = execute(*FIVE[:3], sequence=True)
        answer_all(talk, create_2="silence")
        assert codes(talk) == [(None, "0.2"), (1, "0.0"), (2, "4.1"), (3, "5.2")]
        assert talk.conversation.state is State.TIMED_OUT

    def test_with_integrity_the_asker_is_answered_when_all_is_undone(self) -> None:
        talk = execute(*FIVE[:2], sequence=True, integrity=True)
        talk.reply(0)
        talk.feed(TimerFired(DEADLINE))
        assert not talk.told
        talk.now = DEADLINE
        answer_all(talk)
        assert codes(talk) == [(1, "5.9"), (2, "4.1"), (2, "5.3")]
        assert talk.conversation.state is State.TIMED_OUT


class TestCrashes:
    def test_steps_are_in_the_document_before_they_are_sent(self) -> None:
        talk = execute(*FIVE[:2], sequence=True)
        talk.confirm()
        effects = talk.reply(0, message_id="R-1")
        (second,) = [effect for effect in effects if isinstance(effect, Send)]
        assert talk.conversation.outbox == (second.id,)
        again = talk.reply(0, message_id="R-1", redelivered=True)
        assert again[0] == Send(second.id, repeated=True)

    def test_the_request_that_comes_back_sends_what_was_not_sent(self) -> None:
        talk = execute(*FIVE[:2])
        first, second = talk.conversation.legs
        talk.feed(Confirmed(0.0, (first.id,)))
        assert talk.feed(RequestAgain(1.0, redelivered=True))[0] == Send(second.id, repeated=True)


class TestEvents:
    def test_only_what_is_applied_is_published(self) -> None:
        talk = execute(*FIVE[:3], publish=True)
        answer_all(talk, create_2="2.4")
        (event,) = [effect for effect in talk.effects if isinstance(effect, PublishEvent)]
        assert (event.verb, event.operations) == ("executed", (1, 3))

    def test_what_was_rolled_back_is_not_published(self) -> None:
        talk = execute(*FIVE[:3], publish=True, integrity=True)
        answer_all(talk, create_2="2.4")
        assert not any(isinstance(effect, PublishEvent) for effect in talk.effects)


class TestPlans:
    def test_a_set_goes_whole_to_a_system_that_takes_sets(self) -> None:
        talk = execute(integrity=True, whole=("MDM",))
        ((_, leg),) = open_legs(talk)
        assert (leg.verb, leg.noun) == ("execute", "OperationSet")
        talk.reply(0, "OK", body="the answer")
        (answer,) = talk.told
        assert isinstance(answer, HandOn)
        assert (answer.entry, answer.result) == ("the answer", None)

    def test_replies_about_single_operations_do_not_end_a_set_before_the_last(self) -> None:
        talk = execute(whole=("MDM",))
        for number in (1, 2):
            talk.reply(0, "OK", operation_id=number)
        assert not talk.conversation.final
        talk.reply(0, "FAILED", "2.4", operation_id=3)
        assert talk.conversation.final
        assert talk.conversation.result is Result.PARTIAL

    def test_after_replies_about_single_operations_that_say_so_the_reply_about_the_set_ends_it(self) -> None:
        talk = execute(whole=("MDM",))
        for number in (1, 2, 3):
            talk.reply(0, "PARTIAL", "0.1", operation_id=number)
        assert not talk.conversation.final
        talk.reply(0, "OK")
        assert talk.conversation.final

    @pytest.mark.parametrize(
        ("talk", "words"),
        [
            (execute(integrity=True, whole=("MDM", "MS")), "several systems would take the set (MDM, MS)"),
            (execute(DELETE, integrity=True), "could not be undone in MDM"),
            (execute(OperationFacts(1, "delete", "MeterConfig", element=True)), "elementOperation"),
            (execute(systems=()), "no system takes create UsagePointConfig"),
        ],
    )
    def test_what_could_end_half_done_is_refused_up_front_and_says_why(self, talk: Talk, words: str) -> None:
        (answer,) = talk.told
        assert isinstance(answer, Answer)
        assert {str(error.code) for error in answer.errors} == {"5.2"}
        assert words in str(answer.errors[0].reason)
        assert not talk.conversation.legs
        assert talk.conversation.state is State.FAILED

    def test_creates_alone_need_no_reading(self) -> None:
        assert running(execute(*FIVE, integrity=True)) == [f"create {number}" for number in range(1, 6)]

    def test_several_systems_may_take_a_set_that_need_not_be_held_together(self) -> None:
        assert running(execute(whole=("MDM", "MS"))) == ["execute None", "execute None"]

    def test_a_set_is_not_cancelled_as_a_get_is(self) -> None:
        assert execute().feed(CancelAsked(1.0)) == ()


@pytest.mark.parametrize(("version", "default"), [(EnvelopeVersion.FINAL, False), (EnvelopeVersion.DRAFT, True)])
@pytest.mark.parametrize("written", [None, True, False])
def test_integrity_that_is_not_written_is_what_the_version_of_the_envelope_says(
    version: EnvelopeVersion, default: bool, written: bool | None
) -> None:
    asked = OperationSet((Operation(1, "MeterConfig", "create"),), enforce_transactional_integrity=written)
    header = Header("execute", "OperationSet")
    raw = build(Envelope(MessageKind.REQUEST, header, payload=Payload(operation_set=asked)))
    facts = set_of(read(raw.replace(EnvelopeVersion.FINAL.namespace.encode(), version.namespace.encode())))
    assert facts.integrity is (default if written is None else written)
    assert facts.operations == (OperationFacts(1, "create", "MeterConfig"),)
