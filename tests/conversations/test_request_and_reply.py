import pytest

from gateway.codes import ReplyCode, Result
from gateway.conversations import (
    Answer,
    Asker,
    Confirmed,
    EventSeen,
    Fate,
    HandOn,
    Mode,
    PublishEvent,
    Record,
    ReplyArrived,
    RequestAgain,
    Send,
    State,
    TimerFired,
    Undeliverable,
    open_request,
    rewritten,
)
from gateway.message.envelope import Reply, ReplyError
from tests.conversations.talking import DEADLINE, ask, facts, ids

MODES = pytest.mark.parametrize("mode", list(Mode), ids=str)


def codes(answer: HandOn | Answer) -> list[str]:
    return [str(error.code) for error in answer.errors]


def fates(effects: object) -> list[Fate]:
    assert isinstance(effects, tuple)
    return [effect.fate for effect in effects if isinstance(effect, Record)]


@MODES
def test_a_request_goes_to_every_system_under_an_id_of_its_own(mode: Mode) -> None:
    talk = ask("MDM", "MS", mode=mode)
    assert talk.effects == [Send(leg.id) for leg in talk.conversation.legs]
    assert len({leg.id for leg in talk.conversation.legs}) == 2


def test_a_request_needs_a_system_that_could_answer() -> None:
    with pytest.raises(ValueError, match="at least one system"):
        open_request(Asker(), "get", "MeterReadings", [], at=0.0, deadline=1.0, new_id=ids())


@MODES
@pytest.mark.parametrize("result", ["OK", "FAILED"])
def test_a_single_complete_answer_reaches_the_asker_as_it_came(mode: Mode, result: str) -> None:
    talk = ask(mode=mode)
    talk.reply(0, result, "5.1", body="reading")
    (answer,) = talk.told
    assert isinstance(answer, HandOn)
    assert (answer.entry, answer.result) == ("reading", None)
    assert talk.conversation.state is (State.FAILED if result == "FAILED" else State.DONE)


@MODES
def test_a_partial_that_is_the_last_by_its_code_ends_the_request(mode: Mode) -> None:
    talk = ask(mode=mode)
    talk.reply(0, "PARTIAL", "0.2", "5.7")
    assert talk.conversation.state is State.DONE
    assert talk.conversation.result is Result.PARTIAL
    assert [answer.result for answer in talk.told] == [None]


@pytest.mark.parametrize("first", ["0.1", ""])
def test_a_partial_without_the_code_of_the_last_one_leaves_the_request_open(first: str) -> None:
    talk = ask()
    talk.reply(0, "PARTIAL", *filter(None, [first]))
    assert talk.conversation.state == "partial"
    talk.reply(0, "OK")
    assert talk.conversation.state == "done"


def test_parts_say_that_more_follows_and_the_last_says_that_nothing_does() -> None:
    talk = ask("MDM", "MS")
    talk.reply(0, "OK", body="from MDM")
    talk.reply(1, "OK", body="from MS")
    first, last = talk.told
    assert isinstance(first, HandOn)
    assert isinstance(last, HandOn)
    assert (first.entry, first.result, first.code) == ("from MDM", Result.PARTIAL, "0.1")
    assert (last.entry, last.result, last.code) == ("from MS", Result.PARTIAL, "0.2")
    assert talk.conversation.result is Result.OK


def test_an_asker_who_reads_partial_as_more_to_come_gets_an_ok_at_the_end() -> None:
    talk = ask("MDM", "MS", last_is_ok=True)
    talk.reply(0)
    talk.reply(1)
    assert [answer.result for answer in talk.told] == [Result.PARTIAL, Result.OK]


def test_an_asker_who_reads_partial_as_more_to_come_gets_a_failure_with_a_code_when_part_has_failed() -> None:
    talk = ask("MDM", "MS", last_is_ok=True)
    talk.reply(0, "FAILED", "5.1")
    talk.reply(1)
    assert [answer.result for answer in talk.told] == [Result.PARTIAL, Result.FAILED]
    assert codes(talk.told[-1]) == ["5.3"]


def test_when_all_systems_fail_the_last_message_says_failed() -> None:
    talk = ask("MDM", "MS")
    talk.reply(0, "FAILED", "5.1")
    talk.reply(1, "FAILED", "5.7")
    assert [answer.result for answer in talk.told] == [Result.PARTIAL, Result.FAILED]
    assert talk.conversation.state is State.FAILED


@pytest.mark.parametrize(
    ("results", "said"),
    [
        (("OK", "OK"), Result.OK),
        (("FAILED", "FAILED"), Result.FAILED),
        (("OK", "FAILED"), Result.PARTIAL),
        (("FAILED", "OK"), Result.PARTIAL),
    ],
)
def test_answers_that_are_collected_become_one(results: tuple[str, str], said: Result) -> None:
    talk = ask("MDM", "MS", mode=Mode.AGGREGATE)
    for leg, result in enumerate(results):
        talk.reply(
            leg,
            result,
            *(["5.7"] if result == "FAILED" else ["0.0"]),
            body=f"part {leg}",
            has_payload=result == "OK",
            root="r",
        )
    (answer,) = talk.told
    assert isinstance(answer, Answer)
    assert answer.result is said
    assert answer.parts == tuple(f"part {leg}" for leg, result in enumerate(results) if result == "OK")
    assert codes(answer) == ["0.2"] * (said is Result.PARTIAL) + ["5.7"] * results.count("FAILED")


def test_nothing_is_told_while_answers_are_collected() -> None:
    talk = ask("MDM", "MS", mode=Mode.AGGREGATE)
    assert fates(talk.reply(0)) == [Fate.KEPT]
    assert not talk.told


def test_payloads_of_different_kinds_are_handed_on_one_by_one() -> None:
    talk = ask("MDM", "MS", mode=Mode.AGGREGATE)
    talk.reply(0, body="a", has_payload=True, root="{x}MeterReadings")
    talk.reply(1, body="b", has_payload=True, root="")
    first, last = talk.told
    assert isinstance(first, HandOn)
    assert isinstance(last, HandOn)
    assert [(first.entry, first.code), (last.entry, last.code)] == [("a", "0.1"), ("b", "0.2")]


def test_the_parts_of_one_system_can_be_collected_too() -> None:
    talk = ask(mode=Mode.AGGREGATE)
    for code in ("0.1", "0.1", "0.2"):
        talk.reply(0, "PARTIAL", code, has_payload=True, root="r")
    (answer,) = talk.told
    assert isinstance(answer, Answer)
    assert (answer.result, len(answer.parts), codes(answer)) == (Result.OK, 3, [])


def test_a_fault_is_answered_by_a_response_with_its_codes() -> None:
    talk = ask()
    talk.reply(0, "FAILED", "1.8", fault=True)
    (answer,) = talk.told
    assert isinstance(answer, Answer)
    assert (answer.result, codes(answer)) == (Result.FAILED, ["1.8"])


class TestAcknowledgement:
    def test_the_code_for_it_never_ends_a_request(self) -> None:
        talk = ask(verb="create", noun="EndDeviceControls")
        assert fates(talk.reply(0, "OK", "0.3")) == [Fate.ACKNOWLEDGED]
        assert talk.conversation.state is State.ACKNOWLEDGED

    def test_it_is_handed_on_to_an_asker_who_does_not_wait_on_the_call(self) -> None:
        talk = ask(asynchronous=True)
        effects = talk.reply(0, "OK")
        assert effects[0] == HandOn(talk.conversation.answers[0].id, "body-1", Result.OK, "0.3", acknowledgement=True)
        talk.reply(0, "OK", body="data", has_payload=True)
        assert [answer.entry for answer in talk.told if isinstance(answer, HandOn)] == ["data"]
        assert talk.told[0].result is None

    def test_it_is_kept_from_an_asker_who_waits_and_would_take_it_for_the_end(self) -> None:
        talk = ask()
        talk.reply(0, "OK", "0.3")
        assert not talk.conversation.answers

    def test_only_the_first_of_several_systems_is_heard(self) -> None:
        talk = ask("MDM", "MS", asynchronous=True)
        talk.reply(0, "OK", "0.3")
        talk.reply(1, "OK", "0.3")
        assert len(talk.conversation.answers) == 1

    def test_the_first_ok_on_the_call_of_an_asynchronous_request_is_one(self) -> None:
        talk = ask(verb="create", noun="EndDeviceControls", asynchronous=True)
        talk.reply(0, "OK", on_request_channel=True)
        assert talk.conversation.state is State.ACKNOWLEDGED

    def test_a_refusal_on_the_call_ends_an_asynchronous_request(self) -> None:
        talk = ask(asynchronous=True)
        talk.reply(0, "FAILED", "2.5", on_request_channel=True)
        assert talk.conversation.state is State.FAILED

    def test_an_empty_second_ok_to_an_asynchronous_get_is_the_answer(self) -> None:
        talk = ask(asynchronous=True)
        talk.reply(0)
        talk.reply(0)
        assert talk.conversation.state is State.DONE

    def test_the_first_ok_to_an_asynchronous_transaction_at_the_reply_address_is_the_answer(self) -> None:
        talk = ask(verb="create", noun="MeterConfig", asynchronous=True)
        talk.reply(0)
        assert talk.conversation.state is State.DONE


class TestDuplicates:
    def test_a_reply_with_a_message_id_seen_before_is_swallowed(self) -> None:
        talk = ask()
        talk.reply(0, "PARTIAL", "0.1", message_id="R-1")
        assert fates(talk.reply(0, "PARTIAL", "0.1", message_id="R-1")) == [Fate.DUPLICATE]
        assert len(talk.told) == 1

    def test_the_same_message_id_from_another_system_is_no_duplicate(self) -> None:
        talk = ask("MDM", "MS")
        talk.reply(0, message_id="1")
        talk.reply(1, message_id="1")
        assert len(talk.told) == 2

    @pytest.mark.parametrize("echo", [True, False])
    def test_replies_without_an_id_of_their_own_are_told_apart_by_their_bodies(self, echo: bool) -> None:
        talk = ask()
        message_id = talk.conversation.legs[0].id if echo else ""
        for body in ("a", "b", "a"):
            talk.reply(0, "PARTIAL", "0.1", body=body, message_id=message_id)
        assert len(talk.told) == 2

    def test_a_request_that_the_asker_repeats_gets_the_stored_answer_under_the_same_id(self) -> None:
        talk = ask()
        talk.reply(0, body="reading")
        talk.confirm()
        before = len(talk.effects)
        talk.feed(RequestAgain(5.0))
        again, noted = talk.effects[before:]
        assert again == HandOn(talk.told[0].id, "reading", repeated=True)
        assert noted == Record(Fate.DUPLICATE)

    def test_a_request_that_the_asker_repeats_while_it_is_open_is_not_sent_again(self) -> None:
        talk = ask()
        assert talk.feed(RequestAgain(5.0)) == (Record(Fate.DUPLICATE),)


class TestCrashes:
    def test_what_was_not_sent_is_sent_when_the_broker_brings_the_request_back(self) -> None:
        talk = ask("MDM", "MS")
        first, second = talk.conversation.legs
        talk.feed(Confirmed(1.0, (first.id,)))
        assert talk.feed(RequestAgain(2.0, redelivered=True))[0] == Send(second.id, repeated=True)

    def test_an_answer_that_was_not_confirmed_comes_out_again_with_the_reply_that_made_it(self) -> None:
        talk = ask()
        talk.reply(0, message_id="R-1", body="x")
        again = talk.reply(0, message_id="R-1", body="x", redelivered=True)
        assert again[0] == HandOn(talk.told[0].id, "x", repeated=True)

    def test_an_answer_that_was_confirmed_does_not_come_out_again(self) -> None:
        talk = ask()
        talk.reply(0, message_id="R-1")
        talk.confirm()
        assert talk.reply(0, message_id="R-1", redelivered=True) == (Record(Fate.DUPLICATE),)

    def test_an_answer_at_the_deadline_that_was_not_confirmed_comes_out_again_in_its_time(self) -> None:
        talk = ask()
        talk.feed(TimerFired(DEADLINE))
        due = talk.conversation.due
        assert due is not None
        (again,) = talk.feed(TimerFired(due))
        assert isinstance(again, Answer)
        assert (again.id, again.repeated) == (talk.told[0].id, True)
        talk.confirm()
        assert talk.conversation.settled
        assert talk.conversation.due is None

    def test_a_request_that_was_answered_counts_as_sent(self) -> None:
        talk = ask()
        talk.reply(0, "PARTIAL", "0.1")
        assert talk.conversation.legs[0].id not in talk.conversation.outbox


class TestTime:
    def test_before_the_deadline_nothing_happens(self) -> None:
        talk = ask()
        talk.confirm()
        before = talk.conversation
        assert talk.feed(TimerFired(DEADLINE - 1)) == ()
        assert talk.conversation == before

    @MODES
    def test_silence_is_answered_with_the_code_for_it(self, mode: Mode) -> None:
        talk = ask(mode=mode)
        talk.feed(TimerFired(DEADLINE))
        (answer,) = talk.told
        assert (answer.result, codes(answer)) == (Result.FAILED, ["4.1"])
        assert answer.errors[0].reason == "MDM did not answer in time."
        assert talk.conversation.state is State.TIMED_OUT

    def test_after_parts_the_asker_learns_that_no_more_comes_and_why(self) -> None:
        talk = ask()
        talk.reply(0, "PARTIAL", "0.1")
        talk.feed(TimerFired(DEADLINE))
        assert (talk.told[-1].result, codes(talk.told[-1])) == (Result.PARTIAL, ["0.2", "4.1"])

    def test_what_was_collected_by_the_deadline_is_not_lost(self) -> None:
        talk = ask("MDM", "MS", mode=Mode.AGGREGATE)
        talk.reply(0, body="half", has_payload=True, root="r")
        talk.feed(TimerFired(DEADLINE))
        (answer,) = talk.told
        assert isinstance(answer, Answer)
        assert (answer.result, answer.parts, codes(answer)) == (Result.PARTIAL, ("half",), ["0.2", "4.1"])

    def test_a_late_reply_is_noted_and_never_answered(self) -> None:
        talk = ask()
        talk.feed(TimerFired(DEADLINE))
        talk.confirm()
        before = talk.conversation
        assert fates(talk.reply(0)) == [Fate.LATE]
        assert talk.conversation == before

    def test_what_was_not_sent_by_the_deadline_is_not_sent_after_it(self) -> None:
        talk = ask()
        talk.feed(TimerFired(DEADLINE))
        talk.confirm()
        assert not any(isinstance(effect, Send) for effect in talk.feed(RequestAgain(DEADLINE, redelivered=True)))


class TestSystemsThatCannotBeReached:
    def test_the_asker_learns_it_when_there_is_no_other(self) -> None:
        talk = ask()
        talk.feed(Undeliverable(1.0, talk.conversation.legs[0].id))
        (answer,) = talk.told
        assert (answer.result, codes(answer)) == (Result.FAILED, ["5.2"])
        assert answer.errors[0].reason == "MDM was not reached: no queue took the request."

    @MODES
    def test_the_asker_learns_it_with_the_last_answer_of_the_others(self, mode: Mode) -> None:
        talk = ask("MDM", "MS", mode=mode)
        assert talk.feed(Undeliverable(1.0, talk.conversation.legs[0].id)) == ()
        talk.reply(1, has_payload=True, root="r")
        (answer,) = talk.told
        assert answer.result is Result.PARTIAL
        assert codes(answer)[-1] == "5.2"


class TestEvents:
    @pytest.mark.parametrize(("result", "published"), [("OK", True), ("FAILED", False)])
    def test_the_event_follows_a_success_alone(self, result: str, published: bool) -> None:
        talk = ask(verb="create", noun="MeterConfig", publish=True)
        effects = talk.reply(0, result)
        assert any(isinstance(effect, PublishEvent) and effect.verb == "created" for effect in effects) is published

    def test_a_query_has_no_event(self) -> None:
        talk = ask(verb="get", publish=True)
        assert not any(isinstance(effect, PublishEvent) for effect in talk.reply(0))

    def test_an_event_that_the_system_has_published_is_not_published_twice(self) -> None:
        talk = ask(verb="create", noun="MeterConfig", publish=True)
        assert talk.feed(EventSeen(1.0, "created", "MeterConfig")) == (Record(Fate.CONSEQUENT),)
        assert not any(isinstance(effect, PublishEvent) for effect in talk.reply(0))

    def test_an_event_that_was_not_confirmed_is_published_again(self) -> None:
        talk = ask(verb="create", noun="MeterConfig", publish=True)
        talk.reply(0, message_id="R-1")
        again = talk.reply(0, message_id="R-1", redelivered=True)
        assert [effect.repeated for effect in again if isinstance(effect, PublishEvent)] == [True]

    def test_an_ended_conversation_still_ties_events_to_its_asker(self) -> None:
        talk = ask(verb="create", noun="MeterReadSchedule")
        talk.reply(0)
        assert talk.feed(EventSeen(1e9, "created", "MeterReadings")) == (Record(Fate.CONSEQUENT),)


def test_a_reply_that_names_no_leg_changes_nothing() -> None:
    talk = ask()
    assert fates(talk.feed(ReplyArrived(1.0, "nobody", "x", facts()))) == [Fate.STRAY]


def test_the_codes_of_a_part_are_replaced_and_its_errors_kept() -> None:
    came = Reply(Result.OK, (ReplyError("0.0"), ReplyError("5.7", reason="no data")))
    more = ReplyCode.PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES
    gone = rewritten(came, HandOn("1", "x", Result.PARTIAL, more, (ReplyError("4.1"),)))
    assert (gone.result, [str(error.code) for error in gone.errors]) == (Result.PARTIAL, ["0.1", "5.7", "4.1"])
    assert rewritten(came, HandOn("1", "x")) is came
