"""`cimgate conversations`: requests with all their replies, as the store has them."""

import json
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._shared import (
    CommandError,
    ExitCode,
    app,
    command,
    complain,
    counted,
    out,
    printable,
    show_indented,
)
from gateway.cli._stores import find, read_document, with_store
from gateway.cli._times import moment, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.cli._conversation_views import Told
    from gateway.cli._stuck import Stuck
    from gateway.conversations import Conversation
    from gateway.store import Search, Store, Stored

_MOST_SUSPECTS: Final = 1_000
"""So many conversations that are not settled are looked at in one go."""

conversations = typer.Typer(no_args_is_help=True, help="Requests with all their replies: list, show, find stuck ones.")
app.add_typer(conversations, name="conversations")

Named = Annotated[
    str, typer.Argument(metavar="ID", help="The beginning of its id, or a MessageID, CorrelationID or id of a leg.")
]


@command(conversations, "list")
def list_(  # noqa: PLR0917 - an option each
    ctx: typer.Context,
    source: Annotated[str | None, typer.Option("--source", help="Only of this asker (Header.Source).")] = None,
    noun: Annotated[str | None, typer.Option("--noun", help="Only with this noun.")] = None,
    verb: Annotated[str | None, typer.Option("--verb", help="Only with this verb.")] = None,
    state: Annotated[
        str | None,
        typer.Option("--state", help="open, acknowledged, partial, done, failed, timed_out or cancelled."),
    ] = None,
    system: Annotated[str | None, typer.Option("--system", help="Only where this system was asked.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Opened at or after: 10:30, 2026-03-17, 2h (ago).")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Opened before.")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="The beginning of its id.")] = None,
    message_id: Annotated[
        str | None, typer.Option("--message-id", help="MessageID or CorrelationID of the request, or id of a leg.")
    ] = None,
    only_open: Annotated[
        bool, typer.Option("--open", help="Only what has not ended, or has said something that is not confirmed yet.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List conversations, the latest first. Those that a system was asked in, of a noun, of today: see the options."""
    from gateway.cli._conversation_views import show_list, summary  # noqa: PLC0415 - heavy
    from gateway.store import Search  # noqa: PLC0415 - heavy

    now = time.time()
    wanted = Search(
        id=id_,
        message_id=message_id,
        source=source,
        system=system,
        verb=verb,
        noun=noun,
        state=_state(state),
        final=False if only_open else None,
        opened_from=None if since is None else moment(since, "--since", now),
        opened_until=None if until is None else moment(until, "--until", now),
    )
    told, more = with_store(ctx, lambda store: _listed(store, wanted, limit, now))
    if as_json:
        for one in told:
            typer.echo(json.dumps(summary(one)))
        return
    if not told:
        out.print("No conversation of that kind is in the store." if wanted != Search() else "The store is empty.")
        return
    show_list(told)
    if more:
        out.print(Text(f"There are more; --limit {limit * 4} shows further ones.", style="dim"))


@command(conversations)
def show(
    ctx: typer.Context,
    named: Named,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write the diagram as a picture for a browser.")
    ] = None,
) -> None:
    """Tell one conversation: a sequence diagram with times, Results, codes and latencies, and what is waited for."""
    from gateway.cli._conversation_views import as_json as whole  # noqa: PLC0415 - heavy
    from gateway.cli._conversation_views import show_story  # noqa: PLC0415 - heavy

    told = with_store(ctx, lambda store: _told(store, named, time.time()))
    if svg is not None:
        _write_svg(svg, told)
    if as_json:
        typer.echo(json.dumps(whole(told), indent=2))
    elif svg is None:
        show_story(told)
    else:
        out.print(f"{svg} written.", markup=False, soft_wrap=True)


@command(conversations)
def stuck(
    ctx: typer.Context,
    silent: Annotated[
        str, typer.Option("--silent", metavar="DURATION", help="How long nothing may happen in one: 30s, 10m, 2h.")
    ] = "10m",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List what needs a person: alarms, then what is past its deadline, then what is open and does not move.

    Exit status: 0 if there is nothing, 1 if there is something, 3 if the store cannot be reached. So a monitor can
    run it.
    """
    from gateway.cli._conversation_views import Told, summary, telling_apart  # noqa: PLC0415 - heavy

    now, patience = time.time(), seconds(silent, "--silent")
    found = with_store(ctx, lambda store: _stuck(store, now, patience))
    if as_json:
        for one in found[:limit]:
            told = Told(one.stored, one.conversation, (), now)
            typer.echo(json.dumps({"trouble": one.trouble.name.lower(), "reasons": one.reasons, **summary(told)}))
    elif not found:
        out.print("Nothing is stuck.")
    else:
        length = telling_apart([one.conversation.id for one in found[:limit]])
        for one in found[:limit]:
            _show_stuck(one, now, length)
        if len(found) > limit:
            out.print(Text(f"and {counted(len(found) - limit, 'conversation')} more; see --limit", style="dim"))
    if found:
        raise typer.Exit(ExitCode.NOT_FINE)


@command(conversations)
def close(
    ctx: typer.Context,
    named: Named,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="What was done about it; kept with the conversation.")
    ] = "",
) -> None:
    """Close the alarm of a conversation whose trouble a person has mended: `stuck` no longer lists it."""
    closed = with_store(ctx, lambda store: _closed(store, named, note.strip(), time.time()))
    out.print(f"The alarm of {closed} is closed.", markup=False, soft_wrap=True)


async def _listed(store: "Store", wanted: "Search", limit: int, now: float) -> "tuple[list[Told], bool]":
    from gateway.cli._conversation_views import Told  # noqa: PLC0415 - heavy

    async with store.look() as reader:
        found = await reader.search(wanted, limit + 1)
        told = [
            Told(stored, conversation, await reader.entries(stored.id) if conversation.final else (), now)
            for stored, conversation in _readable(found[:limit])
        ]
    return told, len(found) > limit


async def _told(store: "Store", named: str, now: float) -> "Told":
    from gateway.cli._conversation_views import Told  # noqa: PLC0415 - heavy

    async with store.look() as reader:
        stored = await find(reader, named)
        return Told(stored, read_document(stored), await reader.entries(stored.id), now)


async def _stuck(store: "Store", now: float, silent: float) -> "list[Stuck]":
    from gateway.cli._stuck import GRACE, judged  # noqa: PLC0415 - heavy
    from gateway.store import Search  # noqa: PLC0415 - heavy

    async with store.look() as reader:
        found = await reader.stuck(now, GRACE, _MOST_SUSPECTS)
        quiet = Search(final=False, opened_until=now - silent)
        found += await reader.search(quiet, _MOST_SUSPECTS)
    return judged(_readable({one.id: one for one in found}.values()), now, silent)


async def _closed(store: "Store", named: str, note: str, now: float) -> str:
    from gateway.cli._story import NOTE  # noqa: PLC0415 - heavy
    from gateway.conversations import AlarmClosed, step, to_json  # noqa: PLC0415 - heavy
    from gateway.store import Entry  # noqa: PLC0415 - heavy

    async with store.look() as reader:
        id_ = (await find(reader, named)).id
    refused = frozenset({id_})
    while refused:  # a gateway may step the conversation at the same time: then it is read and stepped again
        async with store.begin() as unit:
            stored = (await unit.conversations([id_]))[id_]
            before = read_document(stored)
            if not before.alarm:
                raise CommandError(f"The conversation {id_} has no alarm.", code=ExitCode.NOT_FINE)
            after, _ = step(before, AlarmClosed(now), lambda: str(uuid.uuid4()))
            row = replace(stored, document=to_json(after), alarm=bool(after.alarm), updated=now)
            refused = await unit.update([row])
            if not refused:
                told = f"a person closed the alarm{f': {note}' if note else ''} ({before.alarm})"
                await unit.add_entries([Entry(id_, now, NOTE, "", note=told)])
    return id_


def _readable(found: "Iterable[Stored]") -> "Iterator[tuple[Stored, Conversation]]":
    """Give those whose state this release can read; the others are told of, and must not hide the rest."""
    for stored in found:
        try:
            yield stored, read_document(stored)
        except CommandError as error:
            complain(error.text, error.advice)


def _state(written: str | None) -> str | None:
    from gateway.conversations import State  # noqa: PLC0415 - heavy

    if written is None:
        return None
    name = written.strip().lower().replace(" ", "_").replace("-", "_")
    if name not in tuple(State):
        raise CommandError(f"--state {written!r} is none.", f"It is one of {', '.join(State)}.")
    return name


def _show_stuck(one: "Stuck", now: float, length: int) -> None:
    from gateway.cli._progress import ALARM, state_name  # noqa: PLC0415 - heavy
    from gateway.cli._times import clock  # noqa: PLC0415 - heavy

    told = one.conversation
    style = "bold red" if one.trouble.name != "SILENT" else "yellow"
    head = Text.assemble((f"{one.trouble.name:<8}", style), (told.id[:length], "bold"))
    asker = told.asker.source or "(no Source)"
    head.append(printable(f"  {clock(told.opened, now)}  {asker}  {told.verb}({told.noun})  {state_name(told)}"))
    out.print(head, soft_wrap=True)
    for reason in one.reasons:
        show_indented(reason.removeprefix(ALARM), indent=8)


def _write_svg(file: Path, told: "Told") -> None:
    from gateway.cli._conversation_views import header_lines  # noqa: PLC0415 - heavy
    from gateway.cli._sequence_svg import svg_of  # noqa: PLC0415 - heavy

    shown = [f"{label}: {text}" for label, text in header_lines(told)]
    picture = svg_of(told.story, told.title, (f"conversation {told.conversation.id}", *shown))
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
