"""What a person should look at: conversations in alarm, past their time, or in which nothing moves. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gateway.cli._progress import waiting
from gateway.conversations import Conversation, State
from gateway.durations import lasted
from gateway.store import Stored

GRACE: Final = 15.0
"""Seconds after the deadline by which a running gateway has acted on it."""


class Trouble(IntEnum):
    """Why it is listed, the gravest first."""

    ALARM = 0
    OVERDUE = 1
    SILENT = 2


@dataclass(frozen=True, slots=True)
class Stuck:
    """A conversation that is stuck, with the sentences that say why."""

    stored: Stored
    conversation: Conversation
    trouble: Trouble
    reasons: tuple[str, ...]


def judged(found: Iterable[tuple[Stored, Conversation]], now: float, silent: float) -> list[Stuck]:
    """Give those that are stuck, the gravest first and the oldest of these first.

    `silent` is how many seconds nothing may have happened in one that no system has said a word in, or in which
    something is not confirmed; long jobs that were acknowledged may be silent until their deadline.
    """
    stuck = (_judge(stored, conversation, now, silent) for stored, conversation in found)
    return sorted(
        (one for one in stuck if one is not None),
        key=lambda one: (one.trouble, one.stored.opened, one.stored.id),
    )


def _judge(stored: Stored, conversation: Conversation, now: float, silent: float) -> Stuck | None:
    reasons = tuple(waiting(conversation, now))
    if conversation.alarm:
        return Stuck(stored, conversation, Trouble.ALARM, reasons)
    due = conversation.due
    if due is not None and due < now - GRACE:
        return Stuck(stored, conversation, Trouble.OVERDUE, reasons)
    still = now - stored.updated
    unheard = conversation.state is State.OPEN and any(
        leg.open and not leg.acknowledged and not leg.parts for leg in conversation.legs
    )
    if still >= silent and (unheard or conversation.outbox):
        return Stuck(stored, conversation, Trouble.SILENT, (f"Nothing has happened for {lasted(still)}.", *reasons))
    return None
