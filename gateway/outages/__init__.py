"""Who has no power: events of end devices folded into a state per device. Pure.

`power_events(message, codes)` reads the events, `fold(state, event, received)` gives the new state of the event's
device and what happened (`fold_all` takes many), `describe(happening, zone)` says it in words, and `announce` where
nothing is known of before. The state is kept as `to_json` gives it, a document per device (`event.device.key`).
"""

from gateway.outages.codes import OUTAGE_CODES, BadOutageCode, Meaning, OutageCode, OutageCodes, Scope, Sureness
from gateway.outages.documents import BadState, from_json, to_json
from gateway.outages.events import Device, DeviceName, NoDevice, PowerEvent, power_events
from gateway.outages.state import (
    CHANGES,
    DEFAULT_POLICY,
    DeviceState,
    Fact,
    Happening,
    Policy,
    Power,
    View,
    What,
    fold,
    fold_all,
)
from gateway.outages.wording import announce, describe, fact_words

__all__ = [
    "CHANGES",
    "DEFAULT_POLICY",
    "OUTAGE_CODES",
    "BadOutageCode",
    "BadState",
    "Device",
    "DeviceName",
    "DeviceState",
    "Fact",
    "Happening",
    "Meaning",
    "NoDevice",
    "OutageCode",
    "OutageCodes",
    "Policy",
    "Power",
    "PowerEvent",
    "Scope",
    "Sureness",
    "View",
    "What",
    "announce",
    "describe",
    "fact_words",
    "fold",
    "fold_all",
    "from_json",
    "power_events",
    "to_json",
]
