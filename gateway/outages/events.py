"""The power events of a message, read from what it carries: EndDeviceEvents, or events inside MeterReadings."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lxml import etree

from gateway.codes import CodeKind
from gateway.message import Message, Verb
from gateway.message.instants import instant, microseconds
from gateway.message.payloads import whole_payload
from gateway.message.places import local_name
from gateway.outages.codes import Meaning, OutageCodes, Scope, code_named


@dataclass(frozen=True, slots=True)
class DeviceName:
    """A name of a device, of what type, given by whom."""

    name: str
    name_type: str = ""
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """What lost power. Its key is the mRID, else its first name, else that of its usage point [inferred].

    A partner that speaks of a device now by its mRID, now by its name alone, speaks of two.
    """

    mrid: str = ""
    names: tuple[DeviceName, ...] = ()
    point_mrid: str = ""
    point_names: tuple[DeviceName, ...] = ()

    @property
    def key(self) -> str:
        """What the state of the device is kept under; empty where nothing names it."""
        for prefix, mrid, names in (("", self.mrid, self.names), ("point ", self.point_mrid, self.point_names)):
            if mrid:
                return _short(prefix + mrid)
            if names:
                return _short(f"{prefix}name {names[0].name}")
        return ""

    @property
    def shown(self) -> str:
        """The device as people call it: a name before an mRID."""
        if self.names or self.mrid:
            return self.names[0].name if self.names else self.mrid
        return f"at {self.point_names[0].name if self.point_names else self.point_mrid}"


@dataclass(frozen=True, slots=True)
class PowerEvent:
    """Power lost or back at a device, as an event tells it.

    `created` is createdDateTime in microseconds since 1970; None where it is missing, says no offset or is no time,
    and `created_text` what stands there. `id` is the event's own mRID.
    """

    device: Device
    code: str
    meaning: Meaning
    scope: Scope
    created: int | None
    created_text: str = ""
    id: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True)
class NoDevice:
    """A power event that names no device and no usage point: it can be counted, and nothing else."""

    code: str
    id: str = ""


def _short(key: str) -> str:
    """Give a key that every database can look up, however long a stranger's names are."""
    if len(key) <= _LONGEST_KEY:
        return key
    return f"{key[:_LONGEST_KEY]} {sha256(key.encode()).hexdigest()}"


_TELLING: Final = frozenset({Verb.CREATED.value, Verb.CHANGED.value})
_LONGEST_KEY: Final = 300
_TYPE: Final = f"{{*}}{CodeKind.EVENT.element}"


def power_events(message: Message, codes: OutageCodes) -> Iterator[PowerEvent | NoDevice]:
    """Give the power events of a message in the order they stand there; other events are passed over.

    A message that takes events back (canceled, closed, deleted) tells of no power lost or restored [inferred].
    """
    payload = whole_payload(message) if message.header.verb in _TELLING else None
    if payload is None:
        return
    definitions: dict[str, str] | None = None
    for kind in payload.iter(_TYPE):
        event = kind.getparent()
        ref = kind.get("ref")
        if event is None or ref is None:
            continue
        code = code_named(ref)
        if not CodeKind.EVENT.well_formed(code):
            if definitions is None:
                definitions = _definitions(payload)
            code = definitions.get(code, code)
        meant = codes.find(code)
        if meant is None:
            continue
        parts = {local_name(child): child for child in reversed(event)}
        device = _device(event, parts)
        if not device.key:
            yield NoDevice(code, _text(parts.get("mRID")))
            continue
        text = _text(parts.get("createdDateTime"))
        at = instant(text) if text else None
        yield PowerEvent(
            device,
            code,
            meant.meaning,
            meant.scope,
            None if at is None else microseconds(at),
            text,
            _text(parts.get("mRID")),
            _text(parts.get("severity")),
        )


def _definitions(payload: etree._Element) -> dict[str, str]:
    """Give the codes by the ids and names of the event types that the payload itself defines."""
    found: dict[str, str] = {}
    for kind in payload.iter(_TYPE):
        words = [_text(child) for child in kind if local_name(child) == "mRID"]
        words += [(name.findtext("{*}name") or "").strip() for name in kind if local_name(name) == "Names"]
        code = next((code for word in words if CodeKind.EVENT.well_formed(code := code_named(word))), None)
        if code is not None:
            found |= dict.fromkeys(words, code)
    return found


def _device(event: etree._Element, parts: dict[str, etree._Element]) -> Device:
    asset, point = parts.get("Assets"), parts.get("UsagePoint")
    if asset is None and point is None:  # an event inside a MeterReading is one of the meter beside it
        reading = event.getparent()
        if reading is not None and local_name(reading) == "MeterReading":
            asset, point = reading.find("{*}Meter"), reading.find("{*}UsagePoint")
    return Device(*_identity(asset), *_identity(point))


def _identity(element: etree._Element | None) -> tuple[str, tuple[DeviceName, ...]]:
    if element is None:
        return "", ()
    mrid, names = "", []
    for child in element:
        match local_name(child):
            case "mRID":
                mrid = mrid or _text(child)
            case "Names":
                if name := (child.findtext("{*}name") or "").strip():
                    kind = (child.findtext("{*}NameType/{*}name") or "").strip()
                    authority = (child.findtext("{*}NameType/{*}NameTypeAuthority/{*}name") or "").strip()
                    names.append(DeviceName(name, kind, authority))
    return mrid, tuple(names)


def _text(element: etree._Element | None) -> str:
    return "" if element is None else (element.text or "").strip()
