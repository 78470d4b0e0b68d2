"""`cimgate subscriptions`: who gets which events, and how many wait for them."""

import asyncio
import json
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gateway.cli._shared import CommandError, ExitCode, app, command, complain, counted, load_settings, out
from gateway.cli._times import seconds

if TYPE_CHECKING:
    from gateway.cli._subscription_actions import Heard
    from gateway.settings import Settings
    from gateway.subscriptions import Delivery

subscriptions = typer.Typer(
    no_args_is_help=True, help="Who gets which events: to a queue, a webhook, a file or a feed."
)
app.add_typer(subscriptions, name="subscriptions")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, - and _.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@command(subscriptions, "list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the subscriptions: what each takes, and where that goes."""
    from gateway.cli._subscription_actions import listed  # noqa: PLC0415 - heavy
    from gateway.cli._subscription_views import json_line, show_list  # noqa: PLC0415 - heavy

    found = asyncio.run(listed(load_settings(ctx)))
    if as_json:
        for one in found:
            typer.echo(json_line(one))
    elif not found:
        out.print("There are no subscriptions. `cimgate subscriptions create NAME` makes one.", soft_wrap=True)
    else:
        show_list(found, time.time())


@command(subscriptions)
def create(  # noqa: PLR0917 - an option each
    ctx: typer.Context,
    name: Name,
    nouns: Annotated[list[str] | None, typer.Option("--noun", help="Only this noun: EndDeviceEvents.")] = None,
    verbs: Annotated[list[str] | None, typer.Option("--verb", help="Only this verb: created, changed, ...")] = None,
    sources: Annotated[list[str] | None, typer.Option("--source", help="Only of this Header.Source.")] = None,
    events: Annotated[
        list[str] | None,
        typer.Option("--event", help="Only with this event type: 3.26.0.85, *.26.0.85, *.26.*.*, Power.Failed."),
    ] = None,
    devices: Annotated[
        list[str] | None, typer.Option("--device", help="Only about this device or usage point: its mRID or a name.")
    ] = None,
    severities: Annotated[list[str] | None, typer.Option("--severity", help="Only with this severity.")] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help="Post them to this URL, which an endpoint covers.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", metavar="PATH", help="Let the gateway write them: .cimlog, else a JSON document a line."
        ),
    ] = None,
    daily: Annotated[bool, typer.Option("--daily", help="With --file: a new file every day (UTC).")] = False,
    max_size: Annotated[
        str | None, typer.Option("--max-size", metavar="SIZE", help="With --file: a new file after 100MB, 2GiB, ...")
    ] = None,
    feed: Annotated[bool, typer.Option("--feed", help="Keep them in a stream, for server-sent events.")] = False,
    keep: Annotated[str, typer.Option("--keep", metavar="TIME", help="With --feed: for so long.")] = "7d",
    keep_size: Annotated[
        str, typer.Option("--keep-size", metavar="SIZE", help="With --feed: at most so much.")
    ] = "1GB",
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it is for, or whom to ask.")] = "",
) -> None:
    """Create a subscription. Without --webhook, --file or --feed its events wait in the queue cim.sub.NAME.

    Options that are given several times are alternatives; different ones must all hold. It says from when on it holds:
    the same command again, after it was broken off, does what is left to do. Exit status: 1 where a gateway that seems
    to run has not said that it acts by it.
    """
    from gateway.cli._subscription_actions import created, made  # noqa: PLC0415 - heavy
    from gateway.cli._subscription_views import doubts, show_created  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    fields = {
        "nouns": nouns, "verbs": verbs, "sources": sources, "events": events, "devices": devices,
        "severities": severities,
    }  # fmt: skip
    given = {field: texts for field, texts in fields.items() if texts}
    delivery = _delivery(settings, webhook, (file, daily, max_size), (feed, keep, keep_size))
    wanted = made(name, given, delivery, note, time.time())
    for doubt in doubts(wanted, settings):
        complain(doubt)
    result = asyncio.run(created(settings, wanted))
    show_created(result)
    _end(result.heard)


@command(subscriptions)
def show(ctx: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Tell one subscription: what it takes, how that is selected, where it goes, how many events wait."""
    from gateway.cli._subscription_actions import told  # noqa: PLC0415 - heavy
    from gateway.cli._subscription_views import json_line, show_one  # noqa: PLC0415 - heavy

    one, lag = asyncio.run(told(load_settings(ctx), name))
    if as_json:
        typer.echo(json_line(one, lag))
    else:
        show_one(one, lag, time.time())


@command(subscriptions)
def delete(
    ctx: typer.Context,
    name: Name,
    discard: Annotated[bool, typer.Option("--discard", help="Also where events wait: they are lost.")] = False,
) -> None:
    """Delete a subscription, its queue and the bindings. Where events wait it is left as it is."""
    from gateway.cli._subscription_actions import deleted  # noqa: PLC0415 - heavy

    lost, heard = asyncio.run(deleted(load_settings(ctx), name, discard=discard))
    gone = f", and {counted(lost, 'event')} with it" if lost else ""
    out.print(Text(f"The subscription {name} is deleted{gone}."))
    _end(heard)


@command(subscriptions)
def lag(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say for each subscription what waits: the broker's own count, and how far the gateway has come.

    In hand is what a gateway has taken and not delivered yet, oldest the age of the first of these, as of some seconds
    ago. What a consumer of your own has taken and not acknowledged is in no count: AMQP does not tell it. Of a feed
    waiting is what its stream keeps.
    """
    from gateway.cli._subscription_actions import lags  # noqa: PLC0415 - heavy
    from gateway.cli._subscription_views import lag_document, show_lags  # noqa: PLC0415 - heavy

    found = asyncio.run(lags(load_settings(ctx)))
    if as_json:
        for one in found:
            typer.echo(json.dumps(lag_document(one)))
    elif not found:
        out.print("There are no subscriptions.")
    else:
        show_lags(found, time.time())


def _end(heard: "Heard") -> None:
    if heard.silent:
        complain(
            f"It has not been said by {', '.join(heard.silent)} that it acts by this.",
            "Where that gateway still runs, look at its log: until it reads the store, it goes by what was before. "
            "`cimgate subscriptions create` again waits for it once more.",
        )
        raise typer.Exit(ExitCode.NOT_FINE)


def _delivery(
    settings: "Settings", webhook: str | None, file: tuple[str | None, bool, str | None], feed: tuple[bool, str, str]
) -> "Delivery":
    from gateway.cli._subscription_actions import size, to_file, to_webhook  # noqa: PLC0415 - heavy
    from gateway.subscriptions import ToFeed, ToQueue  # noqa: PLC0415 - heavy

    path, daily, max_size = file
    if sum((webhook is not None, path is not None, feed[0])) > 1:
        raise CommandError("Several places are given.", "Write one of --webhook, --file and --feed, or none.")
    if path is None and (daily or max_size):
        raise CommandError("--daily and --max-size go with --file alone.", "Name the file, or leave them out.")
    if webhook is not None:
        return to_webhook(settings, webhook)
    if path is not None:
        return to_file(path, daily=daily, most_bytes=size(max_size, "--max-size") if max_size else 0)
    if feed[0]:
        return ToFeed(int(seconds(feed[1], "--keep")), size(feed[2], "--keep-size"))
    return ToQueue()
