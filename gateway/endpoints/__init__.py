"""How a system is reached: what is to be sent and where. Pure but for `posting`, which calls HTTP endpoints.

Over AMQP the broker's room sends it.
"""

from gateway.endpoints.amqp import AmqpAddress, Properties, Publication, parse_address
from gateway.endpoints.coverage import NO_ENDPOINTS, Coverage, Covered
from gateway.endpoints.urls import UnusableUrl, Url, is_url, read_url

__all__ = [
    "NO_ENDPOINTS",
    "AmqpAddress",
    "Coverage",
    "Covered",
    "Properties",
    "Publication",
    "UnusableUrl",
    "Url",
    "is_url",
    "parse_address",
    "read_url",
]
