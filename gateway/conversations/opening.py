"""Opening the conversation of a request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.codes import Result
from gateway.conversations.coordinator import begin
from gateway.conversations.effects import Answer, Send
from gateway.conversations.planning import Refused, Whole, plan
from gateway.conversations.sets import Plan, Receiver, SetFacts
from gateway.conversations.values import (
    RESEND_AFTER,
    Asker,
    Conversation,
    Kind,
    Leg,
    Mode,
    NewId,
    State,
    Step,
    Target,
)
from gateway.message.nouns import OPERATION_SET
from gateway.message.verbs import Verb


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
    resend_after: float = RESEND_AFTER,
) -> Step:
    """Open the conversation of a request that goes to one or several systems, and send it to each.

    `at` and `deadline`: seconds since the epoch. `entry` names the request's body in the store. `mode` and `publish`
    (the past-tense event follows a success) are the route's; `last_is_ok` (PARTIAL always means more) the asker's.
    `resend_after`: seconds until what is not confirmed is published again.
    """
    opened = Conversation(
        new_id(), asker, verb, noun, at, deadline, (),
        entry=entry, mode=mode, last_is_ok=last_is_ok, publish=publish, resend_after=resend_after,
    )  # fmt: skip
    return _sent(opened, targets, (), new_id)


def open_set(
    asker: Asker,
    asked: SetFacts,
    whole: Sequence[Target],
    single: Mapping[int, Sequence[Receiver]],
    *,
    at: float,
    deadline: float,
    new_id: NewId,
    entry: str = "",
    mode: Mode = Mode.STREAM,
    last_is_ok: bool = False,
    publish: bool = False,
    resend_after: float = RESEND_AFTER,
) -> Step:
    """Open the conversation of an execute(OperationSet): handed on whole, unrolled, or refused with 5.2 (see `plan`).

    The rest is as with `open_request`. Each request that undoes an operation may take as long as the whole set.
    """
    opened = Conversation(
        new_id(), asker, Verb.EXECUTE, OPERATION_SET, at, deadline, (),
        entry=entry, mode=mode, last_is_ok=last_is_ok, publish=publish,
        resend_at=at + resend_after, resend_after=resend_after,
    )  # fmt: skip
    match plan(asked, whole, single, limit=deadline - at):
        case Whole(targets):
            return _sent(opened, targets, tuple(operation.id for operation in asked.operations), new_id)
        case Refused(errors):
            answer = Answer(new_id(), Result.FAILED, errors)
            return replace(opened.telling(answer), state=State.FAILED, result=Result.FAILED), (answer,)
        case Plan() as unrolled:
            return begin(replace(opened, kind=Kind.SET), unrolled, new_id)


def _sent(opened: Conversation, targets: Sequence[Target], operations: tuple[int, ...], new_id: NewId) -> Step:
    if not targets:
        raise ValueError("A conversation needs at least one system to talk to.")
    legs = tuple(
        Leg(new_id(), target.system, opened.verb, opened.noun, target.address, unreported=operations)
        for target in targets
    )
    sent = tuple(Send(leg.id) for leg in legs)
    outbox = tuple(one.id for one in sent)
    return replace(opened, legs=legs, outbox=outbox, resend_at=opened.opened + opened.resend_after), sent
