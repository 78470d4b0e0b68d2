"""Parts of a gateway, made from settings and routing tables; what a running gateway and commands both need."""

from datetime import UTC, datetime

from gateway.adapters import Adapter, Subscribers
from gateway.broker import Access, Topology, topology_of
from gateway.broker.topology import intake_queue
from gateway.endpoints import AmqpAddress, parse_address
from gateway.endpoints.http import HttpEndpoint
from gateway.outage_wiring import view_queues, without_unused
from gateway.pipeline import Examiner, Rules
from gateway.pipeline.dispatch import Dispatch
from gateway.pipeline.refusal import ReplyPlaces, Sender
from gateway.routing import RouteTable
from gateway.rulebook import dialects, schema_set, serving_checker, unnamed
from gateway.settings import Settings


def access(settings: Settings) -> Access:
    """Give how the broker is reached."""
    return Access(settings.broker_url(), settings.name, settings.heartbeat)


def addresses(table: RouteTable) -> dict[str, AmqpAddress]:
    """Give the address of each system; routing has checked their form."""
    found = {name: parse_address(system.address) for name, system in table.systems.items()}
    return {name: address for name, address in found.items() if address is not None}


def topology(settings: Settings, table: RouteTable) -> Topology:
    """Lay out the topology for the context and the systems of the routing tables."""
    queues, views = settings.coverage().queues, view_queues(settings)
    return without_unused(settings, topology_of(settings.context, addresses(table).items(), queues, views))


def http_endpoints(settings: Settings) -> list[HttpEndpoint]:
    """Give the endpoints of the settings as they are called."""
    return [
        HttpEndpoint(
            table.name, table.url, table.timeout, table.in_flight, table.give_up_after,
            table.header_value if table.has_authorization else None, table.ca_file,
            table.secrets if table.signs else None,
        )
        for table in settings.endpoints
    ]  # fmt: skip


def reply_places(settings: Settings, wanted: Topology) -> ReplyPlaces:
    """Give where answers may go."""
    return ReplyPlaces(frozenset(wanted.own_queues), settings.coverage())


def make_rules(settings: Settings, table: RouteTable) -> Rules:
    """Make what decides about messages. Raises `SchemaError` or `SettingsError`."""
    spoken = dialects(settings, schema_set(settings))
    examiner = Examiner(lambda: serving_checker(settings), spoken, settings.limits(), settings.off_loop_bytes)
    adapters = {
        name: Adapter(name, address, spoken.speech_of(table.systems[name].dialect or name))
        for name, address in addresses(table).items()
    }
    dispatch = Dispatch(
        adapters=adapters,
        systems={source: adapters[name].address for name, system in table.systems.items()
                 for source in (name, *system.sources)},
        sender=Sender(settings.name, settings.context),
        intake=intake_queue(settings.context),
        places=reply_places(settings, topology(settings, table)),
        limits=settings.limits(),
        now=iso_now,
    )  # fmt: skip
    subscribers = Subscribers(settings.context, all_events=settings.publish_events)
    return Rules(examiner, table, adapters, spoken, dispatch, subscribers, unnamed(settings, table))


def iso_now() -> str:
    """Give the time for a header."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
