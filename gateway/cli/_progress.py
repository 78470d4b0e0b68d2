"""How far a conversation is, and what it waits for, in words. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from gateway.codes import Result
from gateway.conversations import Answer, Conversation, HandOn, Leg, Mode, Role, State
from gateway.durations import lasted

ALARM: Final = "ALARM: "
"""What a sentence begins with that is for a person to act on."""

_STATES: Final = {
    State.OPEN: "no answer yet",
    State.ACKNOWLEDGED: "the request was taken, the answer is still to come",
    State.PARTIAL: "part of the answer has gone to the asker, more is to come",
    State.TIMED_OUT: "not all answers came in time, the asker was told 4.1",
    State.CANCELLED: "the asker cancelled it",
}
_RESULTS: Final = {
    Result.OK: "answered OK",
    Result.PARTIAL: "answered, but something is missing",
    Result.FAILED: "answered FAILED",
}
_ROLES: Final = {Role.DO: "", Role.READ: "reading the state before ", Role.UNDO: "undoing "}


def state_name(conversation: Conversation) -> str:
    """Name the state for a list: `done OK`, `timed out PARTIAL`, `failed`, `open`."""
    name = conversation.state.replace("_", " ")
    result = conversation.result
    return name if result is None or result is Result.FAILED else f"{name} {result}"


def state_in_words(conversation: Conversation, took: float | None) -> str:
    """Say the state in a sentence; `took` is how many seconds the last answer took, if there is one."""
    name = conversation.state.replace("_", " ")
    words = _STATES.get(conversation.state)
    if words is None:
        words = _RESULTS[conversation.result] if conversation.result is not None else "ended"
    after = "" if took is None else f", after {lasted(took)}"
    return f"{name}: {words}{after}"


def waiting(conversation: Conversation, now: float) -> list[str]:
    """Say, a sentence each, what is still waited for: answers, confirms of the broker, a person."""
    said = [f"{ALARM}{conversation.alarm}"] if conversation.alarm else []
    if not conversation.final:
        until = _until(conversation, now)
        said += [f"{_silent(leg)}{until}" for leg in conversation.legs if leg.open]
        if conversation.mode is Mode.AGGREGATE and conversation.kept:
            said.append(f"{len(conversation.kept)} of the replies kept for the one answer.")
    said += _unconfirmed(conversation, now)
    return said


def leg_in_words(leg: Leg) -> str:
    """Say how far one delivery is, and for what it is where that is a step of a set."""
    return f"{_step(leg)}{_came_of(leg)}"


def _step(leg: Leg) -> str:
    if leg.operation_id is None:
        return ""
    return f"{_ROLES[leg.role]}operation {leg.operation_id}, {leg.verb}({leg.noun}): "


def _came_of(leg: Leg) -> str:
    parts = f" in {leg.parts} parts" if leg.parts > 1 else ""
    if leg.outcome is not None:
        if not leg.parts:
            return "; ".join(error.reason or f"code {error.code}" for error in leg.untold) or f"{leg.outcome}"
        return f"{leg.outcome}{parts}" + "".join(f"; {error.reason}" for error in leg.untold if error.reason)
    if leg.parts:
        return f"{leg.parts} {'part' if leg.parts == 1 else 'parts'} came, the last is missing"
    return "acknowledged, not answered" if leg.acknowledged else "not answered"


def _silent(leg: Leg) -> str:
    step = _step(leg).removesuffix(": ")
    what = f" ({step})" if step else ""
    if leg.parts:
        return f"{leg.system}{what} has sent {leg.parts} {'part' if leg.parts == 1 else 'parts'}, but not the last one"
    if leg.acknowledged:
        return f"{leg.system}{what} has acknowledged the request, but not answered it"
    return f"{leg.system}{what} has not answered"


def _until(conversation: Conversation, now: float) -> str:
    left = conversation.deadline - now
    if left >= 0:
        return f"; the deadline is in {lasted(left)}."
    return f"; the deadline passed {lasted(-left)} ago and no gateway has acted on it: is one running?"


def _unconfirmed(conversation: Conversation, now: float) -> Iterator[str]:
    again = conversation.resend_at
    if again is None:
        when = "."
    elif again >= now:
        when = f"; unless that happens it is sent again in {lasted(again - now)}."
    else:
        when = f"; it was to be sent again {lasted(now - again)} ago and no gateway has done it: is one running?"
    for name, number in Counter(_named(conversation, sent) for sent in conversation.outbox).items():
        times = f" ({number} messages)" if number > 1 else ""
        yield f"{name}{times} is not confirmed by the broker{when}"


def _named(conversation: Conversation, sent: str) -> str:
    leg = conversation.leg(sent)
    if leg is not None:
        return f"The request to {leg.system}"
    answer = next((one for one in conversation.answers if one.id == sent), None)
    match answer:
        case HandOn(acknowledgement=True):
            return f"The acknowledgement to {conversation.asker.source or 'the asker'}"
        case HandOn() | Answer():
            return f"The answer to {conversation.asker.source or 'the asker'}"
        case None:
            return "The event that follows"
