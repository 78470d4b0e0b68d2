"""The command line. One file a command or group; importing it puts it on the app."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli import (  # noqa: F401 - each registers its commands
    _journal_transfer,
    _schema_diff,
    codes,
    config,
    conversations,
    dead,
    demo,
    example,
    journal,
    noun,
    outages,
    replay,
    request,
    routes,
    rules,
    run,
    schemas,
    send,
    subscribe,
    subscriptions,
    topology,
    validate,
)
from gateway.cli._shared import Options, app, out

__all__ = ["app", "main"]


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"cimgate {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    config_file: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="TOML file with settings; else CIMGATE_CONFIG, ./cimgate.toml."),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="The same as --log-level debug.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Message gateway for electric utilities: IEC 61968-9 messages over AMQP, validated, routed, accounted for."""
    ctx.obj = Options(config_file, log_level or ("debug" if verbose else None))


def main() -> None:
    """Run the command line; the entry point of `cimgate`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an ASCII terminal must not end a command
    app(prog_name="cimgate")
