"""What the outage view reads: a queue at `cim.events`, bound by the headers that power events have."""

from typing import Final

from gateway.broker.topology import Binding, Queue
from gateway.endpoints.amqp import EVENTS_EXCHANGE, HeaderValue
from gateway.outages import OutageCodes

OUTAGES: Final = Queue(
    "cim.outages",
    "power events for the outage view",
    (("x-queue-type", "quorum"), ("x-single-active-consumer", True)),  # one gateway process works at it at a time
)

_NOUNS: Final = ("EndDeviceEvents", "MeterReadings")
"""The nouns that have events in them."""


def outage_bindings(codes: OutageCodes, queue: str) -> tuple[Binding, ...]:
    """Bind a queue to all that may be a power event; what is none in the end the reader passes over.

    An event type that is a name, or one of more than the headers show, is told by `cim-more`.
    """
    domains = sorted(codes.domains)
    headers: list[tuple[str, HeaderValue]] = [(f"cim-domain:{domain}", True) for domain in domains]
    if "*" in domains:  # a site's own code for all domains
        headers = [("cim-noun", noun) for noun in _NOUNS]
    return tuple(Binding(EVENTS_EXCHANGE, queue, headers=(header,)) for header in (*headers, ("cim-more", True)))
