"""`cimgate config`: the settings in force, and where each was set."""

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._shared import app, command, err, out, printable, show_indented, trace_settings

if TYPE_CHECKING:
    from gateway.settings import Settings

_MIB: Final = 1024 * 1024
_TABLES: Final = ("sources", "endpoints")

config = typer.Typer(no_args_is_help=True, help="Show the settings.")
app.add_typer(config, name="config")


@command(config, "show")
def show(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, a member for each setting.")] = False,
) -> None:
    """Show every setting: value (passwords masked), where it was set, and what it means."""
    from gateway.settings import unknown_variables  # noqa: PLC0415 - heavy

    loaded = trace_settings(ctx)
    fields = type(loaded.settings).model_fields
    values = loaded.settings.masked()
    if as_json:
        shown = {
            name: {
                "value": values[name],
                "source": loaded.sources[name].origin,
                "where": loaded.sources[name].name,
                "description": field.description,
            }
            for name, field in fields.items()
        }
        typer.echo(json.dumps(shown, indent=2))
        return
    out.print(Text(f"TOML file: {loaded.file or 'none'}\n", style="dim"), soft_wrap=True)
    for name, field in fields.items():
        source = loaded.sources[name]
        where = f"{source.origin} {source.name}".strip()
        tables = _tables(loaded.settings, name)
        counted = tables and name in _TABLES
        value = f"{len(tables)} table{'s'[: len(tables) != 1]}" if counted else _readable(name, values[name])
        line = Text.assemble((f"{name:<24}", "bold"), (f"{value:<24}", "cyan"), "  ")
        out.print(line.append(printable(where), style="green" if source.name else "dim"), soft_wrap=True)
        for table in tables:
            show_indented(printable(table), style="cyan")
        show_indented(field.description or "", style="dim")
    for variable, near in unknown_variables().items():
        guess = f" Did you mean {near}?" if near else ""
        err.print(Text(f"{variable} is set, but no setting of that name exists.{guess}", style="yellow"))


def _tables(settings: "Settings", name: str) -> list[str]:
    """Give the tables that a setting has, each in a line."""
    if name == "outages":
        return [settings.outages.shown()] if settings.outages.on else []
    tables = getattr(settings, name) if name in _TABLES else settings.feed.tokens if name == "feed" else ()
    return [table.shown() for table in tables]


def _readable(name: str, value: str | float | None) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if name.endswith("_bytes") and isinstance(value, int) and value % _MIB == 0:
        return f"{value} ({value // _MIB} MiB)"
    return printable(str(value))
