"""Times and durations as people write and read them."""

import re
from datetime import datetime, timedelta
from typing import Final

from gateway.cli._shared import CommandError
from gateway.durations import lasted

_WRITTEN: Final = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|m|min|h|d)", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
_OF_A_DAY: Final = re.compile(r"(?:(today|yesterday)\b ?)?(\d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)
_AGO: Final = " ago"
_FORMS: Final = "30, 30s, 2m, 1h, 3d or PT30S"


def seconds(text: str, option: str) -> float:
    """Read a duration: `30`, `30s`, `2m`, `1h`, `3d`, `PT30S`. Raises `CommandError` that names the option."""
    from gateway.conversations import seconds_of  # noqa: PLC0415 - quick start of the other commands

    found = _WRITTEN.fullmatch(text.strip())
    read = float(found[1]) * _UNITS[found[2]] if found else seconds_of(text)
    if read is None:
        raise CommandError(f"{option} {text!r} is no duration.", f"Write {_FORMS}.")
    return read


def moment(text: str, option: str, now: float) -> float:
    """Read a point in time: `2026-03-17`, also with a time, `14:00` (today), `yesterday 14:00`, `now`, `10m ago`.

    A duration alone is so long ago; what has no offset is local time. Gives seconds since the epoch; raises
    `CommandError` that names the option.
    """
    text = text.strip()
    if text == "now":
        return now
    today = datetime.fromtimestamp(now).astimezone().date()
    try:
        if text and (found := _OF_A_DAY.fullmatch(text)):
            day = today - timedelta(days=1) if found[1] == "yesterday" else today
            hour, _, rest = (found[2] or "00:00").partition(":")
            text = f"{day.isoformat()}T{hour:0>2}:{rest}"
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    try:
        return now - seconds(text.removesuffix(_AGO), option)
    except CommandError:
        raise CommandError(
            f"{option} {text!r} is no time.",
            f"Write 2026-03-17, 2026-03-17T10:30, 10:30 (today), 'yesterday 22:00', or how long ago: {_FORMS}.",
        ) from None


def roughly(duration: float) -> str:
    """Write a duration in a few characters, for a list: `12 ms`, `1.2 s`, `42 s`, `3 min`, `2 h`, `3 d`."""
    if duration < 60:  # noqa: PLR2004
        return lasted(duration) if duration < 1 else f"{duration:.1f} s"
    return " ".join(lasted(duration).split()[:2])


def local(at: float) -> datetime:
    """Give a point in time on the clock of this machine, with its offset."""
    return datetime.fromtimestamp(at).astimezone()


def clock(at: float, now: float) -> str:
    """Write a point in time shortly: the time of today, else month, day and time."""
    then = local(at)
    return f"{then:%H:%M:%S}" if then.date() == local(now).date() else f"{then:%m-%d %H:%M}"


def full(at: float) -> str:
    """Write a point in time with its date, milliseconds and offset."""
    return local(at).isoformat(" ", "milliseconds")
