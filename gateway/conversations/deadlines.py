"""How long a request may take (messaging A3 and C5: no standard name for it exists, so the names are [inferred])."""

import re
from collections.abc import Iterator
from typing import Final

from gateway.message import Message
from gateway.message.parts import request_of

NAMES: Final = ("timeout", "maximumexecutiontime")
"""The names of an Option or Property that holds a time limit, whatever their case."""

LONGEST: Final = 366 * 86_400.0
"""No request is waited for longer than this many seconds, whatever it asks for."""

_DURATION: Final = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?", re.ASCII
)
_SECONDS: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_UNITS: Final = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0}


def deadline_of(request: Message, *, now: float, default: float, route: float | None = None) -> float:
    """Give the time by which a request must be answered: its own Option, its Property, the route's, the default.

    Limits are in seconds. One of the request that cannot be read, or is zero, is passed over.
    """
    asked = next((limit for text in _written(request) if (limit := seconds_of(text))), None)
    limit = asked if asked is not None else route if route is not None else default
    return now + min(limit, LONGEST)


def seconds_of(text: str) -> float | None:
    """Read a time limit: seconds (`30`, `2.5`) or a duration of ISO 8601 up to days (`PT30S`, `P1DT12H`)."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groupdict().values()):
        return None
    return sum(float(found[unit] or 0) * factor for unit, factor in _UNITS.items())


def _written(request: Message) -> Iterator[str]:
    parameters = request_of(request)
    for option in parameters.options if parameters is not None else ():
        if option.name.strip().lower() in NAMES and option.value is not None:
            yield option.value
    for item in request.header.properties:
        if item.name.strip().lower() in NAMES and item.value is not None:
            yield item.value
