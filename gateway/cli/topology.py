"""`cimgate topology`: what the gateway needs on the broker."""

import asyncio
import json
from typing import Annotated

import typer
from rich.table import Table

from gateway.cli._shared import app, command, load_settings, out

group = typer.Typer(help="Exchanges, queues and bindings on the broker.", no_args_is_help=True)
app.add_typer(group, name="topology")


@command(group)
def show(
    ctx: typer.Context,
    definitions: Annotated[
        bool, typer.Option("--definitions", help="As JSON, the way RabbitMQ imports and exports it.")
    ] = False,
) -> None:
    """Show exchanges, queues and bindings for the context and the systems of the routes."""
    from gateway.rulebook import route_table  # noqa: PLC0415
    from gateway.wiring import topology  # noqa: PLC0415 - quick start of the other commands

    settings = load_settings(ctx)
    wanted = topology(settings, route_table(settings))
    if definitions:
        out.print_json(json.dumps(wanted.definitions()))
        return
    table = Table("exchange", "type", "what for", box=None, title_justify="left", title="Exchanges")
    for exchange in wanted.exchanges:
        table.add_row(exchange.name, exchange.type, exchange.purpose)
    out.print(table, "")
    table = Table("queue", "what for", box=None, title_justify="left", title="Queues (quorum)")
    for queue in wanted.queues:
        table.add_row(queue.name, queue.purpose)
    out.print(table, "")
    table = Table("from exchange", "routing key or header", "to", box=None, title_justify="left", title="Bindings")
    for binding in wanted.bindings:
        table.add_row(binding.exchange, binding.shown, binding.target)
    out.print(table)


@command(group)
def apply(ctx: typer.Context) -> None:
    """Declare it all on the broker; what is there already with the same settings stays as it is."""
    from gateway import broker  # noqa: PLC0415
    from gateway.broker.topology import apply as declare  # noqa: PLC0415
    from gateway.rulebook import route_table  # noqa: PLC0415
    from gateway.wiring import access, topology  # noqa: PLC0415

    settings = load_settings(ctx)
    wanted = topology(settings, route_table(settings))

    async def declared() -> None:
        connection = await broker.connect(access(settings), "topology")
        try:
            await declare(connection, wanted)
        finally:
            await connection.close()

    asyncio.run(declared())
    out.print(
        f"{len(wanted.exchanges)} exchanges, {len(wanted.queues)} queues, {len(wanted.bindings)} bindings in place."
    )
