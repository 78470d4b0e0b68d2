"""How tests tell of outages: times of a day, events, messages."""

from collections.abc import Iterable
from datetime import UTC, datetime

from gateway.message import Message, read
from gateway.message.instants import microseconds
from gateway.outages import Device, DeviceName, DeviceState, Happening, OutageCodes, Policy, PowerEvent, fold

M = "http://iec.ch/TC57/2011/schema/message"
FAILED, RESTORED, VOLTAGE_LOST, VOLTAGE_NORMAL = "3.26.0.85", "3.26.0.216", "3.26.38.47", "3.26.38.37"
PHASE_FAILED, PHASE_RESTORED = "3.26.25.85", "3.26.25.216"
CODES = OutageCodes()


def at(clock: str) -> int:
    """Give a time of the day, such as 14:03 or 14:03:10, in microseconds."""
    return microseconds(datetime.fromisoformat(f"2026-03-17T{clock}").replace(tzinfo=UTC))


def told(code: str, clock: str | None, device: str = "M-1", *, text: str = "", mrid: str = "") -> PowerEvent:
    meant = CODES.find(code)
    assert meant is not None
    created = None if clock is None else at(clock)
    return PowerEvent(Device(names=(DeviceName(device),)), code, meant.meaning, meant.scope, created, text, mrid)


def folded(
    events: Iterable[tuple[PowerEvent, str]], policy: Policy | None = None, state: DeviceState | None = None
) -> tuple[DeviceState, list[Happening]]:
    """Fold events of one device, each with the time at which it came."""
    state, happenings = state or DeviceState(), []
    for event, received in events:
        state, happening = fold(state, event, at(received), policy or Policy())
        happenings.append(happening)
    return state, happenings


def message(*events: str, noun: str = "EndDeviceEvents", verb: str = "created") -> Message:
    payload = f'<{noun} xmlns="http://iec.ch/TC57/2011/{noun}#">{"".join(events)}</{noun}>'
    return read(
        f'<EventMessage xmlns="{M}"><Header><Verb>{verb}</Verb><Noun>{noun}</Noun></Header>'
        f"<Payload>{payload}</Payload></EventMessage>".encode()
    )


def event_xml(code: str, created: str, device: str, mrid: str = "") -> str:
    identity = f"<mRID>{mrid}</mRID>" if mrid else ""
    when = f"<createdDateTime>{created}</createdDateTime>" if created else ""
    return f'<EndDeviceEvent>{identity}{when}{device}<EndDeviceEventType ref="{code}"/></EndDeviceEvent>'


def meter(name: str) -> str:
    return f"<Assets><Names><name>{name}</name></Names></Assets>"
