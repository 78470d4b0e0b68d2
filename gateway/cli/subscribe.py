"""`cimgate subscribe`: what passes, as it passes."""

import asyncio
import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._shared import CommandError, ExitCode, app, command, counted, load_settings, out, printable
from gateway.cli._stores import outages_missing
from gateway.cli._times import full
from gateway.cli.outages import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.broker.partner import Arrival
    from gateway.outages import DeviceState, Happening, OutageCodes, Policy
    from gateway.settings import Settings

_SECOND: Final = 1_000_000
_DAY: Final = 86_400
_ALL: Final = 10_000_000

subscribe = typer.Typer(no_args_is_help=True, help="Watch events as they pass, without taking any away.")
app.add_typer(subscribe, name="subscribe")


@command(subscribe)
def outages(
    ctx: typer.Context,
    device: Annotated[
        list[str] | None,
        typer.Option("--device", help="Only of this device (mRID or name); may be given several times."),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only of this Header.Source; may be given several times.")
    ] = None,
    changes: Annotated[bool, typer.Option("--changes", help="Only what changes how a device stands.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, metavar="N", help="End after so many; 0: never.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Watch power go and come back: for each event the device, what happened, and how the device stands now.

    It begins with what the outage view of the gateway knows, where its store can be read. Ctrl-C ends it.
    """
    settings = load_settings(ctx)
    if not settings.publish_events:
        raise CommandError("The gateway publishes no events (publish_events = false), so there is nothing to watch.")
    feed = _Feed(settings, frozenset(device or ()), frozenset(source or ()), changes, limit, as_json)
    try:
        asyncio.run(feed.follow())
    except KeyboardInterrupt:
        if not as_json:
            out.print(Text(f"\n{feed.summary}", style="dim"))


class _Feed:
    """Folds what comes as the outage view does, and shows it."""

    def __init__(
        self,
        settings: "Settings",
        devices: frozenset[str],
        sources: frozenset[str],
        changes: bool,
        limit: int,
        as_json: bool,
    ) -> None:
        self._settings = settings
        self._devices = devices
        self._sources = sources
        self._changes = changes
        self._limit = limit
        self._as_json = as_json
        self._states: dict[str, DeviceState] = {}
        self._shown = 0

    @property
    def summary(self) -> str:
        """What was seen, in a line."""
        return f"{counted(self._shown, 'event')} shown."

    async def follow(self) -> None:
        """Show what comes until the limit is reached, or until cancelled."""
        from gateway.broker.outage_queue import outage_bindings  # noqa: PLC0415
        from gateway.broker.partner import NotTaken, Partner  # noqa: PLC0415
        from gateway.wiring import access  # noqa: PLC0415 - quick start of the other commands

        codes, policy = self._settings.outages.outage_codes(), self._settings.outages.policy()
        async with await Partner.open(access(self._settings), "subscribe") as partner:
            try:
                await partner.subscribe(lambda queue: outage_bindings(codes, queue))
            except NotTaken as error:
                raise CommandError(str(error), code=ExitCode.NOT_FINE) from error
            began = await self._begin()
            if not self._as_json:
                out.print(Text(began, style="dim"), soft_wrap=True)
            while True:
                for happening, told in self._happenings(await partner.next(), codes, policy):
                    self._show(happening, *told)
                    self._shown += 1
                    if self._shown == self._limit:
                        return

    async def _begin(self) -> str:
        """Take over how devices stand, and say so. Those that have had power for long are as good as unknown."""
        from gateway.outages import BadState, from_json  # noqa: PLC0415
        from gateway.store import StoreUnavailable, StoreUnusable  # noqa: PLC0415
        from gateway.store.outages.opening import open_outages  # noqa: PLC0415

        if (missing := outages_missing(self._settings)) is not None:
            return f"Nothing is known yet: {missing.text} Waiting for power events; Ctrl-C ends it."
        try:
            store = await open_outages(self._settings.store.get_secret_value())
            try:
                found = await store.listed(["out", "partly"], limit=_ALL)
                since = round((time.time() - _DAY) * _SECOND)
                recent = await store.listed(["on"], told_from=since, limit=_ALL)
            finally:
                await store.close()
            self._states = {one.key: from_json(one.document) for one in (*found, *recent)}
        except (StoreUnavailable, StoreUnusable, BadState) as error:
            return (
                f"Nothing is known yet, because of {printable(str(error))}. Waiting for power events; Ctrl-C ends it."
            )
        number = "No device is" if not found else "1 device is" if len(found) == 1 else f"{len(found):,} devices are"
        return f"{number} without power or a phase now. Waiting for power events; Ctrl-C ends it."

    def _happenings(
        self, arrival: "Arrival", codes: "OutageCodes", policy: "Policy"
    ) -> "Iterator[tuple[Happening, tuple[str, str]]]":
        from gateway.message import Unreadable, read  # noqa: PLC0415
        from gateway.outages import CHANGES, DeviceState, PowerEvent, fold, power_events  # noqa: PLC0415

        try:
            message = read(arrival.body, self._settings.limits())
        except Unreadable:  # the outage view buries it
            return
        received = round(time.time() * _SECOND)
        told = message.header.source or "", message.header.message_id or ""
        for event in power_events(message, codes):
            if not isinstance(event, PowerEvent):
                continue
            key = event.device.key
            state, happening = fold(self._states.get(key, DeviceState()), event, received, policy)
            self._states[key] = state
            names = {event.device.mrid, event.device.point_mrid, event.device.shown}
            names |= {name.name for name in (*event.device.names, *event.device.point_names)}
            wanted = not self._devices or not self._devices.isdisjoint(names)
            wanted = wanted and (not self._sources or told[0] in self._sources)
            if wanted and (happening.what in CHANGES or not self._changes):
                yield happening, told

    def _show(self, happening: "Happening", source: str, message_id: str) -> None:
        from gateway.outages import CHANGES, describe  # noqa: PLC0415

        here = datetime.now().astimezone().tzinfo
        assert here is not None  # noqa: S101 - astimezone() gives one
        words = describe(happening, here)
        if self._as_json:
            typer.echo(json.dumps(_document(happening, source, message_id, words)))
            return
        power = happening.after.power.value
        arrived = datetime.fromtimestamp(happening.received / _SECOND).astimezone()
        style = "" if happening.what in CHANGES else "dim"
        line = Text.assemble(
            (f"{arrived:%H:%M:%S}  ", "dim"),
            (f"{power.upper() if power == 'out' else power:<7}", STYLES.get(power, "")),
            (printable(words), style),
            (f"  {printable(source)}", "dim"),
        )
        out.print(line, soft_wrap=True)


def _document(happening: "Happening", source: str, message_id: str, words: str) -> dict[str, object]:
    event, after = happening.event, happening.after
    return {
        "received": full(happening.received / _SECOND),
        "device": event.device.key,
        "shown": event.device.shown,
        "event": event.code,
        "at": full(happening.at / _SECOND),
        "time_of_arrival": happening.doubtful,
        "what": happening.what,
        "power": after.power,
        "since": None if after.since is None else full(after.since / _SECOND),
        "restored": None if after.restored is None else full(after.restored / _SECOND),
        "lasted": None if happening.lasted is None else happening.lasted / _SECOND,
        "severity": event.severity,
        "source": source,
        "message_id": message_id,
        "text": words,
    }
