"""`cimgate send`: hand messages to the gateway, as a system would, and see what comes back."""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gateway.cli._replies import message_of, show_dead, show_reply, why_silent
from gateway.cli._shared import CommandError, ExitCode, app, command, load_settings, out, show_indented

if TYPE_CHECKING:
    from gateway.broker.partner import Partner
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
    from gateway.broker.partner import NotTaken, Partner, intake_key  # noqa: PLC0415
    from gateway.wiring import access  # noqa: PLC0415 - quick start of the other commands

    dead = 0
    async with await Partner.open(access(settings), "send") as partner:
        reply_to = ""
        try:
            if wait > 0:
                reply_to = await partner.own_queue()
                await partner.watch_dead()
            for file, body in bodies:
                message = message_of(body)
                header, kind = (message.header, message.kind) if message else (None, None)
                used = key or intake_key(settings.context, header, kind)
                await partner.send(body, used, reply_to=reply_to)
                out.print(Text(f"{file}: sent with routing key {used}"), soft_wrap=True)
                if wait > 0:
                    dead += await _outcome(partner, message, body, wait, settings.context)
        except NotTaken as error:
            raise CommandError(str(error), code=ExitCode.NOT_FINE) from error
    return dead


async def _outcome(partner: "Partner", message: "Message | None", body: bytes, wait: float, context: str) -> int:
    from gateway.broker.topology import DEAD  # noqa: PLC0415
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
            show_dead(arrival)
            if not asked or str(arrival.headers.get("answered", "")) != f"queue:{partner.reply_queue}":
                break
        elif arrival.queue != DEAD:
            answered = True
            show_reply(arrival)
            if not dead and message is not None:
                break
    if not dead and not answered:
        what = "no reply and no dead letter" if asked else "no dead letter"
        show_indented(await why_silent(partner, context, what, wait), indent=4, style="dim")
    return dead
