"""Request and reply: what each reply of each leg means to the asker (messaging C3 to C5)."""

from dataclasses import replace
from typing import Final

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.answering import conclude
from gateway.conversations.effects import Effect, Fate, HandOn, Record
from gateway.conversations.inputs import ReplyArrived
from gateway.conversations.replies import is_acknowledgement, is_last, judged, says
from gateway.conversations.values import Conversation, Leg, Mode, NewId, Part, State, Step
from gateway.message.envelope import ReplyError

_MORE: Final = ReplyCode.PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES


def take_reply(before: Conversation, leg: Leg, given: ReplyArrived, new_id: NewId) -> Step:
    """Take a reply that is neither a duplicate nor late."""
    reply = given.reply
    if is_acknowledgement(leg, reply, asynchronous=before.asker.asynchronous):
        return _acknowledged(before, leg, given, new_id)
    leg = judged(leg, reply)
    if reply.fault:  # a FaultMessage has no header, so it cannot be handed on
        return _go_on(before.with_leg(replace(leg, untold=(*leg.untold, *reply.errors))), new_id)
    part = Part(given.entry, leg.system, reply.result, has_payload=reply.has_payload, root=reply.root)
    if before.mode is Mode.AGGREGATE:
        errors = tuple(replace(error, stack_trace=None) for error in reply.errors)
        leg = replace(leg, errors=(*leg.errors, *errors), ids=(*leg.ids, *reply.ids))
        return _go_on(replace(before.with_leg(leg), kept=(*before.kept, part)), new_id)
    after = before.with_leg(leg)
    if not any(each.open for each in after.legs):
        return conclude(after, new_id, last=part)
    as_it_came = not is_last(leg, reply) and says(reply, _MORE)
    told = HandOn(new_id(), given.entry) if as_it_came else HandOn(new_id(), given.entry, Result.PARTIAL, _MORE)
    return replace(after.telling(told), state=State.PARTIAL), (told,)


def take_failure(before: Conversation, leg: Leg, error: ReplyError, new_id: NewId) -> Step:
    """Take it that a leg will give no (further) reply."""
    return _go_on(before.with_leg(_given_up(leg, error)), new_id, ())


def end_in_time(before: Conversation, new_id: NewId) -> Step:
    """End it at its deadline: 4.1 for each leg that has not given its last reply."""
    code = ReplyCode.REQUEST_TIMED_OUT
    legs = tuple(
        _given_up(leg, ReplyError(code, level=Level.FATAL, reason=f"{leg.system} did not answer in time."))
        if leg.open
        else leg
        for leg in before.legs
    )
    return conclude(replace(before, legs=legs), new_id, state=State.TIMED_OUT)


def _given_up(leg: Leg, error: ReplyError) -> Leg:
    return replace(leg, outcome=Result.PARTIAL if leg.good else Result.FAILED, untold=(*leg.untold, error))


def _go_on(after: Conversation, new_id: NewId, waiting: tuple[Effect, ...] = (Record(Fate.KEPT),)) -> Step:
    """Wait for the legs that are open, or end."""
    if any(leg.open for leg in after.legs):
        return after, waiting
    return conclude(after, new_id)


def _acknowledged(before: Conversation, leg: Leg, given: ReplyArrived, new_id: NewId) -> Step:
    """Hand the first acknowledgement on, with 0.3 in it; an asker that waits on its call would take it for the end."""
    after = before.with_leg(replace(leg, acknowledged=True))
    if before.state is State.OPEN:
        after = replace(after, state=State.ACKNOWLEDGED)
    if before.answers or not before.asker.asynchronous:
        return after, (Record(Fate.ACKNOWLEDGED),)
    told = HandOn(new_id(), given.entry, Result.OK, ReplyCode.SIMPLE_ACKNOWLEDGMENT, acknowledgement=True)
    return after.telling(told), (told, Record(Fate.ACKNOWLEDGED))
