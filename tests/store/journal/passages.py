"""Messages as tests want them."""

from dataclasses import replace
from typing import Any

from gateway.store.journal import Handover, Passage, id_at

NOW = 1_764_000_000.25
"""A time in the middle of a day and of an hour, UTC."""

FULL = Passage(
    id=id_at(NOW), direction="out", source="HES-NORTH", system="OMS", kind="event", verb="created",
    noun="EndDeviceEvents", message_id="d7aa95bf-17df-4d49-82ff-9465022aedaa", correlation_id="ORDER 17",
    context="PRODUCTION", events=("3.26.0.85", "3.26.0.216"), devices=("cb4eefd4-d5ca-47fb-b6c6-23153832e716", "NTH-1"),
    verdict="valid", rule="oms.toml:4", code="0.0", outcome="delivered", reason="", routes=("oms.toml:4",),
    deliveries=(Handover("queue:OMS.IN", "OMS", "oms.toml:4", 2, 0.000125), Handover("topic:X")), redelivered=1,
    seconds=0.002, conversation="c-1", routing_key="PRODUCTION.EVENTS.EndDeviceEvents.created", size=7, keep="long",
    body=b"<a>\n\0",
)  # fmt: skip


def passage(at: float = 0, **changes: Any) -> Passage:
    """A get of MeterReadings by CIS that came `at` seconds after NOW."""
    plain = Passage(
        id=id_at(NOW + at),
        direction="in",
        source="CIS",
        kind="request",
        verb="get",
        noun="MeterReadings",
        message_id=f"message-at-{at}",
        context="PRODUCTION",
        outcome="delivered",
        size=2,
        body=b"<>",
    )
    return replace(plain, **changes)


def bare(*passages: Passage) -> list[Passage]:
    """The same without bodies, as searches give them."""
    return [replace(one, body=None) for one in passages]
