"""`cimgate journal export` and `import`: messages of the journal in files."""

import contextlib
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gateway.cli._journal_filters import Filters, filtered, find, walk
from gateway.cli._journals import with_journal
from gateway.cli._shared import CommandError, ExitCode, command, complain, err, printable
from gateway.cli.journal import journal, nothing, oldest_of

if TYPE_CHECKING:
    from typing import BinaryIO

    from gateway.cli._journal_export import Tally
    from gateway.cli._journal_import import Imported
    from gateway.store.journal import Journal


class Form(StrEnum):
    """How an export is written."""

    CIMLOG = "cimlog"
    JSON = "json"
    XML = "xml"


@command(journal)
@filtered()
def export(
    ctx: typer.Context,
    filters: Filters,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to write; - is the standard output.")],
    form: Annotated[
        Form | None,
        typer.Option("--format", help="cimlog, json (one object a line) or xml (one document); else by FILE's name."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write messages with their bodies to a file, the oldest first: .cimlog, JSON lines or XML.

    Exit status: 0, 1 if there is none or some could not be written, 2 for a wrong option, 3 if the store cannot be
    reached.
    """
    from gateway.cli._journal_export import STREAM, Format, format_of, refuse_existing  # noqa: PLC0415 - heavy

    wanted = format_of(file, None if form is None else Format(form.value))
    if file != STREAM:
        refuse_existing(Path(file), force=force)
    tally = with_journal(ctx, filters.store, lambda opened: _exported(opened, filters, file, wanted, force=force))
    _say("written to the standard output" if file == STREAM else file, tally)
    if tally.left_out:
        raise typer.Exit(ExitCode.NOT_FINE)


@command(journal, "import")
def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A .cimlog file; - is the standard input.")],
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help="Into the journal of this store; it is made if it is not there."),
    ] = None,
) -> None:
    """Put a .cimlog file into a journal, to look at it here. What is there already is not put there again.

    What is imported is marked in every list, its outcome begins with `imported:`, and nothing is delivered. Exit
    status: 0, 1 if the file is damaged or cut short (what is whole is imported), 2 for a wrong option, 3 if the store
    cannot be reached.
    """
    from gateway.masking import mask  # noqa: PLC0415 - heavy

    name, size = "the standard input" if file == "-" else file, 0
    try:
        with contextlib.ExitStack() as stack:
            stream: BinaryIO = sys.stdin.buffer
            if file != "-":
                stream = stack.enter_context(Path(file).open("rb"))
                size = Path(file).stat().st_size
            done = with_journal(ctx, store, lambda opened: _imported(opened, stream, size), make=True)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    by = done.about.get("writer")
    if done.tally.messages:
        _say(f"{name}{f' (written by {by})' if by else ''}", done.tally)
        where, at = (f" into {mask(store)}", " --store ...") if store else ("", "")
        there = f"; {done.there:,} were there already" if done.there else ""
        said = (
            f"{done.tally.messages - done.there:,} imported{where}{there}. `cimgate journal list --imported{at}` shows"
        )
        err.print(Text(printable(f"{said} them.")), soft_wrap=True)
    if done.problem:
        complain(f"{name}: {done.problem}")
    elif not done.tally.messages:
        complain(f"{name} holds no messages.")
    if done.problem or done.tally.left_out or not done.tally.messages:
        raise typer.Exit(ExitCode.NOT_FINE)


async def _exported(opened: "Journal", filters: Filters, file: str, form: StrEnum, *, force: bool) -> "Tally":
    from gateway.cli._journal_export import Format, written  # noqa: PLC0415 - heavy
    from gateway.cli._journal_export import export as write_all  # noqa: PLC0415 - heavy
    from gateway.cli._waiting import progress  # noqa: PLC0415 - heavy

    first = await find(opened, filters, 1, oldest_first=True)
    last = await find(opened, filters, 1)
    if not first or not last:
        nothing(filters, await oldest_of(opened))
    start, end = first[0].at, last[0].at
    ended = filters.within(until=filters.until or time.time())  # what passes from now on would never end
    with written(file, Format(form.value), force=force) as write, progress("exporting", end - start) as advance:
        return await write_all(walk(opened, ended), write, lambda at: advance(at - start))


async def _imported(opened: "Journal", stream: "BinaryIO", size: int) -> "Imported":
    from gateway.cli._journal_import import import_all  # noqa: PLC0415 - heavy
    from gateway.cli._waiting import progress  # noqa: PLC0415 - heavy
    from gateway.traffic import NotTraffic  # noqa: PLC0415 - heavy

    try:
        with progress("importing", size) as advance:
            return await import_all(opened, stream, advance)
    except NotTraffic as error:
        raise CommandError(str(error), "`cimgate journal export FILE` writes such files.") from error


def _say(name: str, tally: "Tally") -> None:
    """Tell on stderr what a file holds."""
    head, *rest = tally.in_words()
    err.print(Text(printable(f"{name}: {head}.")), soft_wrap=True)
    for line in rest:
        err.print(Text(f"  {line}"), soft_wrap=True)
