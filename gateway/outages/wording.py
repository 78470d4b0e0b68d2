"""What happened to a device's power, in words for people."""

from datetime import tzinfo
from typing import Final

from gateway.durations import lasted
from gateway.message.instants import from_microseconds
from gateway.outages.codes import Meaning, Scope, device_words
from gateway.outages.state import Fact, Happening, Power, What

_SECOND: Final = 1_000_000
_MINUTE: Final = 60
_LOST: Final = {Scope.SUPPLY: "lost power", Scope.VOLTAGE: "lost voltage", Scope.PHASE: "lost a phase"}
_RESTORED: Final = {Scope.SUPPLY: "restored", Scope.VOLTAGE: "voltage restored", Scope.PHASE: "phase restored"}
_DOUBTFUL: Final = " (time of arrival: its own is missing or wrong)"


def announce(happening: Happening, zone: tzinfo) -> str:
    """Say what the event tells by itself: `electric meter M-1 lost power on 2026-03-17 at 14:03:10 UTC`.

    For those who do not know how the device stood before; the time has its date and zone.
    """
    event = happening.event
    if event.meaning is Meaning.MOMENTARY:
        what = "had a momentary outage"
    else:
        what = (_RESTORED if event.meaning is Meaning.RESTORED else _LOST)[event.scope]
    moment = from_microseconds(happening.at).astimezone(zone)
    said = f"{device_words(event.code)} {event.device.shown} {what} on {moment:%Y-%m-%d at %H:%M:%S %Z}"
    return said + (_DOUBTFUL if happening.doubtful else "")


def describe(happening: Happening, zone: tzinfo) -> str:
    """Say what happened in one line: `electric meter M-1 lost power at 14:03`.

    Times are those of the zone; the date stands with them where it is not that of the arrival.
    """
    event = happening.event
    return f"{device_words(event.code)} {event.device.shown} {_said(happening, zone)}" + (
        _DOUBTFUL if happening.doubtful else ""
    )


def fact_words(fact: Fact) -> str:
    """Say what one thing that is kept of a device tells: `lost power`, `phase restored`."""
    return (_RESTORED if fact.back else _LOST)[fact.scope]


def _said(happening: Happening, zone: tzinfo) -> str:
    after = happening.after
    at = _clock(happening.at, happening, zone)
    since = "" if after.since is None else f"since {_clock(after.since, happening, zone)}"
    still = f"without {'power' if after.power is Power.OUT else 'a phase'} {since}"
    back = "" if after.restored is None else f"power is back since {_clock(after.restored, happening, zone)}"
    if happening.event.meaning is Meaning.MOMENTARY:
        return f"had a momentary outage at {at}"
    if happening.event.meaning is Meaning.RESTORED:
        return _on_return(happening, f"{_RESTORED[happening.event.scope]} at {at}", still, back)
    return _on_loss(happening, f"{_LOST[happening.event.scope]} at {at}", still, back)


def _on_loss(happening: Happening, lost: str, still: str, back: str) -> str:
    match happening.what:
        case What.FURTHER:
            return f"{lost} once more, {still}"
        case What.BEGAN:
            return f"{lost}, told late: it is {still}"
        case What.LATE:
            return f"{lost}{_spent(' for ', happening)}, told late: {back}"
        case What.REPEATED:
            return f"{lost}, told again"
        case _:
            return lost


def _on_return(happening: Happening, restored: str, still: str, back: str) -> str:
    after = _spent(" after ", happening)
    match happening.what:
        case What.PARTLY_RESTORED:
            return f"{restored}{after}, but is {still}"
        case What.MOMENTARY:
            return f"{restored}{after} (momentary)"
        case What.STILL_OUT:
            return f"{restored}, but is {still}"
        case What.BEGAN:
            return f"{restored}, told late: it is {still}"
        case What.ALREADY_ON:
            return f"{restored}, which was known: {back}"
        case What.REPEATED:
            return f"{restored}, told again"
        case _:
            return restored + (after or " (no outage was known)")


def _spent(word: str, happening: Happening) -> str:
    return "" if happening.lasted is None else f"{word}{_length(happening.lasted)}"


def _length(duration: int) -> str:
    seconds = round(duration / _SECOND)  # most devices know the time to the second alone
    return f"{seconds} s" if seconds < _MINUTE else lasted(seconds)


def _clock(moment: int, happening: Happening, zone: tzinfo) -> str:
    then, arrived = (from_microseconds(count).astimezone(zone) for count in (moment, happening.received))
    return f"{then:%H:%M}" if then.date() == arrived.date() else f"{then:%Y-%m-%d %H:%M}"
