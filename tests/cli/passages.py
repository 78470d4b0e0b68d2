"""A night's messages in a journal, as the gateway writes them, for the commands that look at it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.store.journal import Handover, Passage, id_at
from gateway.store.journal.opening import open_journal

METER = "9a5e2f52-6d3a-4a2f-9f39-6a86c3f6f0c1"
OUTAGE = b"""<?xml version="1.0" encoding="UTF-8"?>
<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>created</Verb>\
<Noun>EndDeviceEvents</Noun></Header></EventMessage>
"""
REFUSED = (
    b'<RequestMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header>'
    b"<Verb>create</Verb></Header></RequestMessage>"
)


def outage(at: float, id_: str, **changes: Any) -> Passage:
    """A power outage that HES-NORTH reported, delivered to MDM and OMS."""
    facts: dict[str, Any] = {
        "id": id_at(at), "direction": "in",
        "source": "HES-NORTH", "kind": "EventMessage", "verb": "created", "noun": "EndDeviceEvents", "message_id": id_,
        "context": "PRODUCTION", "events": ("3.26.0.85",), "devices": (METER, "NTH-1"), "verdict": "ok",
        "outcome": "delivered", "routes": ("2 'device events' (mdm.toml:21)", "1 'outages' (oms.toml:15)"),
        "deliveries": (
            Handover("queue:cim.MDM", "MDM", "2 'device events' (mdm.toml:21)", 1, 0.004),
            Handover("queue:cim.OMS", "OMS", "1 'outages' (oms.toml:15)", 3, 2.25),
        ),
        "seconds": 2.26, "routing_key": "PRODUCTION.EVENTS.EndDeviceEvents.created", "size": len(OUTAGE),
        "body": OUTAGE,
    }  # fmt: skip
    return Passage(**facts | changes)


def refused(at: float, id_: str, **changes: Any) -> Passage:
    """A request of CIS in which a control lacks its type."""
    facts: dict[str, Any] = {
        "id": id_at(at), "direction": "in",
        "source": "CIS", "kind": "RequestMessage", "verb": "create", "noun": "EndDeviceControls", "message_id": id_,
        "context": "PRODUCTION", "verdict": "refused", "rule": "cvc-complex-type.2.4", "code": "1.8",
        "outcome": "dead:invalid", "reason": "EndDeviceControl has no element EndDeviceControlTyp.",
        "routing_key": "PRODUCTION.REQUESTS.EndDeviceControls.create", "size": len(REFUSED), "body": REFUSED,
    }  # fmt: skip
    return Passage(**facts | changes)


def done(at: float, act: str, of: Passage, who: str = "anna", note: str = "") -> Passage:
    """What an operator did about a message."""
    return Passage(
        id=id_at(at), direction="in", source=who, kind="operator", verb=of.verb, noun=of.noun,
        message_id=of.message_id, correlation_id=of.correlation_id, outcome=act, reason=note,
        conversation=of.conversation,
    )  # fmt: skip


def conversation(at: float, name: str = "c-1") -> list[Passage]:
    """A get of readings: asked by CIS, put to MS with ids of the gateway's own, answered, the answer handed on."""
    common: dict[str, Any] = {"noun": "MeterReadings", "context": "PRODUCTION", "conversation": name, "verdict": "ok"}
    answer: dict[str, Any] = {"kind": "ResponseMessage", "verb": "reply", "size": 9, "body": b"<answer/>"}
    request: dict[str, Any] = {"kind": "RequestMessage", "verb": "get", "size": 6, "body": b"<get/>"}
    to_asker = Handover("queue:cim.CIS", "CIS", "", 1, 0.001)
    return [
        Passage(
            id=id_at(at), direction="in", source="CIS", message_id=f"{name}-m", correlation_id=f"{name}-c",
            outcome="conversation", **common, **request,
        ),
        Passage(
            id=id_at(at + 0.01), direction="out", source="cimgate", system="MS", message_id=f"{name}-leg",
            correlation_id=f"{name}-leg", outcome="sent", **common, **request,
        ),
        Passage(
            id=id_at(at + 1.2), direction="in", source="MS", message_id=f"{name}-r", correlation_id=f"{name}-leg",
            outcome="conversation", **common, **answer,
        ),
        Passage(
            id=id_at(at + 1.21), direction="out", source="cimgate", system="CIS", message_id=f"{name}-a",
            correlation_id=f"{name}-c", outcome="sent", deliveries=(to_asker,), **common, **answer,
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class Shelf:
    """A journal to be filled."""

    url: str

    def put(self, *passages: Passage | Iterable[Passage]) -> None:
        """Write messages, as a gateway does."""
        every = [one for some in passages for one in ([some] if isinstance(some, Passage) else some)]
        asyncio.run(self.write(every))

    async def write(self, passages: list[Passage]) -> None:
        """The same within a loop."""
        journal = await open_journal(self.url)
        try:
            await journal.write(passages)
        finally:
            await journal.close()
