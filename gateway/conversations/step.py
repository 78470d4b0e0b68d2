"""The one function that decides what follows when something happens to a conversation."""

from dataclasses import replace

from gateway.codes import Level, ReplyCode
from gateway.conversations.cancelling import cancel
from gateway.conversations.coordinator import set_in_time, take_set_failure, take_set_reply
from gateway.conversations.effects import Effect, Fate, Record
from gateway.conversations.exchange import end_in_time, take_failure, take_reply
from gateway.conversations.inputs import (
    AlarmClosed,
    CancelAsked,
    Confirmed,
    EventSeen,
    Input,
    ReplyArrived,
    RequestAgain,
    TimerFired,
    Undeliverable,
)
from gateway.conversations.replies import identity_of
from gateway.conversations.values import Conversation, NewId, Step
from gateway.message.envelope import ReplyError
from gateway.message.verbs import REQUEST_OF, Verb


def step(conversation: Conversation, given: Input, new_id: NewId) -> Step:
    """Give the conversation after the input, and the effects. The very same object comes back where nothing changed."""
    after, effects = _decide(conversation, given, new_id)
    return _with_retry(conversation, after, given.at), effects


def _decide(before: Conversation, given: Input, new_id: NewId) -> Step:
    match given:
        case ReplyArrived():
            return _reply(before, given, new_id)
        case Confirmed():
            waiting = tuple(one for one in before.outbox if one not in given.ids)
            return (replace(before, outbox=waiting) if len(waiting) < len(before.outbox) else before), ()
        case Undeliverable():
            return _undeliverable(before, given, new_id)
        case TimerFired():
            return _timer(before, given, new_id)
        case RequestAgain():
            return before, _again(before, given)
        case EventSeen():
            return _event(before, given)
        case AlarmClosed():
            return (replace(before, alarm="") if before.alarm else before), ()
        case CancelAsked():
            return cancel(before, new_id)


def _reply(before: Conversation, given: ReplyArrived, new_id: NewId) -> Step:
    leg = before.leg(given.leg)
    if leg is None:
        return before, (Record(Fate.STRAY, "It names no leg of this conversation."),)
    identity = identity_of(given.reply, leg)
    if identity in leg.seen:
        # After a crash the broker brings back what was taken already: then it is for the sake of what must follow.
        again = before.unconfirmed() if given.redelivered else ()
        return before, (*again, Record(Fate.DUPLICATE))
    if before.final:
        return before, (Record(Fate.LATE, f"The conversation is {before.state} already."),)
    if not leg.open:
        return before, (Record(Fate.LATE, f"{leg.system} has given its last reply before."),)
    arrived = replace(before, outbox=tuple(one for one in before.outbox if one != leg.id))  # who replies has got it
    leg = replace(leg, seen=(*leg.seen, identity))
    if before.plan is not None:
        return take_set_reply(arrived, before.plan, leg, given, new_id)
    return take_reply(arrived, leg, given, new_id)


def _undeliverable(before: Conversation, given: Undeliverable, new_id: NewId) -> Step:
    leg = before.leg(given.leg)
    outbox = tuple(one for one in before.outbox if one != given.leg)
    returned = replace(before, outbox=outbox) if len(outbox) < len(before.outbox) else before
    if leg is None or not leg.open or before.final:
        return returned, ()
    why = given.reason or "no queue took the request"
    reason = f"{leg.system} was not reached: {why}."
    error = ReplyError(ReplyCode.TRANSACTION_NOT_ATTEMPTED, level=Level.FATAL, reason=reason)
    if before.plan is not None:
        certain = returned is not before  # what was confirmed once may have been taken the first time
        return take_set_failure(returned, before.plan, leg, error, given.at, new_id, certain=certain)
    return take_failure(returned, leg, error, new_id)


def _timer(before: Conversation, given: TimerFired, new_id: NewId) -> Step:
    due = before.due
    if due is None or given.at < due:
        return before, ()
    again: tuple[Effect, ...] = ()
    after = before
    if before.outbox and before.resend_at is not None and before.resend_at <= given.at:
        again = before.unconfirmed()
        after = replace(before, resend_at=given.at + before.resend_after)
    if before.final or given.at < before.deadline:
        return after, again
    if before.plan is not None:
        ended, effects = set_in_time(after, before.plan, given.at, new_id)
    else:
        ended, effects = end_in_time(after, new_id)
    return ended, (*again, *effects)


def _again(before: Conversation, given: RequestAgain) -> tuple[Effect, ...]:
    if given.redelivered and before.outbox:
        return (*before.unconfirmed(), Record(Fate.DUPLICATE))
    stored = tuple(replace(answer, repeated=True) for answer in before.answers) if before.final else ()
    return (*stored, Record(Fate.DUPLICATE))


def _event(before: Conversation, given: EventSeen) -> Step:
    own = given.noun == before.noun and given.verb in REQUEST_OF and REQUEST_OF[Verb(given.verb)] == before.verb
    after = replace(before, event_seen=True) if own and not before.event_seen else before
    return after, (Record(Fate.CONSEQUENT),)


def _with_retry(before: Conversation, after: Conversation, at: float) -> Conversation:
    """Set the time of the next try when something new waits to be confirmed."""
    if after.outbox == before.outbox:
        return after
    grown = not set(after.outbox) <= set(before.outbox)
    if not after.outbox:
        return replace(after, resend_at=None)
    return replace(after, resend_at=at + after.resend_after) if grown or after.resend_at is None else after
