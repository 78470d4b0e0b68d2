"""The broker: topology, sessions, intake and confirmed publishing. The AMQP client lives only here."""

from gateway.broker.delivery import Delivery, Transport
from gateway.broker.publisher import Failure
from gateway.broker.session import Access, BrokerUnreachable, LoginRefused, Outlet, Session, SessionLost, connect
from gateway.broker.topology import Topology, TopologyError, topology_of

__all__ = [
    "Access",
    "BrokerUnreachable",
    "Delivery",
    "Failure",
    "LoginRefused",
    "Outlet",
    "Session",
    "SessionLost",
    "Topology",
    "TopologyError",
    "Transport",
    "connect",
    "topology_of",
]
