"""An event as a JSON document: what its header says, what it is about, and for power events what that means.

Readers of the feed get it, and it stands in the files of subscriptions.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

from gateway.codes import CodeKind, ControlType, EventType
from gateway.message import Limits, Message, Unreadable, read
from gateway.message.instants import from_microseconds
from gateway.message.subjects import Subjects, subjects_of
from gateway.outages import DeviceState, NoDevice, OutageCodes, PowerEvent, announce, fold, power_events

MOST: Final = 1_000
"""So many devices, codes and power events are told one by one; `left_out` says how many there are beyond."""

_SECOND: Final = 1_000_000
_FIELDS: Final = ("verb", "noun", "source", "message_id", "correlation_id", "context", "timestamp")


@dataclass(frozen=True, slots=True)
class Said:
    """What the broker says of an event that came from it; `published` in seconds since 1970."""

    verb: str
    noun: str
    source: str
    published: float
    repeated: bool = False


def event_document(body: bytes, said: Said, codes: OutageCodes, limits: Limits) -> dict[str, Any]:
    """Tell of an event; `codes` are those that tell of power. What cannot be read is told by what the broker says."""
    data: dict[str, Any] = {}
    at = round(said.published * _SECOND)
    try:
        event = read(body, limits)
    except Unreadable as error:
        data |= {"verb": said.verb, "noun": said.noun, "source": said.source, "unreadable": error.finding.text}
    else:
        data |= {name: value for name in _FIELDS if (value := getattr(event.header, name))}
        subjects = subjects_of(event)
        data |= {"devices": _devices(subjects), "codes": _codes(subjects)}
        data |= _power(event, codes, at)
    data["published"] = _iso(at)
    if said.repeated:
        data["repeated"] = True
    return data


def body_members(body: bytes) -> dict[str, str]:
    """Give the message itself: as text, or in base64 where it is not in UTF-8."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:  # in another encoding, which the XML declares: as it is, or not at all
        return {"body_base64": b64encode(body).decode()}


def _devices(subjects: Subjects) -> dict[str, Any]:
    names = subjects.names
    told: dict[str, Any] = {"count": subjects.devices, "usage_points": subjects.points, "names": list(names[:MOST])}
    return told | _rest(len(names))


def _codes(subjects: Subjects) -> list[dict[str, Any]]:
    found = sorted(subjects.codes, key=lambda one: (one[0].name, one[1]))
    return [_code(kind, code) for kind, code in found[:MOST]]


def _code(kind: CodeKind, code: str) -> dict[str, Any]:
    told: dict[str, Any] = {"code": code, "kind": kind.name.lower()}
    if kind.well_formed(code):
        known = EventType.parse(code) if kind is CodeKind.EVENT else ControlType.parse(code)
        told |= {"name": known.name, "meaning": known.meaning, "listed": known.is_listed}
    return told


def _power(event: Message, codes: OutageCodes, received: int) -> dict[str, Any]:
    found = list(power_events(event, codes))
    if not found:
        return {}
    named = [one for one in found if isinstance(one, PowerEvent)]
    told: dict[str, Any] = {"power": list(_told(named[:MOST], codes, received))} | _rest(len(named), "power_left_out")
    nameless = sum(isinstance(one, NoDevice) for one in found)
    return told | ({"power_without_device": nameless} if nameless else {})


def _told(events: list[PowerEvent], codes: OutageCodes, received: int) -> Iterator[dict[str, Any]]:
    for event in events:
        happening = fold(DeviceState(), event, received)[1]
        meant = codes.find(event.code)
        told: dict[str, Any] = {
            "device": event.device.shown,
            "key": event.device.key,
            "code": event.code,
            "meaning": event.meaning.value,
            "of": event.scope.value,
            "at": _iso(happening.at),
            "sureness": meant.sureness.value if meant else "",
            "text": announce(happening, UTC),
        }
        if happening.doubtful:
            told["at_is_arrival"] = True
        if event.severity:
            told["severity"] = event.severity
        if event.id:
            told["event_id"] = event.id
        yield told


def _rest(count: int, name: str = "left_out") -> dict[str, int]:
    return {name: count - MOST} if count > MOST else {}


def _iso(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat().replace("+00:00", "Z")
