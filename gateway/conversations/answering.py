"""The last answer: what the asker is told when all legs have ended (messaging A4, C4 and C5; the choice is [inferred]).

| legs | told at once (stream) | told last (stream) | told once (aggregate) |
|---|---|---|---|
| one complete answer | - | as it came | as it came |
| all OK | PARTIAL 0.1 each | PARTIAL 0.2 | OK |
| all FAILED | PARTIAL 0.1 each | FAILED | FAILED |
| mixed | PARTIAL 0.1 each | PARTIAL 0.2 | PARTIAL 0.2 |

An asker who reads PARTIAL as "more follows" (`last_is_ok`) is told OK or FAILED instead of the last PARTIAL.
"""

from dataclasses import replace
from typing import Final

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.effects import Answer, HandOn, PublishEvent
from gateway.conversations.replies import real_errors
from gateway.conversations.values import Conversation, Mode, NewId, Part, State, Step
from gateway.message.envelope import ReplyError
from gateway.message.verbs import EVENT_OF, Verb

_MORE: Final = ReplyCode.PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES
_FINAL: Final = ReplyCode.PARTIAL_RESULT_FINAL


def conclude(
    ended: Conversation,
    new_id: NewId,
    *,
    last: Part | None = None,
    state: State | None = None,
    verdict: Result | None = None,
) -> Step:
    """End a conversation: say the last word to the asker, and publish the event of a success where that is asked for.

    `last` is the reply that ended a stream, if one did; `state` the end where it is not told by the verdict.
    """
    judged = verdict or verdict_of(ended)
    ended = _nothing_to_send(ended)
    parts = ended.kept if last is None else (last,)
    if ended.mode is Mode.AGGREGATE and mergeable(parts) and not (len(parts) == len(ended.legs) == 1):
        told: tuple[HandOn | Answer, ...] = (_one_answer(ended, judged, new_id),)
    elif parts:
        told = _stream(ended, parts, judged, new_id)
    else:
        told = (_own_answer(ended, judged, new_id),)
    final = told[-1]
    failed = (final.result or parts[-1].result) is Result.FAILED
    after = replace(
        ended.telling(*told), result=judged, state=state or (State.FAILED if failed else State.DONE), kept=()
    )
    if judged is not Result.OK or not ended.publish or ended.event_seen or ended.verb not in EVENT_OF:
        return after, told
    event = PublishEvent(new_id(), EVENT_OF[Verb(ended.verb)])
    return replace(after, event=event, outbox=(*after.outbox, event.id)), (*told, event)


def break_off(ended: Conversation, error: ReplyError, state: State, new_id: NewId) -> Step:
    """End a conversation for a reason that lies in no leg: FAILED, or the last PARTIAL where parts were told."""
    result, code = (Result.FAILED, "") if not _said(ended) or ended.last_is_ok else (Result.PARTIAL, _FINAL)
    answer = Answer(new_id(), result, (*_code(code), error))
    return replace(_nothing_to_send(ended).telling(answer), result=result, state=state), (answer,)


def verdict_of(ended: Conversation) -> Result:
    """Judge the whole by its legs: all OK, all FAILED, or mixed."""
    outcomes = {leg.outcome for leg in ended.legs}
    return (outcomes.pop() if len(outcomes) == 1 else None) or Result.PARTIAL


def mergeable(parts: tuple[Part, ...]) -> bool:
    """Tell whether the payloads of kept replies can be laid into one: all have the same one root."""
    with_payload = [part for part in parts if part.has_payload]
    roots = {part.root for part in with_payload}
    return len(with_payload) < 2 or (len(roots) == 1 and "" not in roots)  # noqa: PLR2004 - one needs no other


def _nothing_to_send(ended: Conversation) -> Conversation:
    """Take out the requests that were not sent by now: they must not be sent any more."""
    legs = frozenset(leg.id for leg in ended.legs)
    return replace(ended, outbox=tuple(one for one in ended.outbox if one not in legs))


def _one_answer(ended: Conversation, verdict: Result, new_id: NewId) -> Answer:
    errors = tuple(error for leg in ended.legs for error in (*leg.errors, *leg.untold) if not _is_progress(error))
    ids = tuple(identifier for leg in ended.legs for identifier in leg.ids)
    parts = tuple(part.entry for part in ended.kept if part.has_payload)
    result, code = _last_word(ended, verdict, complete=True)
    return Answer(new_id(), result, _with_code(ended, result, (*_code(code), *errors)), ids, parts)


def _stream(ended: Conversation, parts: tuple[Part, ...], verdict: Result, new_id: NewId) -> tuple[HandOn, ...]:
    """Hand on what is left, the last part with the last word; a single complete answer stays as it is."""
    *before, last = parts
    first = tuple(HandOn(new_id(), part.entry, Result.PARTIAL, _MORE) for part in before)
    untold = tuple(error for leg in ended.legs for error in leg.untold)
    alone = not untold and not before and not _said(ended)
    own_verdict = len(ended.legs) == 1 and last.result is Result.FAILED and not untold
    if own_verdict or (alone and (last.result is not Result.PARTIAL or not ended.last_is_ok)):
        return (*first, HandOn(new_id(), last.entry))
    result, code = _last_word(ended, verdict, complete=False)
    if result is Result.FAILED and last.result is not Result.FAILED and not untold and not alone:
        reason = "Part of the request has failed; the messages before this one say what."
        untold = (ReplyError(ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED, level=Level.FATAL, reason=reason),)
    return (*first, HandOn(new_id(), last.entry, result, code, untold))


def _own_answer(ended: Conversation, verdict: Result, new_id: NewId) -> Answer:
    untold = tuple(error for leg in ended.legs for error in leg.untold)
    result, code = _last_word(ended, verdict, complete=not _said(ended))
    return Answer(new_id(), result, _with_code(ended, result, (*_code(code), *untold)))


def _last_word(ended: Conversation, verdict: Result, *, complete: bool) -> tuple[Result, str]:
    """Give Result and code of the last message; `complete`: it is the only one."""
    if verdict is Result.FAILED or (verdict is Result.OK and (complete or ended.last_is_ok)):
        return verdict, ""
    if not ended.last_is_ok:
        return Result.PARTIAL, _FINAL
    clean = not any(leg.troubled or leg.untold or leg.outcome is Result.FAILED for leg in ended.legs)
    return (Result.OK if clean else Result.FAILED), ""


def _said(ended: Conversation) -> bool:
    return any(isinstance(answer, Answer) or not answer.acknowledgement for answer in ended.answers)


def _with_code(ended: Conversation, result: Result, errors: tuple[ReplyError, ...]) -> tuple[ReplyError, ...]:
    """Give a failure a code where the systems have given none: the standard wants one."""
    if result is not Result.FAILED or any(not error.code.strip().startswith("0.") for error in errors):
        return errors
    failed = ", ".join(leg.system for leg in ended.legs if leg.outcome is not Result.OK)
    reason = f"{failed} failed without saying why."
    return (*errors, ReplyError(ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED, level=Level.FATAL, reason=reason))


def _code(code: str) -> tuple[ReplyError, ...]:
    return (ReplyError(code, level=Level.INFORM, reason=ReplyCode(code).meaning),) if code else ()


def _is_progress(error: ReplyError) -> bool:
    """Tell the codes that speak of the message they came in from those that report on an object."""
    about_object = error.id is not None or error.object is not None or error.operation_id is not None
    return error.code.strip().startswith("0.") and not about_object and not real_errors((error,))
