"""`cimgate outages`: who has no power, as the outage view of the gateway has it."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from gateway.cli._shared import CommandError, ExitCode, app, command, counted, out, printable
from gateway.cli._stores import with_outages
from gateway.cli._times import clock, full, roughly

if TYPE_CHECKING:
    from gateway.outages import Fact
    from gateway.store.outages import OutageStore, Standing, StoredDevice

_SECOND: Final = 1_000_000
_SOURCE: Final = 16
_WORDS: Final = {"out": "without power", "partly": "without a phase", "on": "with power"}
STYLES: Final = {"out": "bold red", "partly": "yellow", "on": "green"}

outages = typer.Typer(no_args_is_help=True, help="Who has no power, and since when.")
app.add_typer(outages, name="outages")


@command(outages, "list")
def list_(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Those with power too, of which something was told.")
    ] = False,
    source: Annotated[str, typer.Option("--source", help="Only those told of last by this source.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Show at most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the devices without power, the longest outage first. They are those that the outage view has heard of."""
    powers = ["out", "partly", *(["on"] if everything else [])]

    async def look(store: "OutageStore") -> "tuple[list[StoredDevice], Standing]":
        return await store.listed(powers, source=source, limit=limit + 1), await store.standing()

    found, standing = with_outages(ctx, look)
    if as_json:
        for one in found[:limit]:
            typer.echo(json.dumps(_summary(one)))
        return
    out.print(_counts(standing))
    if found:
        out.print()
        _show(found[:limit], time.time())
    elif source:
        out.print(Text(f"None of them was told of last by {printable(source)}.", style="dim"))
    if len(found) > limit:
        out.print(Text(f"There are more; --limit {limit * 4} shows further ones.", style="dim"))


@command(outages)
def show(
    ctx: typer.Context,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its mRID or name, or that of its usage point.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell how one device stands, and the events that this rests on."""
    found = with_outages(ctx, lambda store: store.find(device.strip()))
    if not found:
        raise CommandError(
            f"Nothing was told of the power of {device!r}.",
            "`cimgate outages list --all` shows the devices that are known; a device is known by its mRID, else by its "
            "first name, else by its usage point.",
            ExitCode.NOT_FINE,
        )
    if len(found) > 1:
        keys = [f"{one.key}  {_WORDS.get(one.power, one.power)}" for one in found]
        raise CommandError("\n".join([f"{device!r} names several devices:", *keys]), "Write one of these keys.")
    [one] = found
    if as_json:
        typer.echo(json.dumps(_summary(one) | {"events": [_event(fact) for fact in _facts(one)]}, indent=2))
        return
    now = time.time()
    out.print(Text.assemble((printable(one.shown), "bold"), "  ", (_sentence(one, now), STYLES.get(one.power, ""))))
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    rows.add_column("time", no_wrap=True)
    rows.add_column("what was told")
    for fact in _facts(one):
        rows.add_row(clock(fact.at / _SECOND, now), _told(fact))
    out.print()
    out.print(rows)
    out.print()
    told = f"Last told of {clock(one.told / _SECOND, now)} by {one.source or 'a message without a Source'}: {one.code}"
    out.print(Text(printable(f"{told}. Known by the key {one.key!r}."), style="dim"))


def _counts(standing: "Standing") -> Text:
    counts = standing.devices
    parts = [f"{counts.get(power, 0):,} {words}" for power, words in _WORDS.items()]
    text = Text(", ".join(parts))
    if standing.reports or standing.batches:
        waiting = (
            f"; {counted(standing.reports, 'report')} to be told yet, {counted(standing.batches, 'message')} on the way"
        )
        text.append(waiting, style="yellow")
    return text


def _show(found: "list[StoredDevice]", now: float) -> None:
    cells = [(_WORDS.get(one.power, one.power), *_times(one, now), printable(one.source)) for one in found]
    names = ("stands", "since", "for", "source")
    widths = [max(len(name), *map(len, column)) for name, column in zip(names, zip(*cells, strict=True), strict=True)]
    widths[-1] = min(widths[-1], _SOURCE)
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    left = out.width - sum(widths) - 2 * len(widths)  # a long name of a device gives way to all else
    rows.add_column("device", no_wrap=True, overflow="ellipsis", max_width=max(left, _SOURCE))
    for name, width in zip(names, widths, strict=True):
        rows.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
    for one, (stands, *others) in zip(found, cells, strict=True):
        rows.add_row(printable(one.shown), Text(stands, style=STYLES.get(one.power, "")), *others)
    out.print(rows)


def _times(one: "StoredDevice", now: float) -> tuple[str, str]:
    """Give since when a device stands as it does, and for how long that is."""
    since = one.restored if one.since is None else one.since
    if since is None:
        return "", ""
    return clock(since / _SECOND, now), roughly(max(0.0, now - since / _SECOND))


def _sentence(one: "StoredDevice", now: float) -> str:
    words = _WORDS.get(one.power, one.power)
    since, long = _times(one, now)
    return f"{words} since {since}, for {long}" if since else words


def _summary(one: "StoredDevice") -> dict[str, object]:
    return {
        "device": one.key, "shown": one.shown, "power": one.power, "since": _iso(one.since),
        "restored": _iso(one.restored), "source": one.source, "event": one.code, "told": _iso(one.told),
    }  # fmt: skip


def _facts(one: "StoredDevice") -> "tuple[Fact, ...]":
    from gateway.outages import BadState, from_json  # noqa: PLC0415 - quick start of the other commands

    try:
        return from_json(one.document).facts
    except BadState as error:
        raise CommandError(
            f"The state of {one.key} cannot be read: {error}", "Use the release of cimgate that the gateway runs."
        ) from error


def _event(fact: "Fact") -> dict[str, object]:
    from gateway.outages import fact_words  # noqa: PLC0415 - quick start of the other commands

    return {"at": _iso(fact.at), "what": fact_words(fact), "said": fact.said or None}


def _told(fact: "Fact") -> str:
    from gateway.outages import fact_words  # noqa: PLC0415 - quick start of the other commands

    doubt = f" (time of arrival: the event said {fact.said})" if fact.said else ""
    return printable(fact_words(fact) + doubt)


def _iso(at: int | None) -> str | None:
    return None if at is None else full(at / _SECOND)
