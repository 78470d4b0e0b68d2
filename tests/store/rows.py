"""Conversations as tests want them."""

from dataclasses import replace
from typing import Any

from gateway.store import Stored, StoredLeg

NOW = 1_764_000_000.123456


def conversation(name: str, **changes: Any) -> Stored:
    """One open get of MeterReadings by CIS."""
    plain = Stored(
        id=name,
        document='{"v": 1}',
        version=1,
        kind="request",
        state="open",
        final=False,
        source="CIS",
        message_id=f"message-of-{name}",
        echoed_id=f"echoed-{name}",
        verb="get",
        noun="MeterReadings",
        opened=NOW,
        deadline=NOW + 60,
        updated=NOW,
    )
    return replace(plain, **changes)


def leg(name: str, of: str, **changes: Any) -> StoredLeg:
    """One leg to MDM that waits."""
    return replace(StoredLeg(name, of, "MDM", "MeterReadings"), **changes)
