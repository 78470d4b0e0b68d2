"""Reading a reply: who said it before, is it a mere acknowledgement, is more to come."""

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.inputs import ReplyFacts
from gateway.conversations.values import Conversation, Leg
from gateway.message.envelope import ReplyError
from gateway.message.verbs import Verb

_HARMLESS = (Level.INFORM, Level.WARNING)


def identity_of(reply: ReplyFacts, leg: Leg) -> str:
    """Tell replies of one leg apart: by MessageID, else by digest.

    Partners who have the ids in the wrong place send the leg's id as the MessageID of every reply: that tells nothing.
    """
    message_id = reply.message_id.strip()
    return message_id if message_id and message_id != leg.id else reply.digest


def is_acknowledgement(conversation: Conversation, leg: Leg, reply: ReplyFacts) -> bool:
    """Tell an acknowledgement from the answer (messaging C3; the rule is [inferred]).

    Code 0.3 says so. An asynchronous request is also acknowledged by its first OK without a payload, where the
    request is a get or the OK came back on the channel of the request.
    """
    if reply.result is not Result.OK or reply.has_payload:
        return False
    if any(error.code.strip() == ReplyCode.SIMPLE_ACKNOWLEDGMENT for error in reply.errors):
        return True
    first = leg.parts == 0 and not leg.acknowledged
    return conversation.asker.asynchronous and first and (reply.on_request_channel or leg.verb == Verb.GET)


def is_last(reply: ReplyFacts) -> bool:
    """Tell whether nothing follows (messaging C4): OK and FAILED end, PARTIAL does with code 0.2 alone [inferred]."""
    return reply.result is not Result.PARTIAL or says(reply, ReplyCode.PARTIAL_RESULT_FINAL)


def says(reply: ReplyFacts, code: ReplyCode) -> bool:
    """Tell whether a code is among its errors."""
    return any(error.code.strip() == code for error in reply.errors)


def real_errors(errors: tuple[ReplyError, ...]) -> tuple[ReplyError, ...]:
    """Give the errors that report something wrong: neither 0.x nor a mere warning."""
    return tuple(e for e in errors if not e.code.strip().startswith("0.") and e.level not in _HARMLESS)
