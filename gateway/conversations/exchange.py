"""Request and reply: what each reply of each leg means to the asker (messaging C3 to C5)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.answering import conclude
from gateway.conversations.effects import Effect, Fate, HandOn, Record, Send
from gateway.conversations.inputs import ReplyArrived
from gateway.conversations.replies import is_acknowledgement, is_last, real_errors, says
from gateway.conversations.values import (
    RESEND_AFTER,
    Asker,
    Conversation,
    Leg,
    Mode,
    NewId,
    Part,
    State,
    Step,
    Target,
)
from gateway.message.envelope import ReplyError

_MORE: Final = ReplyCode.PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES


def open_request(
    asker: Asker,
    verb: str,
    noun: str,
    targets: Sequence[Target],
    *,
    at: float,
    deadline: float,
    new_id: NewId,
    entry: str = "",
    mode: Mode = Mode.STREAM,
    last_is_ok: bool = False,
    publish: bool = False,
) -> Step:
    """Open the conversation of a request that goes to one or several systems, and send it to each."""
    if not targets:
        raise ValueError("A conversation needs at least one system to talk to.")
    opened = Conversation(
        id=new_id(),
        asker=asker,
        verb=verb,
        noun=noun,
        opened=at,
        deadline=deadline,
        legs=tuple(Leg(new_id(), target.system, verb, noun, target.address) for target in targets),
        entry=entry,
        mode=mode,
        last_is_ok=last_is_ok,
        publish=publish,
        resend_at=at + RESEND_AFTER,
    )
    sent = tuple(Send(leg.id) for leg in opened.legs)
    return replace(opened, outbox=tuple(one.id for one in sent)), sent


def take_reply(before: Conversation, leg: Leg, given: ReplyArrived, new_id: NewId) -> Step:
    """Take a reply that is neither a duplicate nor late."""
    reply = given.reply
    if is_acknowledgement(before, leg, reply):
        return _acknowledged(before, leg, given, new_id)
    good = leg.good or reply.result is not Result.FAILED
    troubled = leg.troubled or bool(real_errors(reply.errors))
    leg = replace(leg, parts=leg.parts + 1, good=good, troubled=troubled)
    if is_last(reply):
        leg = replace(leg, outcome=_outcome(leg, reply.result))
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
    as_it_came = not is_last(reply) and says(reply, _MORE)
    told = HandOn(new_id(), given.entry) if as_it_came else HandOn(new_id(), given.entry, Result.PARTIAL, _MORE)
    return replace(after.telling(told), state=State.PARTIAL), (told,)


def take_failure(before: Conversation, leg: Leg, code: ReplyCode, reason: str, new_id: NewId) -> Step:
    """Take it that a leg will give no (further) reply."""
    return _go_on(before.with_leg(_given_up(leg, code, reason)), new_id, ())


def end_in_time(before: Conversation, new_id: NewId) -> Step:
    """End it at its deadline: 4.1 for each leg that has not given its last reply."""
    code = ReplyCode.REQUEST_TIMED_OUT
    legs = tuple(
        _given_up(leg, code, f"{leg.system} did not answer in time.") if leg.open else leg for leg in before.legs
    )
    return conclude(replace(before, legs=legs), new_id, state=State.TIMED_OUT)


def _given_up(leg: Leg, code: ReplyCode, reason: str) -> Leg:
    error = ReplyError(code, level=Level.FATAL, reason=reason)
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


def _outcome(leg: Leg, result: Result) -> Result:
    """Judge a leg by all its parts; `leg` counts the last one already."""
    match result:
        case Result.OK:
            return Result.PARTIAL if leg.troubled else Result.OK
        case Result.FAILED:
            return Result.PARTIAL if leg.good else Result.FAILED
        case Result.PARTIAL:  # where there are several parts all of them say PARTIAL, also when nothing is missing
            return Result.OK if leg.parts > 1 and not leg.troubled else Result.PARTIAL
