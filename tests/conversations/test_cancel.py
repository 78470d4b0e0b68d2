import pytest

from gateway.codes import Level, Result
from gateway.conversations import (
    Answer,
    Asker,
    CancelAsked,
    Conversation,
    Fate,
    Mode,
    PublishEvent,
    Record,
    RequestAgain,
    State,
    TimerFired,
    open_cancel,
)
from tests.conversations.talking import DEADLINE, Talk, ask, ids


def cancel(found: Conversation | None, source: str = "CIS") -> Talk:
    new_id = ids()
    return Talk(*open_cancel(Asker(source, "M-2", "C-1"), "MeterReadings", found, at=5.0, new_id=new_id), new_id)


def code(talk: Talk) -> str:
    return str(talk.told[-1].errors[-1].code)


def test_a_get_that_is_cancelled_before_anything_was_told_fails_with_the_code_for_it() -> None:
    talk = ask("MDM", "MS")
    talk.feed(CancelAsked(5.0))
    (answer,) = talk.told
    assert (answer.result, code(talk)) == (Result.FAILED, "6.5")
    assert talk.conversation.state is State.CANCELLED


def test_a_get_that_is_cancelled_after_parts_were_told_ends_as_partial() -> None:
    talk = ask()
    talk.reply(0, "PARTIAL", "0.1")
    talk.feed(CancelAsked(5.0))
    assert talk.told[-1].result is Result.PARTIAL
    assert [str(error.code) for error in talk.told[-1].errors] == ["0.2", "6.5"]


def test_an_asker_who_reads_partial_as_more_to_come_is_told_failed() -> None:
    talk = ask(last_is_ok=True)
    talk.reply(0, "PARTIAL", "0.1")
    talk.feed(CancelAsked(5.0))
    assert talk.told[-1].result is Result.FAILED


def test_an_acknowledgement_is_no_part() -> None:
    talk = ask(asynchronous=True)
    talk.reply(0)
    talk.feed(CancelAsked(5.0))
    assert talk.told[-1].result is Result.FAILED


def test_what_was_collected_for_a_get_is_dropped_and_what_comes_later_is_not_answered() -> None:
    talk = ask("MDM", "MS", mode=Mode.AGGREGATE)
    talk.reply(0, has_payload=True)
    talk.feed(CancelAsked(5.0))
    (answer,) = talk.told
    assert isinstance(answer, Answer)
    assert answer.parts == ()
    late = talk.reply(1)
    assert [effect.fate for effect in late if isinstance(effect, Record)] == [Fate.LATE]


def test_the_cancel_of_an_open_get_is_answered_with_ok_and_a_warning() -> None:
    talk = cancel(ask().conversation)
    (answer,) = talk.told
    assert (answer.result, code(talk), answer.errors[0].level) == (Result.OK, "0.0", Level.WARNING)
    assert any(isinstance(effect, Record) and effect.fate is Fate.WARNED for effect in talk.effects)


def test_the_cancel_of_a_get_that_has_ended_fails() -> None:
    get = ask()
    get.reply(0)
    get.feed(CancelAsked(5.0))
    assert len(get.told) == 1
    talk = cancel(get.conversation)
    assert (talk.told[0].result, code(talk)) == (Result.FAILED, "6.1")


@pytest.mark.parametrize("source", ["CIS", "OMS"])
def test_the_cancel_of_what_is_not_there_or_is_anothers_fails(source: str) -> None:
    talk = cancel(None if source == "CIS" else ask().conversation, source)
    assert (talk.told[0].result, code(talk)) == (Result.FAILED, "2.15")


def test_only_a_get_can_be_cancelled_in_this_way() -> None:
    create = ask(verb="create", noun="EndDeviceControls")
    assert create.feed(CancelAsked(5.0)) == ()
    assert create.conversation.state == "open"
    assert code(cancel(create.conversation)) == "2.15"


def test_a_cancel_that_is_repeated_gets_its_stored_answer() -> None:
    talk = cancel(ask().conversation)
    talk.confirm()
    assert talk.conversation.settled
    (again, _) = talk.feed(RequestAgain(9.0))
    assert isinstance(again, Answer)
    assert (again.id, again.repeated) == (talk.told[0].id, True)


def test_the_answer_to_a_cancel_is_not_lost_when_the_process_stops() -> None:
    talk = cancel(ask().conversation)
    due = talk.conversation.due
    assert due is not None
    assert [getattr(effect, "repeated", None) for effect in talk.feed(TimerFired(due))] == [True]


def test_cancelling_an_object_is_a_request_like_any_other_and_its_event_follows() -> None:
    talk = ask(verb="cancel", noun="MeterReadSchedule", publish=True)
    effects = talk.reply(0)
    assert [effect.verb for effect in effects if isinstance(effect, PublishEvent)] == ["canceled"]
    assert talk.conversation.due is not None
    assert talk.conversation.due < DEADLINE + 1
