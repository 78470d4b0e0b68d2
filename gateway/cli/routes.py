"""`cimgate routes`: check the routing tables, list them, explain what they do with a message."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from gateway.cli._inputs import inputs
from gateway.cli._shared import (
    CommandError,
    ExitCode,
    app,
    command,
    counted,
    err,
    load_settings,
    out,
    printable,
    show_indented,
)

if TYPE_CHECKING:
    from gateway.cli.validate import Judged
    from gateway.routing import Explanation, Route, RouteTable

_LONGEST_REASON: Final = 100
"""Characters."""
_MOST_NOUNS: Final = 3

routes = typer.Typer(no_args_is_help=True, help="Check, list and explain the routing tables.")
app.add_typer(routes, name="routes")

Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="Folder of *.toml; else as the settings say.")
]


@command(routes, "check")
def check(ctx: typer.Context, folder: Folder = None) -> None:
    """Check the routing tables and say of each fault where it is.

    Exit status: 0 if all is well, 1 if something is wrong in a table, 2 if there is none.
    """
    from gateway.routing import RoutingError  # noqa: PLC0415 - heavy
    from gateway.rulebook import route_table, routes_folder  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    where = routes_folder(settings, folder)
    try:
        table = route_table(settings, folder)
    except RoutingError as error:
        for problem in error.problems:
            place = (str(where / problem.file), f":{problem.line}")
            out.print(Text.assemble((printable("".join(place)), "bold"), ": ", printable(problem.text)), soft_wrap=True)
            if problem.advice:
                out.print(Text(f"    {printable(problem.advice)}"), soft_wrap=True)
        out.print(Text(f"{counted(len(error.problems), 'fault')} in {where}", style="bold red"), soft_wrap=True)
        raise typer.Exit(ExitCode.NOT_FINE) from error
    summary = f"{counted(len(table.systems), 'system')}, {counted(len(table.routes), 'route')}, no faults in {where}"
    out.print(Text(summary, style="green"), soft_wrap=True)


@command(routes, "list")
def show(ctx: typer.Context, folder: Folder = None) -> None:
    """List the systems and what each receives."""
    from gateway.rulebook import route_table  # noqa: PLC0415 - heavy

    table = route_table(load_settings(ctx), folder)
    for system in table.systems.values():
        sources = f", sends as {', '.join(system.sources)}" if system.sources else ""
        out.print(Text.assemble((system.name, "bold"), f"  {system.address}{sources}"), soft_wrap=True)
        for route in table.routes:
            if route.system != system:
                continue
            name = f" {route.name}" if route.name else ""
            line = Text.assemble(f"  {route.number}{name}  ", (f"{route.system.file}:{route.line}", "dim"))
            out.print(line, soft_wrap=True)
            show_indented(f"{_few(route.nouns)}: {', '.join(route.verbs)}", indent=6, style="dim")
            for criterion in _criteria(route):
                show_indented(criterion, indent=6, style="dim")
        out.print()


@command(routes, "explain")
def explain(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE.xml|-", help="One message.")],
    folder: Folder = None,
) -> None:
    """Say who receives a message, and of every route whether it fires or why not.

    Exit status: 0 if the message is valid and somebody receives it (or it is a reply), else 1.
    """
    from gateway.cli.validate import described, judge  # noqa: PLC0415 - heavy
    from gateway.message import MessageKind  # noqa: PLC0415 - heavy
    from gateway.rulebook import checker, interpreter, route_table, schema_set  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    found = inputs([file])
    if len(found) != 1:
        raise CommandError(f"{file} is a folder; name one message.")
    table = route_table(settings, folder)
    schemas = schema_set(settings)
    check = checker(settings, schemas)
    judged = judge(found[0], interpreter(settings, schemas, check), check)
    message = judged.message
    if message is None:
        _show_first(judged)
        err.print("The message cannot be read, so no route sees it.")
        raise typer.Exit(ExitCode.NOT_FINE)
    source = f" from {message.header.source}" if message.header.source else ""
    out.print(Text.assemble((judged.name, "bold"), f"  {described(message)}{printable(source)}"), soft_wrap=True)
    if not judged.ok:
        out.print(Text("The gateway would refuse this message before any route sees it:", style="bold red"))
        _show_first(judged)
        out.print("What the routes would do with it otherwise:")
    if message.kind in (MessageKind.RESPONSE, MessageKind.FAULT):
        out.print("No route takes a reply: it goes to the conversation that it answers.")
        raise typer.Exit(ExitCode.FINE if judged.ok else ExitCode.NOT_FINE)
    received = _show_receivers(table, judged)
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for column in ("Where", "Route", "Fires, or why not"):
        rows.add_column(column, overflow="fold")
    for explanation in table.explain(message):
        rows.add_row(*_where(explanation.route), _reason(explanation))
    out.print(rows)
    if not judged.ok or not received:
        raise typer.Exit(ExitCode.NOT_FINE)


def _show_receivers(table: "RouteTable", judged: "Judged") -> bool:
    """Print who receives the message, or why nobody does; False where somebody should."""
    from gateway.cli._excerpt import lines_of  # noqa: PLC0415 - heavy
    from gateway.cli._faults import show_finding  # noqa: PLC0415 - heavy

    message = judged.message
    if message is None:
        return False
    fired = table.match(message)
    if fired:
        for route in fired:
            line = Text.assemble((route.system.name, "bold green"), f" receives it at {route.system.address}")
            name = f" '{route.name}'" if route.name else ""
            line.append(f", by route {route.number}{name} ({route.system.file}:{route.line})", style="dim")
            out.print(Text("  ").append_text(line), soft_wrap=True)
        out.print()
        return True
    out.print(Text("Nobody receives it:", style="bold red"))
    show_finding(table.unroutable(message), lines_of(judged.raw))
    return False


def _show_first(judged: "Judged") -> None:
    from gateway.cli._excerpt import lines_of  # noqa: PLC0415 - heavy
    from gateway.cli._faults import show_finding  # noqa: PLC0415 - heavy

    first = next(finding for finding in judged.findings if finding.severity == "error")
    show_finding(first, lines_of(judged.raw))


def _where(route: "Route") -> tuple[Text, Text]:
    name = f" {route.name}" if route.name else ""
    return Text(f"{route.system.file}:{route.line}", style="dim"), Text(f"{route.system.name} {route.number}{name}")


def _reason(explanation: "Explanation") -> Text:
    if explanation.outcome == "fired":
        return Text("fires", style="bold green")
    if explanation.by is not None:
        return Text(f"not reached: route {explanation.by.number} fired", style="dim")
    # The message's own noun and verb stand in the first line; a route may want many, and the file has them all.
    if explanation.criterion in ("noun", "verbs"):
        wanted = f"wants the {explanation.criterion} {explanation.wanted}"
    else:
        wanted = explanation.text.rstrip(".")
    return Text(shorten(printable(wanted), _LONGEST_REASON, placeholder=" ..."))


def _few(words: Sequence[str]) -> str:
    more = len(words) - _MOST_NOUNS
    return ", ".join(words) if more <= 1 else f"{', '.join(words[:_MOST_NOUNS])} and {more} more"


def _criteria(route: "Route") -> Iterator[str]:
    said = (
        ("only in context", route.contexts),
        ("only from", route.sources),
        ("not from", route.not_sources),
        ("only with an event type of", route.events),
        ("only with a control type of", route.controls),
        ("only with a reading type of", route.readings),
    )
    for words, values in said:
        if values:
            yield f"{words} {', '.join(map(str, values))}"
    for wanted in route.properties:
        yield f"only with the property {wanted.name}: {', '.join(wanted.values)}"
    for unwanted in route.not_properties:
        yield f"not with the property {unwanted.name}: {', '.join(unwanted.values)}"
