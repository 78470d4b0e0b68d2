"""`cimgate dead`: what is in the dead letters, and what is done about it. The broker's queue is the truth."""

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gateway.cli._inputs import inputs
from gateway.cli._shared import CommandError, ExitCode, app, command, counted, load_settings, out
from gateway.cli._times import moment

if TYPE_CHECKING:
    from gateway.broker.letter import Letter
    from gateway.cli._dead_actions import Deed, Report
    from gateway.cli._dead_choice import Choice
    from gateway.settings import Settings

_MOST_SHOWN = 10

dead = typer.Typer(no_args_is_help=True, help="Dead letters: list, show, retry, mend, discard.")
app.add_typer(dead, name="dead")

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID]...", help="Numbers of `cimgate dead list`, MessageIDs, CorrelationIDs or letters' ids."
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", help="Only with this reason: invalid, unroutable, ...")]
Noun = Annotated[str | None, typer.Option("--noun", help="Only with this noun.")]
Source = Annotated[str | None, typer.Option("--source", help="Only of this Header.Source.")]
Rule = Annotated[str | None, typer.Option("--rule", help="Only refused by this rule; * stands for anything.")]
Code = Annotated[str | None, typer.Option("--code", help="Only with this reply code.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="First dead at or after: 10:30, 2026-03-17, 2h (ago).")
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="First dead before.")]
Everything = Annotated[bool, typer.Option("--all", help="All of them: without it, say which by id or option.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Key = Annotated[
    str, typer.Option("--key", metavar="KEY", help="Routing key to cim.in, in place of the one that it came with.")
]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept in the journal.")]


@command(dead, "list")
def list_(  # noqa: PLR0917 - an option each
    ctx: typer.Context,
    reason: Reason = None,
    noun: Noun = None,
    source: Source = None,
    rule: Rule = None,
    code: Code = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option("--limit", min=0, max=10_000, help="Show at most so many single ones.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="The single ones, one JSON object a line.")] = False,
) -> None:
    """Say what is broken: dead letters counted by reason and rule, then single ones, the latest first.

    Nothing is taken away. Exit status: 0 also where there are some, 3 if the broker cannot be reached.
    """
    from gateway.cli._dead_reading import listed  # noqa: PLC0415 - heavy
    from gateway.cli._dead_views import as_json as whole  # noqa: PLC0415 - heavy
    from gateway.cli._dead_views import letters_of, show_groups, show_line  # noqa: PLC0415 - heavy

    now = time.time()
    choice = _choice((), reason, noun, source, rule, code, since, until)
    groups, latest, total = asyncio.run(listed(load_settings(ctx), choice, limit))
    if as_json:
        for letter in latest:
            typer.echo(json.dumps(whole(letter)))
        return
    if not groups.letters:
        out.print("There are no dead letters." if not total else f"None of {letters_of(total)} is like that.")
        return
    some = "" if groups.letters == total else f"{groups.letters:,} of "
    out.print(Text(f"{some}{letters_of(total)}", style="bold"))
    out.print()
    show_groups(groups.largest_first(), now)
    if latest:
        out.print()
    for letter in latest:
        show_line(letter, now)
    if groups.letters > len(latest):
        out.print(Text(f"\n{groups.letters - len(latest):,} older ones are not shown; see --limit", style="dim"))
    out.print(Text("\ncimgate dead show NUMBER tells all of one.", style="dim"))


@command(dead)
def show(
    ctx: typer.Context,
    named: Annotated[str, typer.Argument(metavar="ID", help="Its number in the list, MessageID, or its own id.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a letter, on a line of its own.")] = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Write the message into this file, as it came.")
    ] = None,
) -> None:
    """Tell one dead letter: what is wrong with it and where, what to do, whom it came from, and where a retry goes.

    A MessageID can have several letters, one for each receiver that did not get it: all are told.
    """
    from gateway.cli._dead_choice import Choice  # noqa: PLC0415 - heavy
    from gateway.cli._dead_reading import find  # noqa: PLC0415 - heavy
    from gateway.cli._dead_views import as_json as whole  # noqa: PLC0415 - heavy
    from gateway.cli._dead_views import show_whole  # noqa: PLC0415 - heavy

    choice = Choice((named,))
    found = asyncio.run(find(load_settings(ctx), choice, _MOST_SHOWN))
    if not found:
        raise _not_there([named])
    if save is not None:
        _save(found, named, save)
    for number, letter in enumerate(found):
        if as_json:
            typer.echo(json.dumps(whole(letter)))
        elif save is None:
            if number:
                out.rule(style="dim")
            show_whole(letter)


@command(dead)
def retry(  # noqa: PLR0917 - an option each
    ctx: typer.Context,
    ids: Ids = None,
    reason: Reason = None,
    noun: Noun = None,
    source: Source = None,
    rule: Rule = None,
    code: Code = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    key: Key = "",
    note: Note = "",
) -> None:
    """Send messages again, as they came: to the gateway, or to the one receiver that did not take them.

    Each keeps its ids, and says how often it was retried (header cim-retried). What is refused again is a dead letter
    again. Exit status: 0 if all were sent, 1 if one was not: it is still a dead letter.
    """
    from gateway.cli._dead_actions import Deed, Outcome  # noqa: PLC0415 - heavy

    choice = _choice(ids or (), reason, noun, source, rule, code, since, until)
    deed = Deed(Outcome.RETRIED, note=note.strip(), key=key.strip())
    _carry_out(load_settings(ctx), choice, deed, everything=everything, yes=yes, dry_run=dry_run)


@command(dead)
def discard(  # noqa: PLR0917 - an option each
    ctx: typer.Context,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; kept in the journal.")],
    ids: Ids = None,
    reason: Reason = None,
    noun: Noun = None,
    source: Source = None,
    rule: Rule = None,
    code: Code = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Give dead letters up: they leave the queue for good; the journal keeps who did it, when and why."""
    from gateway.cli._dead_actions import Deed, Outcome  # noqa: PLC0415 - heavy

    if not note.strip():
        raise CommandError("--note is empty.", "Say why: whoever looks for the message will find it in the journal.")
    choice = _choice(ids or (), reason, noun, source, rule, code, since, until)
    deed = Deed(Outcome.DISCARDED, note=note.strip())
    _carry_out(load_settings(ctx), choice, deed, everything=everything, yes=yes, dry_run=dry_run)


@command(dead, "edit-and-retry")
def edit_and_retry(
    ctx: typer.Context,
    named: Annotated[str, typer.Argument(metavar="ID", help="Its number in the list, MessageID, or its own id.")],
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="Send this file in its place; - reads standard input.")
    ] = None,
    editor: Annotated[
        str | None, typer.Option("--editor", metavar="COMMAND", help="The editor; else $VISUAL, $EDITOR, vi.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Send it even if it is still not valid.")] = False,
    key: Key = "",
    note: Note = "",
) -> None:
    """Mend the message of one dead letter in an editor, check it as the gateway does, and send it.

    The journal keeps the original. Exit status: 1 if it is still not valid or was not taken: the letter is still there.
    """
    from gateway.cli._dead_actions import Deed, Outcome, act  # noqa: PLC0415 - heavy
    from gateway.cli._dead_choice import Choice  # noqa: PLC0415 - heavy
    from gateway.cli._dead_editing import checked, edited, keepable  # noqa: PLC0415 - heavy
    from gateway.cli._dead_reading import find  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    found = asyncio.run(find(settings, Choice((named,)), 2))
    if not found:
        raise _not_there([named])
    if len(found) > 1:
        raise CommandError(
            f"{named!r} names several dead letters.", "Give the number of one: `cimgate dead list` tells."
        )
    body = inputs([file])[0].read() if file else edited(found[0].body, editor)
    header = checked(settings, body, force=force, keep=file is None)
    original = keepable(settings, found[0].body, found[0].noun)
    deed = Deed(Outcome.EDITED, note.strip(), key.strip(), body, header, original)
    _tell(asyncio.run(act(settings, {found[0].id}, found[0].written, deed)), deed)


def _carry_out(
    settings: "Settings", choice: "Choice", deed: "Deed", *, everything: bool, yes: bool, dry_run: bool
) -> None:
    from gateway.cli._dead_actions import act  # noqa: PLC0415 - heavy
    from gateway.cli._dead_choice import is_number  # noqa: PLC0415 - heavy
    from gateway.cli._dead_reading import choose  # noqa: PLC0415 - heavy
    from gateway.cli._dead_views import letters_of, show_groups  # noqa: PLC0415 - heavy

    if choice.everything and not everything:
        raise CommandError("Which dead letters?", "Name them by id, choose by --reason, --rule and so on, or --all.")
    chosen = asyncio.run(choose(settings, choice, None if deed.outcome == "discarded" else deed.key))
    if absent := [id_ for id_ in choice.ids if id_ not in chosen.named]:
        raise _not_there(absent)
    number = len(chosen.ids)
    if not number:
        raise CommandError("No dead letter is like that.", "`cimgate dead list` tells.", ExitCode.NOT_FINE)
    # Numbers move when another operator takes letters away, so what one means is shown before anything is done.
    ask = not yes and (number > 1 or any(map(is_number, choice.ids)))
    if ask or dry_run:
        show_groups(chosen.groups.largest_first(), time.time())
        out.print()
        for place, letters in chosen.places.items():
            out.print(Text(f"{letters:>7,}  {place}"), soft_wrap=True)
    if dry_run:
        out.print("Nothing was done.")
        return
    verb = "Discard" if deed.outcome == "discarded" else "Retry"
    if ask and not typer.confirm(f"{verb} {letters_of(number)}?"):
        out.print("Nothing was done.")
        raise typer.Exit(ExitCode.NOT_FINE)
    _tell(asyncio.run(act(settings, chosen.ids, chosen.since, deed)), deed)


def _tell(report: "Report", deed: "Deed") -> None:
    from gateway.cli._dead_views import letters_of  # noqa: PLC0415 - heavy

    what = "discarded" if deed.outcome == "discarded" else "sent again"
    out.print(Text(f"{letters_of(report.done)} {what}.", style="bold"))
    if report.repeats:
        told = "had been tried before by a command that was cut off, and may arrive twice: marked (cim-redelivered)."
        out.print(Text(f"{report.repeats:,} {told}"), soft_wrap=True)
    if report.gone:
        out.print(Text(f"{report.gone:,} were no longer there: another operator has dealt with them."), soft_wrap=True)
    for text, number in report.problems.most_common():
        out.print(Text(f"{number:,} not sent, still in the dead letters: {text}", style="red"), soft_wrap=True)
    back = "" if deed.outcome == "discarded" else "; what is refused again comes back to it"
    out.print(f"{report.left:,} in the queue now{back}.")
    if report.problems or not report.done:
        raise typer.Exit(ExitCode.NOT_FINE)


def _choice(
    ids: "list[str] | tuple[str, ...]", reason: str | None, noun: str | None, source: str | None, rule: str | None,
    code: str | None, since: str | None, until: str | None,
) -> "Choice":  # fmt: skip
    from gateway.cli._dead_choice import Choice  # noqa: PLC0415 - heavy

    now = time.time()
    return Choice(
        tuple(ids),
        reason,
        noun,
        source,
        rule,
        code,
        None if since is None else moment(since, "--since", now),
        None if until is None else moment(until, "--until", now),
    )


def _not_there(ids: list[str]) -> CommandError:
    return CommandError(
        "\n".join(f"No dead letter has the number or id {id_!r}." for id_ in ids),
        "Nothing was done. `cimgate dead list` tells what is there, `cimgate journal show ID` what became of another.",
        ExitCode.NOT_FINE,
    )


def _save(found: "list[Letter]", named: str, file: Path) -> None:
    if len({letter.body for letter in found}) > 1:
        raise CommandError(f"{named!r} names several dead letters.", "Give the number of one.")
    try:
        file.write_bytes(found[0].body)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
    out.print(f"{file} written: {counted(len(found[0].body), 'byte')}.", markup=False, soft_wrap=True)
