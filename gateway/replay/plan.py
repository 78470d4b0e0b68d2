"""What a replay does with each recorded message, and when: the same from wherever it is taken up again."""

from dataclasses import dataclass

from gateway.message import DEFAULT_LIMITS, Limits
from gateway.replay.changes import Changed, Changes, NoSuchContext
from gateway.replay.mark import ReplayMark
from gateway.replay.pacing import Pace, Timetable
from gateway.replay.recorded import LeftOut, Recorded, Selection


@dataclass(frozen=True, slots=True)
class Step:
    """A message that is to be sent, `due` seconds after the first one that is sent from where the replay begins."""

    recorded: Recorded
    due: float
    changed: Changed
    mark: ReplayMark


class Planner:
    """Plans one recorded message after the other, in the order of their source.

    What a message becomes depends on it alone; only `due` counts from the first message that was handed in.
    """

    def __init__(self, selection: Selection, changes: Changes, pace: Pace, limits: Limits = DEFAULT_LIMITS) -> None:
        self._selection = selection
        self._changes = changes
        self._timetable = Timetable(pace)
        self._limits = limits

    def plan(self, message: Recorded) -> Step | LeftOut:
        """Give what is to be sent for a message, or why nothing is."""
        why = self._selection.leaves_out(message)
        if why is not None or message.body is None:
            return why or LeftOut.NO_BODY
        try:
            changed = self._changes.made(message.body, self._limits)
        except NoSuchContext:
            return LeftOut.CONTEXT
        mark = ReplayMark(self._changes.replay, str(message.position))
        return Step(message, self._timetable.due(message.at), changed, mark)
