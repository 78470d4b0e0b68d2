"""Whereto a replay sends: through the gateway, to a system as its adapter writes to it, or to a place on the broker."""

from dataclasses import dataclass
from typing import Final, Protocol

from gateway.adapters import Adapter, properties_of
from gateway.adapters.adapter import REPEATED
from gateway.broker.partner import intake_key
from gateway.broker.topology import intake_queue
from gateway.endpoints import AmqpAddress, Properties, Publication
from gateway.endpoints.amqp import IN_EXCHANGE, HeaderValue
from gateway.message import Header, MessageKind
from gateway.replay import HEADER, LeftOut, Step
from gateway.routing import RouteTable
from gateway.routing.routes import Route

_BRANCHES: Final = frozenset({"REQUESTS", "EVENTS", "REPLY"})
_SHORTEST_KEY: Final = 3
_OURS: Final = ("cim-", "x-")


class Target(Protocol):
    """Where messages go."""

    def publication(self, step: Step, *, repeated: bool) -> Publication | LeftOut:
        """Give what is to be published for a message, or why nothing is; `repeated` marks what may be a copy."""
        ...


@dataclass(frozen=True, slots=True)
class ThroughGateway:
    """Publishes as the sources did: to `cim.in` under the key that was recorded, for this context.

    With `as_recorded` the key keeps the context that it has.
    """

    context: str
    reply_to: str = ""
    as_recorded: bool = False

    def publication(self, step: Step, *, repeated: bool) -> Publication | LeftOut:
        """Give what is to be published."""
        return Publication(
            self._address(step), step.changed.body, _properties(step, self.reply_to, repeated=repeated), _header(step)
        )

    def _address(self, step: Step) -> AmqpAddress:
        first, *others = step.recorded.routing_key.split(".")
        if len(others) >= _SHORTEST_KEY - 1 and first and others[0] in _BRANCHES:
            return AmqpAddress(IN_EXCHANGE, ".".join((first if self.as_recorded else self.context, *others)))
        if step.recorded.answers:  # it came straight to the queue, as answers do
            return AmqpAddress("", intake_queue(self.context))
        message = step.changed.message
        header, kind = (None, None) if message is None else (message.header, message.kind)
        return AmqpAddress(IN_EXCHANGE, intake_key(self.context, header, kind))


@dataclass(frozen=True, slots=True)
class ToSystem:
    """Publishes to a system as the gateway does; with a route only what that route takes."""

    adapter: Adapter
    table: RouteTable
    route: Route | None = None
    reply_to: str = ""

    def publication(self, step: Step, *, repeated: bool) -> Publication | LeftOut:
        """Give what is to be published."""
        message = step.changed.message
        if message is None:
            return LeftOut.UNREADABLE
        if self.route is not None and self.route not in self.table.match(message):
            return LeftOut.NO_ROUTE
        return self.adapter.publication(
            message,
            reply_to=_reply_to(step, self.reply_to),
            passed_on=_headers(step, repeated=False),
            repeated=repeated,
        )


@dataclass(frozen=True, slots=True)
class ToPlace:
    """Publishes to a queue, or to a topic on `cim.out`."""

    address: AmqpAddress
    reply_to: str = ""

    def publication(self, step: Step, *, repeated: bool) -> Publication | LeftOut:
        """Give what is to be published."""
        return Publication(
            self.address, step.changed.body, _properties(step, self.reply_to, repeated=repeated), _header(step)
        )


def _header(step: Step) -> Header | None:
    return None if step.changed.message is None else step.changed.message.header


def _properties(step: Step, reply_to: str, *, repeated: bool) -> Properties:
    headers = _headers(step, repeated=repeated)
    address = _reply_to(step, reply_to)
    if step.changed.message is not None:
        return properties_of(step.changed.message.header, reply_to=address, headers=headers)
    recorded = step.recorded
    kind = f"{recorded.verb}.{recorded.noun}" if recorded.noun else ""
    return Properties(kind, recorded.source, recorded.correlation_id, address, headers=headers)


def _headers(step: Step, *, repeated: bool) -> dict[str, HeaderValue]:
    headers = {name: value for name, value in step.recorded.headers.items() if not name.startswith(_OURS)}
    headers[HEADER] = str(step.mark)
    if repeated:
        headers[REPEATED] = True
    return headers


def _reply_to(step: Step, wanted: str) -> str:
    message = step.changed.message
    if wanted and message is not None and message.kind is MessageKind.REQUEST:
        return wanted
    return step.recorded.reply_to
