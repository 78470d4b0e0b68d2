"""`cimgate send`: hand messages to the gateway, as a system would, and see what comes back."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gateway.cli._shared import CommandError, ExitCode, app, command, load_settings, out, printable, show_indented

if TYPE_CHECKING:
    from gateway.broker.partner import Arrival, Partner
    from gateway.message import Message
    from gateway.settings import Settings


@command(app)
def send(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Messages to send, in this order.")],
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", help="Wait so long for replies and dead letters of each.")
    ] = 0.0,
    key: Annotated[str, typer.Option("--key", help="Routing key; without it, from context, noun and verb.")] = "",
) -> None:
    """Publish files to the gateway, byte for byte.

    Exit status 0: the broker has them all (with --wait: and none came back as a dead letter); 1 otherwise.
    """
    settings = load_settings(ctx)
    bodies = [(file, _read(file)) for file in files]
    dead = asyncio.run(_send(settings, bodies, wait, key))
    if dead:
        raise typer.Exit(ExitCode.NOT_FINE)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error


async def _send(settings: "Settings", bodies: list[tuple[Path, bytes]], wait: float, key: str) -> int:
    from gateway.app import access  # noqa: PLC0415 - quick start of the other commands
    from gateway.broker.partner import NotTaken, Partner, intake_key  # noqa: PLC0415

    dead = 0
    async with await Partner.open(access(settings), "send") as partner:
        reply_to = ""
        try:
            if wait > 0:
                reply_to = await partner.own_queue()
                await partner.watch_dead()
            for file, body in bodies:
                message = _message(body)
                header, kind = (message.header, message.kind) if message else (None, None)
                used = key or intake_key(settings.context, header, kind)
                await partner.send(body, used, reply_to=reply_to)
                out.print(Text(f"{file}: sent with routing key {used}"), soft_wrap=True)
                if wait > 0:
                    dead += await _outcome(partner, message, body, wait, settings.context)
        except NotTaken as error:
            raise CommandError(str(error), code=ExitCode.NOT_FINE) from error
    return dead


def _message(body: bytes) -> "Message | None":
    from gateway.message import Unreadable, read  # noqa: PLC0415

    try:
        return read(body)
    except Unreadable:
        return None  # sent all the same: the gateway is to say what is wrong


async def _outcome(partner: "Partner", message: "Message | None", body: bytes, wait: float, context: str) -> int:
    from gateway.broker.topology import DEAD, intake_queue  # noqa: PLC0415
    from gateway.message import MessageKind  # noqa: PLC0415

    asked = message is not None and message.kind is MessageKind.REQUEST and not message.header.one_way
    started, dead, answered = time.monotonic(), 0, False
    while not (answered and dead) and (left := started + wait - time.monotonic()) > 0:
        try:
            arrival = await asyncio.wait_for(partner.arrivals.get(), left)
        except TimeoutError:
            break
        if arrival.queue == DEAD and arrival.body == body:
            dead = 1
            _show_dead(arrival)
            if not asked or str(arrival.headers.get("answered", "")) != f"queue:{partner.reply_queue}":
                break
        elif arrival.queue != DEAD:
            answered = True
            _show_reply(arrival)
            if not dead and message is not None:
                break
    if not dead and not answered:
        _, consumers = await partner.depth(intake_queue(context)) or (0, 0)
        what = "no reply and no dead letter" if asked else "no dead letter"
        said = f"{what} within {wait:g} s; `cimgate routes explain` tells which systems have it"
        if not consumers:
            said = f"no gateway serves the context {context} on this broker: the message waits (cimgate run)"
        show_indented(said, indent=4, style="dim")
    return dead


def _show_dead(arrival: "Arrival") -> None:
    headers = arrival.headers
    line = f", line {headers['line']}" if "line" in headers else ""
    out.print(Text(f"    dead letter: {headers.get('reason')}{line}", style="bold red"))
    show_indented(str(headers.get("text", "")), indent=4)
    show_indented(str(headers.get("advice", "")), indent=4)
    answered = headers.get("answered", "")
    show_indented(
        f"rule {headers.get('rule')}, reply code {headers.get('code')}; answer: {answered}", indent=4, style="dim"
    )


def _show_reply(arrival: "Arrival") -> None:
    from gateway.message.parts import reply_of  # noqa: PLC0415

    message = _message(arrival.body)
    reply = reply_of(message) if message else None
    if message is None or reply is None:
        out.print(Text(f"    reply: {printable(arrival.body[:200].decode('utf-8', 'replace'))}"), soft_wrap=True)
        return
    style = "green" if reply.result == "OK" else "yellow"
    out.print(Text(f"    {message.kind}: {reply.result}", style=style))
    for error in reply.errors:
        show_indented(f"{error.code} {error.level or ''} {error.reason or ''}", indent=8)
        if error.details:
            show_indented(error.details, indent=8, style="dim")
