"""Carries out an OperationSet operation by operation, and undoes it where all or nothing was asked for.

What comes next is always read from the legs that are there, and a leg is in the document before its request is sent:
so a gateway that was stopped at any moment goes on, or back, from where it was.
"""

from dataclasses import replace

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.effects import Alarm, Answer, Effect, Fate, PublishEvent, Record, Send
from gateway.conversations.inputs import ReplyArrived
from gateway.conversations.replies import is_acknowledgement, judged, real_errors
from gateway.conversations.set_answer import can_undo, is_unknown, must_undo, outcome_of, reading, undoing
from gateway.conversations.sets import Plan, PlannedOperation, Receiver, Role
from gateway.conversations.values import Conversation, Leg, NewId, State, Step
from gateway.message.envelope import ReplyError
from gateway.message.verbs import Verb


def begin(opened: Conversation, plan: Plan, new_id: NewId) -> Step:
    """Send the requests of the first stage."""
    return _begin_stage(opened, plan, new_id)


def take_set_reply(before: Conversation, plan: Plan, leg: Leg, given: ReplyArrived, new_id: NewId) -> Step:
    """Take a reply to one of the requests; it is neither a duplicate nor late."""
    reply = given.reply
    if is_acknowledgement(leg, reply, asynchronous=False):
        return before.with_leg(replace(leg, acknowledged=True)), (Record(Fate.ACKNOWLEDGED),)
    leg = judged(leg, reply)
    leg = replace(leg, errors=(*leg.errors, *(replace(e, stack_trace=None) for e in real_errors(reply.errors))))
    if leg.role is Role.READ and not leg.open:
        leg = _as_read(leg, given, before_creating=plan.operation(leg.operation_id).verb == Verb.CREATE)
    if leg.open:
        return before.with_leg(leg), (Record(Fate.KEPT),)
    after, effects = _advance(before.with_leg(leg), plan, given.at, new_id)
    return after, (*effects, Record(Fate.KEPT))


def take_set_failure(
    before: Conversation, plan: Plan, leg: Leg, error: ReplyError, at: float, new_id: NewId, *, certain: bool
) -> Step:
    """Take it that a leg gives no reply; `certain`: its request has reached nobody."""
    after = before.with_leg(_given_up(leg, error, certain=certain))
    return _advance(after, plan, at, new_id)


def set_in_time(before: Conversation, plan: Plan, at: float, new_id: NewId) -> Step:
    """Take it that the time is up: of the whole set, or of a request that undoes one of its operations."""
    code = ReplyCode.REQUEST_TIMED_OUT
    silent = frozenset(leg.id for leg in before.legs if leg.open)
    legs = tuple(
        _given_up(
            leg, ReplyError(code, level=Level.FATAL, reason=f"{leg.system} did not answer in time."), certain=False
        )
        if leg.open
        else leg
        for leg in before.legs
    )
    outbox = tuple(one for one in before.outbox if one not in silent)
    stopped = replace(before, legs=legs, outbox=outbox)
    return _advance(stopped, plan if plan.running is Role.UNDO else replace(plan, timed_out=True), at, new_id)


def _advance(after: Conversation, plan: Plan, at: float, new_id: NewId) -> Step:
    """Go on when all that was begun has ended."""
    after = replace(after, plan=plan)
    if any(leg.open for leg in after.legs):
        return after, ()
    if plan.running is Role.UNDO:
        return _undo_next(after, plan, at, new_id)
    ids = plan.stages[plan.stage]
    failed = any(leg.operation_id in ids and leg.outcome is not Result.OK for leg in after.legs)
    if failed or plan.timed_out:
        if plan.integrity:
            return _undo_next(after, replace(plan, running=Role.UNDO), at, new_id)
        if plan.sequence or plan.timed_out:
            return _finish(after, plan, new_id)
    if plan.running is Role.READ:
        return _send_stage(after, plan, Role.DO, new_id)
    if plan.stage + 1 < len(plan.stages):
        return _begin_stage(after, replace(plan, stage=plan.stage + 1), new_id)
    return _finish(after, plan, new_id)


def _begin_stage(before: Conversation, plan: Plan, new_id: NewId) -> Step:
    reads = plan.integrity and any(receiver.reads for one in plan.at_stage() for receiver in one.receivers)
    return _send_stage(before, plan, Role.READ if reads else Role.DO, new_id)


def _send_stage(before: Conversation, plan: Plan, role: Role, new_id: NewId) -> Step:
    legs = tuple(
        _leg(operation, receiver, role, new_id)
        for operation in plan.at_stage()
        for receiver in operation.receivers
        if role is Role.DO or receiver.reads
    )
    return _send(replace(before, plan=replace(plan, running=role)), legs)


def _undo_next(before: Conversation, plan: Plan, at: float, new_id: NewId) -> Step:
    """Undo the last thing that was done, or may have been, and is not undone; one by one, each in a time of its own."""
    for leg in reversed(before.legs):
        if must_undo(leg) and can_undo(before, leg) and undoing(before, leg) is None:
            undo = _undo(before, leg, new_id)
            return _send(replace(before, plan=plan, deadline=at + plan.limit), (undo,))
    return _finish(replace(before, plan=plan), plan, new_id)


def _undo(before: Conversation, leg: Leg, new_id: NewId) -> Leg:
    read = reading(before, leg)
    payload = read.payload if read is not None else ""
    if leg.verb == Verb.CREATE and not payload:
        verb = Verb.DELETE
    else:
        verb = Verb.CREATE if leg.verb == Verb.DELETE else Verb.CHANGE
    return Leg(
        new_id(), leg.system, verb, leg.noun, leg.address,
        role=Role.UNDO, operation_id=leg.operation_id, undoes=leg.id, payload=payload,
    )  # fmt: skip


def _leg(operation: PlannedOperation, receiver: Receiver, role: Role, new_id: NewId) -> Leg:
    verb = Verb.GET if role is Role.READ else operation.verb
    return Leg(new_id(), receiver.system, verb, operation.noun, receiver.address, role=role, operation_id=operation.id)


def _send(before: Conversation, legs: tuple[Leg, ...]) -> Step:
    sent = tuple(Send(leg.id) for leg in legs)
    outbox = (*before.outbox, *(one.id for one in sent))
    return replace(before, legs=(*before.legs, *legs), outbox=outbox), sent


def _finish(before: Conversation, plan: Plan, new_id: NewId) -> Step:
    outcome = outcome_of(before, plan)
    answer = Answer(new_id(), outcome.result, outcome.errors)
    ended = State.FAILED if outcome.result is Result.FAILED else State.DONE
    result = outcome.result if len(outcome.applied) in (0, len(plan.operations)) else Result.PARTIAL
    after = replace(
        before.telling(answer), state=State.TIMED_OUT if plan.timed_out else ended, result=result, alarm=outcome.alarm
    )
    effects: tuple[Effect, ...] = (answer, Alarm(outcome.alarm)) if outcome.alarm else (answer,)
    if not after.publish or after.event_seen or not outcome.applied:
        return after, effects
    event = PublishEvent(new_id(), Verb.EXECUTED, outcome.applied)
    return replace(after, event=event, outbox=(*after.outbox, event.id)), (*effects, event)


def _as_read(leg: Leg, given: ReplyArrived, *, before_creating: bool) -> Leg:
    """Keep the state that was read; what is not one whole answer would not bring it back."""
    if leg.outcome is Result.OK and leg.parts == 1 and given.reply.has_payload:
        return replace(leg, payload=given.entry)
    if before_creating and leg.parts == 1 and (leg.outcome is Result.OK or is_unknown(leg.errors)):
        return replace(leg, outcome=Result.OK)  # nothing was there
    reason = f"{leg.system} did not tell the state before the operation, so that it could not have been undone."
    error = ReplyError(ReplyCode.TRANSACTION_NOT_ATTEMPTED, level=Level.FATAL, reason=reason)
    return replace(leg, outcome=Result.FAILED, untold=leg.untold if leg.errors else (*leg.untold, error))


def _given_up(leg: Leg, error: ReplyError, *, certain: bool) -> Leg:
    """End a leg: FAILED where nothing was done for certain, PARTIAL where something may have been."""
    return replace(leg, outcome=Result.FAILED if certain else Result.PARTIAL, untold=(*leg.untold, error))
