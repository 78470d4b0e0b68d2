"""Cancel (IEC 61968-9 Annex M). Its text was not reachable; all here is [inferred] from messaging E.

Recommended: the long job is an object (MeterReadSchedule, EndDeviceControls), and cancel names it. That is a request
like any other: `open_request` with the verb cancel, to the systems that the routes name.

Not recommended, and behind a switch: a cancel that names an outstanding get, by its CorrelationID or MessageID or by a
Request.ID of kind transaction. `open_cancel` answers it, and the get is fed `CancelAsked`; commit both together.
"""

from dataclasses import replace
from typing import Final

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.answering import break_off
from gateway.conversations.effects import Answer, Effect, Fate, Record
from gateway.conversations.values import RESEND_AFTER, Asker, Conversation, Kind, NewId, State, Step
from gateway.message.envelope import ReplyError
from gateway.message.verbs import Verb

NOT_RECOMMENDED: Final = (
    "Cancelling a get is not the recommended pattern: "
    "make the job an object, such as a MeterReadSchedule, and cancel that."
)


def open_cancel(
    asker: Asker, noun: str, found: Conversation | None, *, at: float, new_id: NewId, entry: str = ""
) -> Step:
    """Answer the cancel of a get; `found` is the get as it was before it was fed `CancelAsked`.

    OK where it was open, 6.1 where it had ended, 2.15 where there is none of this asker.
    """
    error = _outcome(found if found is not None and _may_cancel(asker, found) else None)
    result = Result.FAILED if error.level is Level.FATAL else Result.OK
    answer = Answer(new_id(), result, (error,))
    conversation = Conversation(
        id=new_id(),
        asker=asker,
        verb=Verb.CANCEL,
        noun=noun,
        opened=at,
        deadline=at,
        legs=(),
        kind=Kind.CANCEL,
        entry=entry,
        state=State.DONE if result is Result.OK else State.FAILED,
        result=result,
        resend_at=at + RESEND_AFTER,
    )
    effects: tuple[Effect, ...] = (answer, Record(Fate.WARNED, NOT_RECOMMENDED))
    return conversation.telling(answer), effects


def cancel(before: Conversation, new_id: NewId) -> Step:
    """End a get because its asker cancels it; what was kept for one answer is dropped, late data goes unanswered."""
    if before.final or before.verb != Verb.GET:
        return before, ()
    reason = "Cancelled by the asker."
    error = ReplyError(ReplyCode.CANCELED_BY_USER, level=Level.FATAL, reason=reason)
    return break_off(replace(before, kept=()), error, State.CANCELLED, new_id)


def _may_cancel(asker: Asker, found: Conversation) -> bool:
    return found.verb == Verb.GET and found.asker.source == asker.source


def _outcome(found: Conversation | None) -> ReplyError:
    if found is None:
        reason = "No get of yours has this id; it may be too old, or another's."
        return ReplyError(ReplyCode.INVALID_REQUEST_ID, level=Level.FATAL, reason=reason)
    if found.final:
        reason = "The get is complete already; there is nothing to cancel."
        return ReplyError(ReplyCode.CANCELED_PER_BUSINESS_RULE, level=Level.FATAL, reason=reason)
    return ReplyError(ReplyCode.NO_ERRORS, level=Level.WARNING, reason=f"The get was cancelled. {NOT_RECOMMENDED}")
