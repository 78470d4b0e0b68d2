"""The one answer to an OperationSet that was unrolled: a code for each operation (messaging D4, which is [inferred]).

| case | Result | codes |
|---|---|---|
| all done | OK | 0.0 each |
| integrity, one fails, all undone | FAILED | its own code; 5.9 for the others |
| integrity, one fails, undoing fails | FAILED | its own code; 5.3 CATASTROPHIC for what stays; 5.9 for the others |
| no integrity, some fail | PARTIAL | their own codes; 0.0 for the others; 0.2 |
| no integrity, all fail | FAILED | their own codes |
| sequence, no integrity, one fails | PARTIAL | its own code; 5.2 for the later ones; 0.0 for the earlier ones; 0.2 |
"""

from dataclasses import dataclass, replace
from typing import Final

from gateway.codes import Level, ReplyCode, Result
from gateway.conversations.replies import real_errors
from gateway.conversations.sets import Plan, PlannedOperation, Role
from gateway.conversations.values import Conversation, Leg
from gateway.message.envelope import ReplyError
from gateway.message.verbs import Verb

_UNKNOWN: Final = frozenset(
    {
        ReplyCode.INVALID_METER,
        ReplyCode.INVALID_USAGE_POINT,
        ReplyCode.INVALID_REQUEST_ID,  # Part 100 shows it for an object that is not known
        ReplyCode.INVALID_SERVICE_LOCATION,
        ReplyCode.INVALID_CUSTOMER_ACCOUNT,
        ReplyCode.INVALID_SERVICE_SUPPLIER,
        ReplyCode.INVALID_CUSTOMER,
        ReplyCode.INVALID_CUSTOMER_AGREEMENT,
        ReplyCode.INVALID_COM_MODULE,
        ReplyCode.INVALID_SERVICE_CATEGORY,
        ReplyCode.INVALID_USAGE_POINT_LOCATION,
        ReplyCode.INVALID_PRICING_STRUCTURE,
        ReplyCode.REQUESTED_DATA_UNAVAILABLE,
    }
)
"""Codes by which a system says that it does not know an object [inferred]; 2.x also has bad verbs and sources."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an unrolled set came to: what the asker is told, what is applied, and what a person must mend."""

    result: Result
    errors: tuple[ReplyError, ...]
    applied: tuple[int, ...]
    alarm: str = ""


def outcome_of(ended: Conversation, plan: Plan) -> Outcome:
    """Judge a set whose legs have all ended."""
    operations = sorted(plan.operations, key=lambda operation: operation.id)
    failures = {operation.id: _failure(ended, operation) for operation in operations}
    done = tuple(o.id for o in operations if not failures[o.id] and _was_done(ended, o))
    if plan.integrity and len(done) < len(operations):
        return _rolled_back(ended, operations, failures)
    errors: list[ReplyError] = []
    for operation in operations:
        if failures[operation.id]:
            errors += failures[operation.id]
        elif operation.id in done:
            errors.append(_about(operation, ReplyCode.NO_ERRORS, Level.INFORM, "Done."))
        else:
            reason = "Not attempted, because the time was up." if plan.timed_out else "Not attempted after a failure."
            errors.append(_about(operation, ReplyCode.TRANSACTION_NOT_ATTEMPTED, Level.FATAL, reason))
    if len(done) == len(operations):
        return Outcome(Result.OK, tuple(errors), done)
    if not done or ended.last_is_ok:
        return Outcome(Result.FAILED, tuple(errors), done)
    last = ReplyError(ReplyCode.PARTIAL_RESULT_FINAL, level=Level.INFORM, reason=ReplyCode.PARTIAL_RESULT_FINAL.meaning)
    return Outcome(Result.PARTIAL, (last, *errors), done)


def undoing(ended: Conversation, leg: Leg) -> Leg | None:
    """Give the leg that undoes what this one did, if it was begun."""
    return next((one for one in ended.legs if one.undoes == leg.id), None)


def reading(ended: Conversation, leg: Leg) -> Leg | None:
    """Give the leg that read the state before this one, if the route names a get for that."""
    where = (leg.operation_id, leg.system)
    legs = (one for one in ended.legs if one.role is Role.READ and (one.operation_id, one.system) == where)
    return next(legs, None)


def must_undo(leg: Leg) -> bool:
    """Tell whether it has done something, or may have."""
    return leg.role is Role.DO and leg.outcome is not Result.FAILED


def can_undo(ended: Conversation, leg: Leg) -> bool:
    """Tell whether undoing it can do no harm: see `Receiver`."""
    return leg.outcome is Result.OK or reading(ended, leg) is not None


def is_undone(undo: Leg) -> bool:
    """Tell whether undoing has succeeded; a delete that does not find the object leaves it away, as it was before."""
    if undo.outcome is Result.OK:
        return True
    return undo.verb == Verb.DELETE and undo.outcome is Result.FAILED and is_unknown(undo.errors)


def is_unknown(errors: tuple[ReplyError, ...]) -> bool:
    """Tell whether errors say that an object is not known, and nothing else."""
    codes = {error.code.strip() for error in real_errors(errors)}
    return bool(codes) and codes <= _UNKNOWN


def _rolled_back(
    ended: Conversation, operations: list[PlannedOperation], failures: dict[int, tuple[ReplyError, ...]]
) -> Outcome:
    culprits = ", ".join(str(o.id) for o in operations if failures[o.id])
    errors: list[ReplyError] = []
    stays: list[str] = []
    for operation in operations:
        errors += failures[operation.id]
        left = [leg for leg in _legs(ended, operation, Role.DO) if _stays(ended, leg)]
        if left:
            systems = ", ".join(leg.system for leg in left)
            stays.append(f"operation {operation.id} ({operation.verb} {operation.noun}) in {systems}")
            reason = f"It could not be undone in {systems}, where it may still be applied."
            code = ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED
            errors.append(_about(operation, code, Level.CATASTROPHIC, reason))
        elif not failures[operation.id]:
            code = ReplyCode.ABORTED_FOR_TRANSACTIONAL_INTEGRITY
            errors.append(_about(operation, code, Level.FATAL, f"Not applied, because operation {culprits} failed."))
    alarm = f"An OperationSet could not be rolled back: {'; '.join(stays)}. Mend it there by hand." if stays else ""
    return Outcome(Result.FAILED, tuple(errors), (), alarm)


def _stays(ended: Conversation, leg: Leg) -> bool:
    if not must_undo(leg):
        return False
    undo = undoing(ended, leg)
    return undo is None or not is_undone(undo)


def _legs(ended: Conversation, operation: PlannedOperation, *roles: Role) -> list[Leg]:
    return [leg for leg in ended.legs if leg.operation_id == operation.id and leg.role in roles]


def _was_done(ended: Conversation, operation: PlannedOperation) -> bool:
    return bool(_legs(ended, operation, Role.DO))


def _failure(ended: Conversation, operation: PlannedOperation) -> tuple[ReplyError, ...]:
    """Give the errors of an operation that has failed, each with its id; a failure without one gets 5.3."""
    failed = [leg for leg in _legs(ended, operation, Role.READ, Role.DO) if leg.outcome is not Result.OK]
    if not failed:
        return ()
    told = [error for leg in failed for error in (*real_errors(leg.errors), *leg.untold)]
    if told:
        return tuple(replace(error, level=Level.FATAL, operation_id=operation.id) for error in told)
    reason = f"{failed[0].system} has not done it, and does not say why."
    return (_about(operation, ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED, Level.FATAL, reason),)


def _about(operation: PlannedOperation, code: ReplyCode, level: Level, reason: str) -> ReplyError:
    return ReplyError(code, level=level, reason=reason, operation_id=operation.id)
