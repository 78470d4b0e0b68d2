"""What a message is about: the devices and usage points it names, and the types of its events and controls."""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.codes.patterns import CodeKind
from gateway.message.envelope import Message
from gateway.message.payloads import whole_payload
from gateway.message.places import local_name

_DEVICES: Final = frozenset({"Asset", "Assets", "ComModule", "EndDevice", "EndDevices", "Meter"})
_POINTS: Final = frozenset({"UsagePoint", "UsagePoints"})
_TYPES: Final = {kind.element: kind for kind in (CodeKind.EVENT, CodeKind.CONTROL)}
_SEVERITY: Final = "severity"
_LOOKED_FOR: Final = tuple(f"{{*}}{name}" for name in (*_DEVICES, *_POINTS, *_TYPES, _SEVERITY))
MOST_NAMES: Final = 10_000
"""So many names of a message are kept, so that one with a million does not fill the memory."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Devices and usage points are counted by mRID, else by first name. `names` are all mRIDs and names of both.

    `codes` are types of events and controls as they stand in `ref`, with their kind; `severities` those that are said.
    """

    devices: int = 0
    points: int = 0
    names: tuple[str, ...] = ()
    codes: frozenset[tuple[CodeKind, str]] = frozenset()
    severities: frozenset[str] = frozenset()


NOTHING: Final = Subjects()


def subjects_of(message: Message) -> Subjects:
    """Read what a message is about, from its payload and the parameters of its request."""
    payload = whole_payload(message)
    devices: set[str] = set()
    points: set[str] = set()
    names: dict[str, None] = {}
    codes: set[tuple[CodeKind, str]] = set()
    severities: set[str] = set()
    # iter() with names compares them in C: what is none of these costs next to nothing.
    for part in (payload, message.request):
        for element in part.iter(*_LOOKED_FOR) if part is not None else ():
            name = local_name(element)
            if name in _TYPES:
                codes.add((_TYPES[name], (element.get("ref") or "").strip()))
            elif name == _SEVERITY:
                severities.add((element.text or "").strip())
            elif (identity := _identity(element))[0]:
                (devices if name in _DEVICES else points).add(identity[0])
                if len(names) < MOST_NAMES:
                    names.update(dict.fromkeys(identity[1]))
    severities.discard("")
    return Subjects(len(devices), len(points), tuple(names), frozenset(codes), frozenset(severities))


def _identity(element: etree._Element) -> tuple[str, list[str]]:
    """Give by what an object is counted, and its mRID and names; nothing for what merely refers to one."""
    mrid, names = "", []
    for child in element:
        kind = local_name(child)
        if kind == "mRID":
            mrid = (child.text or "").strip()
        elif kind == "Names" and (name := (child.findtext("{*}name") or "").strip()):
            names.append(name)
    if mrid:
        return mrid, [mrid, *names]
    return f"name {names[0]}" if names else "", names
