"""How a system is reached. Pure: an endpoint says what is to be sent and where; the broker's room sends it."""

from gateway.endpoints.amqp import AmqpAddress, Properties, Publication, parse_address

__all__ = ["AmqpAddress", "Properties", "Publication", "parse_address"]
