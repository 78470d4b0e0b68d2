"""`cimgate replay`: recorded messages sent once more."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._replay_aims import DRY_RUN, Aim, aim_of, guard, is_file, reply_address
from gateway.cli._replay_options import DIRECTIONS, Options, one_of, pace_of, where_of
from gateway.cli._shared import CommandError, ExitCode, app, command, counted, err, handled, load_settings, out
from gateway.cli._times import moment
from gateway.durations import lasted

if TYPE_CHECKING:
    from gateway.cli._replay_runs import Begun, Kept
    from gateway.settings import Settings
    from gateway.store.replays import StoredReplay

_ASKED_ABOVE: Final = 1_000
_AS_RECORDED: Final = "as-recorded"
_HEEDED: Final = ("resume", "speed", "rate", "as_json", "yes")
"""What may stand beside --resume."""

_OPTIONS: Final = {"since": "from", "until": "to"}
"""Options whose names are not those of their parameters."""

group = typer.Typer(invoke_without_command=True)
app.add_typer(group, name="replay")


@group.callback()
@handled
def replay(  # noqa: PLR0917 - an option each
    ctx: typer.Context,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="What passed at or after: 10:30, 2026-03-17, 2h (ago).")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="What passed before; without it, now.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="From this .cimlog file, not from the journal.")
    ] = None,
    noun: Annotated[
        str | None, typer.Option("--noun", help="Only with this noun; * stands for any characters.")
    ] = None,
    verb: Annotated[str | None, typer.Option("--verb", help="Only with this verb.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only of this Header.Source.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="FIELD=VALUE",
            help="Only where this applies too; may be given several times. Fields: kind, system, context, outcome, "
            "rule, code, event, device, message-id, correlation-id, conversation, text.",
        ),
    ] = None,
    direction: Annotated[
        str, typer.Option("--direction", metavar="in|out|both", help="What came to the gateway, or what it made.")
    ] = "in",
    dead: Annotated[bool, typer.Option("--dead", help="What went to the dead letters too.")] = False,
    replies: Annotated[
        bool, typer.Option("--replies", help="Answers too; to a queue, a topic or a file they are sent anyway.")
    ] = False,
    replayed: Annotated[
        bool, typer.Option("--replayed", help="What earlier replays sent too; from a file it is sent anyway.")
    ] = False,
    imported: Annotated[
        bool, typer.Option("--imported", help="What was imported from files too, which never passed here.")
    ] = False,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "--to-target",
            metavar="WHERE",
            help="in (through the gateway), a system or a route by its name, queue:NAME, topic:NAME, FILE.cimlog, or "
            "dry-run: show what would be sent, and when.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent to the target.")] = False,
    speed: Annotated[
        str | None,
        typer.Option("--speed", metavar="SPEED", help="as-recorded (or 1x), 10x, 0.5x, or max: without pauses."),
    ] = None,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="N/s", help="At most so many messages a second.")
    ] = None,
    timestamps: Annotated[
        str,
        typer.Option(
            "--timestamps",
            metavar="original|shifted",
            help="Leave Header.Timestamp, or move it by what lies between then and now, the same for all.",
        ),
    ] = "original",
    context: Annotated[
        str | None,
        typer.Option(
            "--context",
            metavar="CONTEXT",
            help="The Context that messages are given; without it that of the gateway, in a file that which they have.",
        ),
    ] = None,
    ids: Annotated[
        str, typer.Option("--ids", metavar="original|new", help="Keep MessageIDs and CorrelationIDs, or make new ones.")
    ] = "original",
    reply_to: Annotated[
        str | None,
        typer.Option("--reply-to", metavar="ADDRESS", help="Where requests are answered: queue:NAME or topic:NAME."),
    ] = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept in the journal.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before more than 1,000 messages.")] = False,
    yes_production: Annotated[
        bool, typer.Option("--yes-production", help="Replay into PRODUCTION: real systems will act on old messages.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="ID",
            help="Go on with a replay that was stopped or killed; --speed and --rate may change.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> None:
    """Send recorded messages once more, from the journal or from a file, in the order and with the spacing of then.

    Each is marked (Property cimgate-replay, AMQP header cim-replay) and, through the gateway, not taken for a duplicate
    of the recorded one. Ctrl-C stops after what is under way.

    Exit status: 0 if all is sent; 1 if some of it reached no queue, or if it was stopped; 3 if the broker or the store
    cannot be reached.
    """
    if ctx.invoked_subcommand is not None:
        return
    settings, now = load_settings(ctx), time.time()
    if resume is not None:
        _check_alone(ctx)
        pace_of(speed or _AS_RECORDED, rate)
        _finish(ctx, asyncio.run(_resume(settings, resume, speed, rate, quiet=as_json)), as_json=as_json)
        return
    if target is None:
        raise CommandError(
            "Whereto is to be replayed?", "Write --target: see --help; --target dry-run shows what would be sent."
        )
    options = Options(
        file,
        None if since is None else moment(since, "--from", now),
        None if until is None else moment(until, "--to", now),
        noun,
        verb,
        source,
        where_of(where or []),
        one_of(direction, "--direction", DIRECTIONS),
        dead,
        replies,
        replayed,
        imported,
        str(Path(target).absolute()) if is_file(target) else target.strip(),
        speed or _AS_RECORDED,
        rate,
        one_of(timestamps, "--timestamps", ("original", "shifted")) == "shifted",
        context,
        one_of(ids, "--ids", ("original", "new")) == "new",
        reply_address(reply_to),
        note.strip(),
        yes,
        yes_production,
    )
    pace_of(options.speed, options.rate)
    if is_file(options.target) and (speed is not None or rate is not None):
        raise CommandError("A file is written at once; it keeps the recorded times.", "Leave out --speed and --rate.")
    guard(options.target, settings, context, allowed=yes_production or dry_run)
    aim = aim_of(options.target, settings, context, options.reply_to)
    if dry_run or options.target == DRY_RUN:
        asyncio.run(_dry_run(settings, options, aim, now, as_json=as_json))
        return
    if aim.file is not None and aim.file.exists():
        raise CommandError(f"{aim.file} is there already.", "Name a file that is not.")
    _finish(ctx, asyncio.run(_replay(settings, options, now, quiet=as_json)), as_json=as_json)


def _check_alone(ctx: typer.Context) -> None:
    """Raise `CommandError` where something was given beside --resume that would not be heeded."""
    given = [name for name in ctx.params if name not in _HEEDED and _was_given(ctx, name)]
    if given:
        names = ", ".join("--" + _OPTIONS.get(name, name).replace("_", "-") for name in given)
        raise CommandError(
            f"--resume goes on with what was begun: {names} cannot be changed.",
            "Give --speed and --rate beside it at most.",
        )


def _was_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@command(group, "list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List replays, the latest first, with how far each has come."""
    from gateway.cli._replay_views import listed, show_list  # noqa: PLC0415 - heavy
    from gateway.cli._stores import existing_store  # noqa: PLC0415 - heavy

    url, now = existing_store(load_settings(ctx)), time.time()
    found = asyncio.run(_found(url, limit))
    if as_json:
        for one in found:
            typer.echo(json.dumps(listed(one, now)))
    elif found:
        show_list(found, now)
    else:
        out.print("Nothing was replayed yet.")


async def _found(url: str, limit: int) -> "list[StoredReplay]":
    from gateway.store.replays.opening import open_replays  # noqa: PLC0415 - heavy

    replays = await open_replays(url)
    try:
        return await replays.find(limit=limit)
    finally:
        await replays.close()


async def _replay(settings: "Settings", options: Options, now: float, *, quiet: bool) -> "tuple[Begun, bool]":
    from gateway.cli._replay_runs import begin, check_place, kept, planned  # noqa: PLC0415 - heavy

    async with kept(settings, make=options.file is not None) as store:
        with err.status("Looking through what is recorded"):
            begun = await planned(settings, store.journal, options, now)
        aim = aim_of(options.target, settings, begun.plan.changes.context, options.reply_to)
        if begun.plan.total > _ASKED_ABOVE and not options.yes:
            _ask(begun, aim)
        await check_place(settings, aim)
        begun = await begin(store, begun, options.note, aim.told)
        return await _run(settings, store, begun, quiet=quiet)


async def _resume(
    settings: "Settings", named: str, speed: str | None, rate: str | None, *, quiet: bool
) -> "tuple[Begun, bool]":
    from gateway.cli._replay_runs import aim_of_plan, check_place, kept, plan_of, take_up  # noqa: PLC0415 - heavy

    async with kept(settings, make=False) as store:
        await check_place(settings, aim_of_plan(await plan_of(store.replays, named), settings))
        return await _run(settings, store, await take_up(store.replays, named, speed, rate), quiet=quiet)


async def _run(settings: "Settings", store: "Kept", begun: "Begun", *, quiet: bool) -> "tuple[Begun, bool]":
    from gateway.cli._replay_runs import play  # noqa: PLC0415 - heavy
    from gateway.cli._replay_views import watching  # noqa: PLC0415 - heavy
    from gateway.player.filing import Mismatch  # noqa: PLC0415 - heavy
    from gateway.player.keeper import TakenOver  # noqa: PLC0415 - heavy
    from gateway.traffic import BadRecord, Damaged, OverLimits  # noqa: PLC0415 - heavy

    if not quiet:
        of = counted(begun.plan.total, "message")
        again = begun.progress.runs > 1
        told = f"goes on: {begun.progress.sent:,} of {of} are sent." if again else f"of {of} begins."
        err.print(Text(f"Replay {begun.id} {told}"), soft_wrap=True)
    try:
        return begun, await play(settings, store, begun, watching(begun, quiet=quiet))
    except (TakenOver, Mismatch, BadRecord, OverLimits, Damaged) as error:
        raise CommandError(str(error), code=ExitCode.NOT_FINE) from error
    except OSError as error:
        _tell_how_to_go_on(begun)
        if error.strerror and not isinstance(error, ConnectionError):
            raise CommandError(f"{begun.plan.target} cannot be written: {error.strerror}.") from error
        raise


def _tell_how_to_go_on(begun: "Begun") -> None:
    told = f"{begun.progress.sent:,} of {begun.plan.total:,} are sent; `cimgate replay --resume {begun.id}` goes on."
    err.print(Text(told), soft_wrap=True)


def _ask(begun: "Begun", aim: Aim) -> None:
    """Ask whether so many are meant. Raises `CommandError` where they are not, or where nobody can be asked."""
    told = f"{counted(begun.plan.total, 'message')} would be sent to {aim.told}"
    if not sys.stdin.isatty():
        raise CommandError(f"{told}.", "Give --yes to send more than 1,000; --target dry-run shows them.")
    if not typer.confirm(f"{told}, {_duration(begun)}. Go on?"):
        raise CommandError("Nothing was sent.", code=ExitCode.NOT_FINE)


def _duration(begun: "Begun") -> str:
    return f"in about {lasted(begun.plan.seconds)}" if begun.plan.pace.has_times else "as fast as they are taken"


async def _dry_run(settings: "Settings", options: Options, aim: Aim, now: float, *, as_json: bool) -> None:
    from gateway.cli._replay_runs import kept, planned, planner_of, source_of  # noqa: PLC0415 - heavy
    from gateway.cli._replay_views import as_json as report  # noqa: PLC0415 - heavy
    from gateway.cli._replay_views import show_report, show_step  # noqa: PLC0415 - heavy
    from gateway.player.player import Account, book  # noqa: PLC0415 - heavy
    from gateway.replay import LeftOut, Step  # noqa: PLC0415 - heavy

    async with kept(settings, make=options.file is not None) as store:
        with err.status("Looking through what is recorded"):
            begun = await planned(settings, store.journal, options, now)
        planner = planner_of(begun.plan, settings)()
        async for message in source_of(begun.plan, store.journal).messages(0):
            account = Account(message, planner.plan(message))
            if isinstance(account.planned, Step):
                publication = aim.target.publication(account.planned, repeated=False)
                if isinstance(publication, LeftOut):
                    account.planned = publication
                else:
                    show_step(account.planned, publication, in_json=as_json)
                    begun.progress.seconds = account.planned.due
            book(begun.progress, account)
    if as_json:
        typer.echo(json.dumps(report(begun, aim.told, done=True) | {"state": "dry-run"}))
    else:
        show_report(begun, aim.told, done=True, dry=True)


def _finish(ctx: typer.Context, ended: "tuple[Begun, bool]", *, as_json: bool) -> None:
    from gateway.cli._replay_runs import aim_of_plan  # noqa: PLC0415 - heavy
    from gateway.cli._replay_views import as_json as report  # noqa: PLC0415 - heavy
    from gateway.cli._replay_views import show_report  # noqa: PLC0415 - heavy

    begun, done = ended
    told = aim_of_plan(begun.plan, load_settings(ctx)).told
    if as_json:
        typer.echo(json.dumps(report(begun, told, done=done)))
    else:
        show_report(begun, told, done=done)
    if not done or begun.progress.undeliverable:
        raise typer.Exit(ExitCode.NOT_FINE)
