"""What is for a site to say about the outage view."""

from dataclasses import dataclass

from gateway.adapters.oms.batching import BatchPolicy
from gateway.outages import OutageCodes, Policy


@dataclass(frozen=True, slots=True)
class OutagePlan:
    """Which codes count, how events are judged, how reports are gathered, and the system that is told."""

    codes: OutageCodes
    policy: Policy
    batching: BatchPolicy
    system: str
