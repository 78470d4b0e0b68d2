"""Recorded traffic in one file, `.cimlog`: written and read as a stream, in bounded memory. Pure: files are handed in.

docs/cimlog.md says how the file is built, so that others can write and read it too.
"""

from gateway.traffic.layout import DEFAULT_LIMITS, Damaged, NotTraffic, OverLimits, TrafficLimits
from gateway.traffic.reading import Reader, Survey, survey
from gateway.traffic.record import BadRecord, Direction, Record
from gateway.traffic.writing import Writer, append

__all__ = [
    "DEFAULT_LIMITS",
    "BadRecord",
    "Damaged",
    "Direction",
    "NotTraffic",
    "OverLimits",
    "Reader",
    "Record",
    "Survey",
    "TrafficLimits",
    "Writer",
    "append",
    "survey",
]
