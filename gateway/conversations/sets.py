"""An OperationSet that the gateway carries out itself, operation by operation (IEC 61968-9 Annex K): its plan."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Why a request goes to a system: to do what was asked, to read the state before it, or to undo it."""

    DO = "do"
    READ = "read"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """One operation as it was asked for; present-tense verb."""

    id: int
    verb: str
    noun: str
    element: bool = False


@dataclass(frozen=True, slots=True)
class SetFacts:
    """An OperationSet as it was asked for; an absent `integrity` means what its envelope's version says."""

    operations: tuple[OperationFacts, ...]
    sequence: bool
    integrity: bool


@dataclass(frozen=True, slots=True)
class Receiver:
    """A system that takes single operations; `reads`: its route names a get that tells the state before an operation.

    Without one, only a create can be undone there, and only where its success is known: a create that was not answered
    may have failed because the object was there before, and a delete would then take away what is not the set's.
    """

    system: str
    address: str = ""
    reads: bool = False


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """One operation and the systems that are to do it."""

    id: int
    verb: str
    noun: str
    receivers: tuple[Receiver, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done in which order, and how far it is.

    `stages` hold ids of operations: those of one stage run side by side, and the next waits for all of them. `limit`:
    seconds that each request to undo has. `running` is what the open legs are for.
    """

    operations: tuple[PlannedOperation, ...]
    stages: tuple[tuple[int, ...], ...]
    sequence: bool
    integrity: bool
    limit: float
    stage: int = 0
    running: Role = Role.DO
    timed_out: bool = False

    def at_stage(self) -> tuple[PlannedOperation, ...]:
        """Give the operations of the stage that it is at."""
        ids = self.stages[self.stage]
        return tuple(operation for operation in self.operations if operation.id in ids)

    def operation(self, number: int | None) -> PlannedOperation:
        """Give one of its operations."""
        return next(operation for operation in self.operations if operation.id == number)
