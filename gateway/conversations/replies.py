"""Reading a reply: who said it before, is it a mere acknowledgement, is more to come."""

from dataclasses import replace
from typing import Final

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.inputs import ReplyFacts
from gateway.conversations.values import Leg
from gateway.message.envelope import ReplyError
from gateway.message.nouns import OPERATION_SET
from gateway.message.verbs import Verb

_MORE: Final = ReplyCode.PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES
_HARMLESS: Final = (Level.INFORM, Level.WARNING)


def identity_of(reply: ReplyFacts, leg: Leg) -> str:
    """Tell replies of one leg apart: by MessageID, else by digest.

    Partners who have the ids in the wrong place send the leg's id as the MessageID of every reply: that tells nothing.
    """
    message_id = reply.message_id.strip()
    return message_id if message_id and message_id != leg.id else reply.digest


def is_acknowledgement(leg: Leg, reply: ReplyFacts, *, asynchronous: bool) -> bool:
    """Tell an acknowledgement from the answer (messaging C3; the rule is [inferred]).

    Code 0.3 says so. An asynchronous request is also acknowledged by its first OK without a payload, where the
    request is a get or the OK came back on the channel of the request.
    """
    if reply.result is not Result.OK or reply.has_payload or reply.operation_id is not None:
        return False
    if says(reply, ReplyCode.SIMPLE_ACKNOWLEDGMENT):
        return True
    first = leg.parts == 0 and not leg.acknowledged
    return asynchronous and first and (reply.on_request_channel or leg.verb == Verb.GET)


def is_last(leg: Leg, reply: ReplyFacts) -> bool:
    """Tell whether nothing follows (messaging C4): OK and FAILED end, PARTIAL does with code 0.2 alone [inferred].

    A reply about one operation of a set ends it where it was the last operation to be reported, unless it says that
    more follows: the reply about the whole set is then still to come. `leg` has counted it already.
    """
    if reply.operation_id is not None and leg.noun == OPERATION_SET and not says(reply, ReplyCode.PARTIAL_RESULT_FINAL):
        return leg.unreported == () and leg.parts > 0 and not says(reply, _MORE)
    return reply.result is not Result.PARTIAL or says(reply, ReplyCode.PARTIAL_RESULT_FINAL)


def judged(leg: Leg, reply: ReplyFacts) -> Leg:
    """Count a reply that is no acknowledgement; the last one gives the leg its outcome, which is that of all parts."""
    leg = replace(
        leg,
        parts=leg.parts + 1,
        good=leg.good or reply.result is not Result.FAILED,
        troubled=leg.troubled or bool(real_errors(reply.errors)),
        unreported=tuple(one for one in leg.unreported if one != reply.operation_id),
    )
    return replace(leg, outcome=_outcome(leg, reply.result)) if is_last(leg, reply) else leg


def _outcome(leg: Leg, result: Result) -> Result:
    match result:
        case Result.OK:
            return Result.PARTIAL if leg.troubled else Result.OK
        case Result.FAILED:
            return Result.PARTIAL if leg.good else Result.FAILED
        case Result.PARTIAL:  # where there are several parts all of them say PARTIAL, also when nothing is missing
            return Result.OK if leg.parts > 1 and not leg.troubled else Result.PARTIAL


def says(reply: ReplyFacts, code: ReplyCode) -> bool:
    """Tell whether a code is among its errors."""
    return any(error.code.strip() == code for error in reply.errors)


def real_errors(errors: tuple[ReplyError, ...]) -> tuple[ReplyError, ...]:
    """Give the errors that report something wrong: neither 0.x nor a mere warning."""
    return tuple(e for e in errors if not e.code.strip().startswith("0.") and e.level not in _HARMLESS)
