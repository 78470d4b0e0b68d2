"""Whereto a replay goes: what `--target` means, and what must not be replayed into."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli._shared import CommandError, ExitCode

if TYPE_CHECKING:
    from gateway.endpoints import AmqpAddress
    from gateway.player.targets import Target
    from gateway.routing import RouteTable
    from gateway.settings import Settings

IN: Final = "in"
DRY_RUN: Final = "dry-run"
PRODUCTION: Final = "PRODUCTION"
FILE_SUFFIX: Final = ".cimlog"
_FORMS: Final = (
    "Write in (through the gateway), the name of a system or of a route, queue:NAME, topic:NAME, a file ending in "
    ".cimlog, or dry-run."
)


@dataclass(frozen=True, slots=True)
class Aim:
    """Where messages go. `file` is written instead of the broker; `address` must be there before the first is sent."""

    target: "Target"
    told: str
    file: Path | None = None
    address: "AmqpAddress | None" = None


def is_file(text: str) -> bool:
    """Tell whether a target is a file."""
    return text.endswith(FILE_SUFFIX) and not text.startswith(("queue:", "topic:"))


def aim_of(text: str, settings: "Settings", context: str | None, reply_to: str) -> Aim:
    """Read a target. Raises `CommandError` where there is none of that name, or where nobody may replay into it."""
    from gateway.endpoints import parse_address  # noqa: PLC0415 - quick start of the other commands
    from gateway.player.targets import ThroughGateway, ToPlace  # noqa: PLC0415
    from gateway.rulebook import route_table  # noqa: PLC0415

    if "://" in text:
        raise CommandError(
            f"--target {text!r} is no place on the broker of the settings.",
            f"A replay goes to the broker of the settings alone (CIMGATE_AMQP_URL, amqp_url). {_FORMS}",
        )
    queue = reply_to.removeprefix("queue:") if reply_to.startswith("queue:") else ""
    if text in (IN, DRY_RUN):
        return Aim(ThroughGateway(context or settings.context, queue), "the gateway (cim.in)")
    if is_file(text):
        target = ThroughGateway(context or settings.context, queue, as_recorded=context is None)
        return Aim(target, text, file=Path(text))
    table = route_table(settings)
    if text.startswith(("queue:", "topic:")):
        address = parse_address(text)
        if address is None:
            raise CommandError(f"--target {text!r} is no address.", _FORMS)
        if not address.exchange and address.routing_key in _own_queues(settings, table):
            raise CommandError(
                f"{text} is a queue of the gateway's own.", "Replay through the gateway: --target in.", ExitCode.USAGE
            )
        return Aim(ToPlace(address, queue), text, address=address)
    return _system(text, settings, table, queue)


def reply_address(text: str | None) -> str:
    """Read `--reply-to`. Raises `CommandError`."""
    from gateway.endpoints import parse_address  # noqa: PLC0415 - quick start of the other commands

    if text is None:
        return ""
    address = parse_address(text)
    if address is None:
        raise CommandError(f"--reply-to {text!r} is no address.", "Write queue:NAME or topic:NAME.")
    return str(address)


def guard(text: str, settings: "Settings", context: str | None, *, allowed: bool, begun: bool = False) -> None:
    """Refuse to replay into production without a word for it, one that goes on (`begun`) too. Raises `CommandError`."""
    if allowed or is_file(text) or text == DRY_RUN:
        return
    advice = (
        "Replay with --context TESTING to a gateway that serves that, or into a file. --yes-production does it all the "
        "same: real systems will act on old messages."
    )
    if begun:
        advice = "It was begun without --yes-production. Go on with the settings of then, or begin another."
    if _is_production(context or settings.context):
        raise CommandError(f"This would replay into {PRODUCTION}.", advice)
    if any(map(_is_production, text.replace(":", ".").split("."))):
        raise CommandError(f"{text} is a place of {PRODUCTION} by its name.", advice)
    if _is_production(settings.context) and text != IN:
        raise CommandError(f"{text} is a place of a gateway that serves {PRODUCTION}.", advice)


def _is_production(word: str) -> bool:
    return word.strip().upper() == PRODUCTION


def _own_queues(settings: "Settings", table: "RouteTable") -> tuple[str, ...]:
    from gateway.wiring import topology  # noqa: PLC0415 - quick start of the other commands

    return topology(settings, table).own_queues


def _system(text: str, settings: "Settings", table: "RouteTable", reply_to: str) -> Aim:
    from gateway.adapters import Adapter  # noqa: PLC0415 - quick start of the other commands
    from gateway.player.targets import ToSystem  # noqa: PLC0415
    from gateway.rulebook import dialects, schema_set  # noqa: PLC0415
    from gateway.wiring import addresses  # noqa: PLC0415

    named = text.partition(":")[2] if text.startswith(("system:", "route:")) else text
    system = None if text.startswith("route:") else table.systems.get(named)
    routes = [] if text.startswith("system:") else [one for one in table.routes if one.name == named]
    if system is None and len(routes) != 1:
        if routes:
            raise CommandError(
                f"Several routes are named {named!r}: of {', '.join(one.system.name for one in routes)}.",
                "Name the system, or give the route a name of its own.",
            )
        known = ", ".join(table.systems)
        raise CommandError(f"No system and no route is named {named!r}.", f"{_FORMS} Systems: {known}.")
    route = None if system is not None else routes[0]
    system = system or routes[0].system
    address = addresses(table).get(system.name)
    if address is None:
        raise CommandError(f"System {system.name} is not on the broker: its address is {system.address}.")
    spoken = dialects(settings, schema_set(settings))
    adapter = Adapter(system.name, address, spoken.speech_of(system.dialect or system.name))
    told = f"{system.name} ({address})" + (f", by route {route.name!r}" if route is not None else "")
    return Aim(ToSystem(adapter, table, route, reply_to), told, address=address)
