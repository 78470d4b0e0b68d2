"""What the gateway needs on the broker, declared once: exchanges, queues, bindings; applied, shown, exported.

Queue types and alternate exchanges are arguments, because they never change; everything an operator may want to
change later (length limits, delivery limits) is left to policies, so that a redeclaration never fails over it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractQueue
from aio_pika.exceptions import ChannelPreconditionFailed
from pamqp.common import FieldTable

from gateway.endpoints import AmqpAddress
from gateway.endpoints.amqp import EVENTS_EXCHANGE, IN_EXCHANGE, OUT_EXCHANGE, HeaderValue

UNBOUND: Final = "cim.in.unbound"
DEAD: Final = "cim.dead"
QUORUM: Final[FieldTable] = {"x-queue-type": "quorum"}


class TopologyError(RuntimeError):
    """Something of that name exists on the broker with other settings; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange; what no binding takes goes to the alternate exchange, where there is one."""

    name: str
    type: str
    alternate: str = ""
    purpose: str = ""

    @property
    def arguments(self) -> FieldTable:
        """Arguments of the declaration."""
        return {"alternate-exchange": self.alternate} if self.alternate else {}


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, a quorum queue unless its options say otherwise."""

    name: str
    purpose: str = ""
    options: tuple[tuple[str, str | int | bool], ...] = (("x-queue-type", "quorum"),)

    @property
    def arguments(self) -> FieldTable:
        """Arguments of the declaration."""
        return dict(self.options)


@dataclass(frozen=True, slots=True)
class Binding:
    """A queue, or another exchange, takes from an exchange what matches the key and the headers.

    `headers` are for exchanges of type headers: names and values, one of which must be there (all of them where
    `every` is set).
    """

    exchange: str
    target: str
    key: str = ""
    headers: tuple[tuple[str, HeaderValue], ...] = ()
    every: bool = True
    to_exchange: bool = False

    @property
    def arguments(self) -> FieldTable:
        """Arguments of the binding."""
        return {"x-match": "all" if self.every else "any", **dict(self.headers)} if self.headers else {}

    @property
    def shown(self) -> str:
        """What is taken, for people: the key, or the headers."""
        return self.key or ", ".join(f"{name}: {str(value).lower()}" for name, value in self.headers)


@dataclass(frozen=True, slots=True)
class Topology:
    """All of it, for one context."""

    context: str
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    unused: tuple[str, ...] = ()
    """Queues that may be there from other settings, and that nobody empties then."""
    outlets: tuple[str, ...] = ()
    """The queues that the gateway empties too, such as those in which messages wait for endpoints."""

    @property
    def intake(self) -> str:
        """The queue that the gateway consumes."""
        return intake_queue(self.context)

    @property
    def own_queues(self) -> tuple[str, ...]:
        """The queues that only the gateway may fill."""
        return (self.intake, UNBOUND, DEAD, *self.outlets)

    def definitions(self) -> dict[str, Any]:
        """Give the topology in the form that RabbitMQ imports (`rabbitmqctl import_definitions`)."""
        return {
            "vhosts": [{"name": "/"}],
            "exchanges": [
                {
                    "name": exchange.name,
                    "vhost": "/",
                    "type": exchange.type,
                    "durable": True,
                    "auto_delete": False,
                    "internal": False,
                    "arguments": exchange.arguments,
                }
                for exchange in self.exchanges
            ],
            "queues": [
                {"name": queue.name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": queue.arguments}
                for queue in self.queues
            ],
            "bindings": [
                {
                    "source": binding.exchange,
                    "vhost": "/",
                    "destination": binding.target,
                    "destination_type": "exchange" if binding.to_exchange else "queue",
                    "routing_key": binding.key,
                    "arguments": binding.arguments,
                }
                for binding in self.bindings
            ],
            "policies": [
                {
                    # RabbitMQ 4 gives up after 20 deliveries unless told otherwise; the gateway decides that itself.
                    "name": "cim-never-drop",
                    "vhost": "/",
                    "pattern": "^cim\\.",
                    "apply-to": "queues",
                    "priority": 0,
                    "definition": {
                        "delivery-limit": 1_000_000,
                        "overflow": "reject-publish",
                        "max-length-bytes": 10_737_418_240,
                    },
                }
            ],
        }


EVENTS: Final = Exchange(EVENTS_EXCHANGE, "headers", purpose="events of cim.out, to be chosen by their headers")


def intake_queue(context: str) -> str:
    """Name the queue that holds what came in for a context."""
    return f"cim.in.{context}"


def topology_of(
    context: str,
    systems: Iterable[tuple[str, AmqpAddress]],
    outlets: Iterable[tuple[str, str]] = (),
    views: Iterable[tuple[Queue, Sequence[Binding]]] = (),
) -> Topology:
    """Lay out the topology for a context, the queues of its systems (name and address), and those of endpoints.

    `views` are further queues of the gateway's own, each with what binds it.

    Raises `TopologyError` where a system would read a queue of the gateway's own.
    """
    addresses, waiting, seeing = dict(systems), dict(outlets), list(views)
    emptied = (*waiting.values(), *(queue.name for queue, _ in seeing))
    own = {intake_queue(context), UNBOUND, DEAD, *emptied}
    for name, address in addresses.items():
        if address.routing_key in own:
            raise TopologyError(f"System {name} has the address {address}, which is a queue of the gateway's own.")
    return Topology(
        context=context,
        exchanges=(
            Exchange(UNBOUND, "fanout", purpose="alternate exchange of cim.in"),
            Exchange(IN_EXCHANGE, "topic", alternate=UNBOUND, purpose="systems publish here"),
            EVENTS,
            Exchange(OUT_EXCHANGE, "topic", purpose="the gateway publishes here, after validation"),
            Exchange(DEAD, "topic", purpose="what was refused, with its reason"),
        ),
        queues=(
            Queue(intake_queue(context), f"what came in for context {context}"),
            Queue(UNBOUND, "what came in with a routing key that nothing binds"),
            Queue(DEAD, "dead letters"),
            *(Queue(address.routing_key, f"what {name} receives") for name, address in addresses.items()),
            *(Queue(queue, f"what is to be posted to endpoint {name}") for name, queue in waiting.items()),
            *(queue for queue, _ in seeing),
        ),
        outlets=emptied,
        bindings=(
            *(
                Binding(IN_EXCHANGE, intake_queue(context), f"{context}.{branch}.#")
                for branch in ("REQUESTS", "EVENTS", "REPLY")
            ),
            Binding(UNBOUND, UNBOUND, ""),
            Binding(DEAD, DEAD, "#"),
            Binding(OUT_EXCHANGE, EVENTS_EXCHANGE, f"{context}.EVENTS.#", to_exchange=True),
            *(
                Binding(OUT_EXCHANGE, address.routing_key, f"{context}.REPLY.{name}")
                for name, address in addresses.items()
            ),
            *(binding for _, bindings in seeing for binding in bindings),
        ),
    )


async def apply(connection: AbstractConnection, topology: Topology) -> None:
    """Declare everything; what exists with the same settings stays as it is.

    Raises `TopologyError` where something exists with others. Each declaration has a channel to itself, because a
    refused one closes its channel. Queues come first, and an exchange gets its bindings before the next one is made,
    the one that takes before the one that hands on: a message published in between is never without a place.
    """
    for queue in topology.queues:
        await _declared(connection, f"queue {queue.name}", queue)
    channel = await connection.channel()
    for exchange in topology.exchanges:
        await _declared(connection, f"exchange {exchange.name}", exchange)
        for binding in topology.bindings:
            if binding.exchange == exchange.name:
                await _bind(channel, binding)
    await channel.close()


async def _bind(channel: AbstractChannel, binding: Binding) -> None:
    target: AbstractExchange | AbstractQueue
    if binding.to_exchange:
        target = await channel.get_exchange(binding.target, ensure=False)
    else:
        target = await channel.get_queue(binding.target, ensure=False)
    await target.bind(binding.exchange, binding.key, arguments=binding.arguments)


async def _declared(connection: AbstractConnection, what: str, item: Exchange | Queue) -> None:
    channel = await connection.channel()
    try:
        match item:
            case Exchange(name=name, type=kind):
                await channel.declare_exchange(
                    name, aio_pika.ExchangeType(kind), durable=True, arguments=item.arguments
                )
            case Queue(name=name):
                await channel.declare_queue(name, durable=True, arguments=item.arguments)
    except ChannelPreconditionFailed as error:
        raise TopologyError(
            f"The {what} exists on the broker with other settings: {error}. Empty and delete it (or use another "
            "virtual host), then start again; the gateway declares it anew."
        ) from error
    await channel.close()
