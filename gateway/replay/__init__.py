"""Replay: recorded messages sent once more. Pure: which, when, and what is changed in them; others read and send."""

from gateway.replay.changes import Changed, Changes, Difference
from gateway.replay.mark import HEADER, PROPERTY, ReplayMark, read_mark
from gateway.replay.pacing import AS_RECORDED, MAX, BadPace, Pace, Timetable
from gateway.replay.plan import Planner, Step
from gateway.replay.recorded import OPERATOR, LeftOut, Recorded, Selection
from gateway.replay.spacing import Spacing

__all__ = [
    "AS_RECORDED",
    "HEADER",
    "MAX",
    "OPERATOR",
    "PROPERTY",
    "BadPace",
    "Changed",
    "Changes",
    "Difference",
    "LeftOut",
    "Pace",
    "Planner",
    "Recorded",
    "ReplayMark",
    "Selection",
    "Spacing",
    "Step",
    "Timetable",
    "read_mark",
]
