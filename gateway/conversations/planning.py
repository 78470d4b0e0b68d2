"""How an OperationSet is carried out: handed on whole, unrolled into single requests, or refused (messaging D2 and D5).

The order of operations without enforceMsgSequence, and the refusals, are [inferred].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.codes import Level, ReplyCode
from gateway.conversations.sets import OperationFacts, Plan, PlannedOperation, Receiver, SetFacts
from gateway.conversations.values import Target
from gateway.message.envelope import ReplyError
from gateway.message.verbs import Verb

LINKS: Final = "MasterDataLinkageConfig"
"""The noun that ties other objects together, and so needs them to be there."""

_REFUSED: Final = ReplyCode.TRANSACTION_NOT_ATTEMPTED


@dataclass(frozen=True, slots=True)
class Whole:
    """The set goes on as it is, to systems that take sets."""

    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The set cannot be carried out as it asks to be; nothing is attempted. One error an operation."""

    errors: tuple[ReplyError, ...]


def plan(
    asked: SetFacts, whole: Sequence[Target], single: Mapping[int, Sequence[Receiver]], *, limit: float
) -> Whole | Plan | Refused:
    """Choose the way of a set.

    `whole` are the systems that the routes give for execute(OperationSet), `single` those for each operation by its
    id; `limit` is how long a request to undo may take, in seconds.
    """
    if whole:
        if asked.integrity and len(whole) > 1:
            names = ", ".join(target.system for target in whole)
            return _refused(
                asked, {}, f"several systems would take the set ({names}), and they cannot be held together"
            )
        return Whole(tuple(whole))
    faults = {operation.id: fault for operation in asked.operations if (fault := _fault(operation, asked, single))}
    if faults:
        return _refused(asked, faults, "another operation of the set cannot be carried out as it asks")
    operations = tuple(PlannedOperation(o.id, o.verb, o.noun, tuple(single[o.id])) for o in asked.operations)
    return Plan(operations, _stages(asked), asked.sequence, asked.integrity, limit)


def _fault(operation: OperationFacts, asked: SetFacts, single: Mapping[int, Sequence[Receiver]]) -> str:
    receivers = single.get(operation.id, ())
    if not receivers:
        return f"no system takes {operation.verb} {operation.noun}"
    if operation.element:  # sent by itself, the delete would mean the whole object
        return "elementOperation has a meaning inside a set alone, and no system takes the set whole"
    if asked.integrity and operation.verb != Verb.CREATE:
        blind = [receiver.system for receiver in receivers if not receiver.reads]
        if blind:
            return (
                f"it could not be undone in {', '.join(blind)}: its route names no get that tells the state before it"
            )
    return ""


def _refused(asked: SetFacts, faults: Mapping[int, str], otherwise: str) -> Refused:
    return Refused(
        tuple(
            ReplyError(
                _REFUSED,
                level=Level.FATAL,
                reason=f"Not attempted: {faults.get(operation.id, otherwise)}.",
                operation_id=operation.id,
            )
            for operation in sorted(asked.operations, key=lambda operation: operation.id)
        )
    )


def _stages(asked: SetFacts) -> tuple[tuple[int, ...], ...]:
    """Ascending ids one by one where the sequence counts; else side by side, with links made last and unmade first."""
    ordered = sorted(asked.operations, key=lambda operation: operation.id)
    if asked.sequence:
        return tuple((operation.id,) for operation in ordered)
    unmade = [one for one in ordered if one.noun == LINKS and one.verb == Verb.DELETE]
    made = [one for one in ordered if one.noun == LINKS and one.verb != Verb.DELETE]
    others = [one for one in ordered if one.noun != LINKS]
    return tuple(stage for part in (unmade, others, made) for stage in _side_by_side(part))


def _side_by_side(operations: list[OperationFacts]) -> Iterator[tuple[int, ...]]:
    """Part operations of one noun whose verbs differ: they may be about one object, and then their order counts."""
    verbs: dict[str, str] = {}
    stage: list[int] = []
    for operation in operations:
        if verbs.get(operation.noun, operation.verb) != operation.verb:
            yield tuple(stage)
            verbs, stage = {}, []
        verbs[operation.noun] = operation.verb
        stage.append(operation.id)
    if stage:
        yield tuple(stage)
