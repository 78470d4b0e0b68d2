"""`cimgate request`: ask the gateway as a system would, and see the replies as they come."""

import asyncio
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._inputs import inputs
from gateway.cli._replies import message_of, reply_in, show_dead, show_reply, why_silent
from gateway.cli._shared import (
    CommandError,
    ExitCode,
    app,
    command,
    load_settings,
    out,
    printable,
    show_indented,
)
from gateway.cli._times import seconds
from gateway.durations import lasted

if TYPE_CHECKING:
    from gateway.broker.partner import Arrival, Partner
    from gateway.message import Message
    from gateway.settings import Settings

_AFTER_FAILURE: Final = 0.5
"""Seconds in which the dead letter of a refused request follows its answer."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as it is sent; `elsewhere` is where its replies go, if that is not here."""

    body: bytes
    message: "Message | None"
    elsewhere: str = ""


@dataclass(slots=True)
class _Outcome:
    """What came back so far; `final` is the Result of the last reply once that is here."""

    replies: int = 0
    final: str = ""
    dead: bool = False


@command(app)
def request(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The RequestMessage; - reads standard input.")],
    wait: Annotated[
        str, typer.Option("--wait", metavar="DURATION", help="How long to wait for the last reply: 30, 30s, 2m, PT30S.")
    ] = "30s",
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FOLDER", help="Write each reply into this folder.")
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Replies come here even if the message has a ReplyAddress: it is replaced.")
    ] = False,
    new_id: Annotated[
        bool, typer.Option("--new-id", help="Send with a fresh MessageID and no CorrelationID: ask the same again.")
    ] = False,
    key: Annotated[str, typer.Option("--key", help="Routing key; without it, from context, noun and verb.")] = "",
) -> None:
    """Send one request to the gateway and print each reply as it comes, until the last one or until the wait is over.

    A message without a ReplyAddress is given one; otherwise it is sent byte for byte. The last reply is OK, FAILED, or
    PARTIAL with code 0.2; an acknowledgement (0.3) is not. Exit status: 0 if the last reply is OK; 1 if it is FAILED or
    PARTIAL, if the request came back as a dead letter, or if no last reply came.
    """
    patience = seconds(wait, "--wait")
    settings = load_settings(ctx)
    found = inputs([file])
    if len(found) > 1:
        raise CommandError(f"{file} is a folder of {len(found)} messages.", "Name one file; `cimgate send` takes many.")
    body = found[0].read()
    if save is not None:
        _make_folder(save)
    outcome = asyncio.run(_request(settings, found[0].name, body, patience, key, save, here=here, new_id=new_id))
    if outcome.dead or outcome.final != "OK":
        raise typer.Exit(ExitCode.NOT_FINE)


def is_last(message: "Message") -> bool:
    """Tell whether no reply follows (messaging C4): OK and FAILED end, PARTIAL with 0.2; an acknowledgement does not.

    A FaultMessage is the last word too.
    """
    from gateway.codes import ReplyCode, Result  # noqa: PLC0415 - quick start of the other commands
    from gateway.message import MessageKind  # noqa: PLC0415 - quick start of the other commands

    reply = reply_in(message)
    if reply is None:
        return message.kind is MessageKind.FAULT
    codes = {error.code.strip() for error in reply.errors}
    if reply.result is Result.PARTIAL:
        return ReplyCode.PARTIAL_RESULT_FINAL in codes
    return reply.result is Result.FAILED or ReplyCode.SIMPLE_ACKNOWLEDGMENT not in codes


async def _request(
    settings: "Settings", name: str, body: bytes, wait: float, key: str, save: Path | None, *, here: bool, new_id: bool
) -> _Outcome:
    from gateway.broker.partner import NotTaken, Partner, intake_key  # noqa: PLC0415
    from gateway.wiring import access  # noqa: PLC0415 - quick start of the other commands

    async with await Partner.open(access(settings), "request") as partner:
        queue = await partner.own_queue()
        await partner.watch_dead()
        asked = _prepared(body, queue, here=here, new_id=new_id)
        header, kind = (asked.message.header, asked.message.kind) if asked.message else (None, None)
        used = key or intake_key(settings.context, header, kind)
        started = time.monotonic()
        try:
            await partner.send(asked.body, used, reply_to=queue)
        except NotTaken as error:
            raise CommandError(str(error), code=ExitCode.NOT_FINE) from error
        sent = f", MessageID {header.message_id}" if header and header.message_id else ""
        out.print(Text(printable(f"{name}: sent with routing key {used}{sent}")), soft_wrap=True)
        if asked.elsewhere:
            show_indented(
                f"Its ReplyAddress is {asked.elsewhere}: the replies go there and are not seen here, except where the "
                "request is refused at once. --here replaces it.",
                style="yellow",
            )
        outcome = await _collect(partner, asked.body, started, wait, save)
        if not outcome.final and not outcome.dead:
            show_indented(await _unfinished(partner, settings, asked, outcome, wait), style="yellow")
        return outcome


def _prepared(body: bytes, queue: str, *, here: bool, new_id: bool) -> _Asked:
    """Give the request as it is to be sent. Raises `CommandError` where no reply could come."""
    from gateway.endpoints import parse_address  # noqa: PLC0415 - quick start of the other commands
    from gateway.message import MessageKind  # noqa: PLC0415 - quick start of the other commands
    from gateway.message.readdressing import readdress, serialized  # noqa: PLC0415

    message = message_of(body)
    if message is None:
        return _Asked(body, None)
    if message.kind is not MessageKind.REQUEST:
        raise CommandError(
            f"This is no RequestMessage: its root is {message.kind}.", "`cimgate send` sends any message."
        )
    header = message.header
    if header.one_way:
        raise CommandError(
            "The request says AckRequired false: it is never answered.", "`cimgate send` sends such messages."
        )
    written = (header.reply_address or "").strip()
    address = f"queue:{queue}" if here or not written else None
    if address is None and not new_id:
        return _Asked(body, message, written if parse_address(written) else "")
    message_id = str(uuid.uuid4()) if new_id or not header.message_id else header.message_id
    correlation = "" if new_id else header.correlation_id or ""
    readdress(message.root, message_id=message_id, correlation_id=correlation, reply_address=address)
    told = replace(message, header=replace(header, message_id=message_id))
    return _Asked(serialized(message.root), told, written if address is None and parse_address(written) else "")


async def _collect(partner: "Partner", body: bytes, started: float, wait: float, save: Path | None) -> _Outcome:
    """Show what comes, until the last reply is here or the wait is over."""
    from gateway.broker.topology import DEAD  # noqa: PLC0415 - quick start of the other commands

    outcome, until = _Outcome(), started + wait
    while (left := until - time.monotonic()) > 0:
        try:
            arrival = await asyncio.wait_for(partner.arrivals.get(), left)
        except TimeoutError:
            break
        if arrival.queue == DEAD:
            if arrival.body != body:
                continue
            outcome.dead = True
            show_dead(arrival)
            if outcome.final or str(arrival.headers.get("answered", "")) != f"queue:{partner.reply_queue}":
                break
            continue
        outcome.replies += 1
        _show(arrival, outcome, time.monotonic() - started, save)
        if outcome.final and (outcome.dead or outcome.final != "FAILED"):
            break
        if outcome.final:
            until = min(until, time.monotonic() + _AFTER_FAILURE)
    return outcome


def _show(arrival: "Arrival", outcome: _Outcome, latency: float, save: Path | None) -> None:
    message = message_of(arrival.body)
    reply = reply_in(message)
    if message is not None and is_last(message):
        outcome.final = str(reply.result) if reply is not None else "FAILED"
    told = f" after {lasted(latency)}, {len(arrival.body):,} bytes{_root_of(message)}"
    show_reply(arrival, told)
    if message is not None and reply is not None and not outcome.final:
        show_indented(_not_last(message), indent=8, style="dim")
    if save is not None:
        result = reply.result if reply is not None else "no-reply"
        file = save / f"reply-{outcome.replies:03}-{result}.xml"
        try:
            file.write_bytes(arrival.body)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        show_indented(f"written to {file}", indent=8, style="dim")


def _not_last(message: "Message") -> str:
    from gateway.codes import ReplyCode  # noqa: PLC0415 - quick start of the other commands

    reply = reply_in(message)
    codes = {error.code.strip() for error in reply.errors} if reply else set()
    if ReplyCode.SIMPLE_ACKNOWLEDGMENT in codes:
        return "an acknowledgement; the answer is to come"
    return "a part; more is to come"


def _root_of(message: "Message | None") -> str:
    from gateway.message.places import local_name  # noqa: PLC0415 - quick start of the other commands

    if message is None or message.payload is None or not len(message.payload):
        return ", no payload"
    return f", payload {local_name(message.payload[0])}"


async def _unfinished(partner: "Partner", settings: "Settings", asked: _Asked, outcome: _Outcome, wait: float) -> str:
    """Say what the end of the wait means, and where to look."""
    named = asked.message.header.message_id if asked.message else None
    look = f" `cimgate conversations show {named}` tells who has not answered." if settings.store and named else ""
    if outcome.replies:
        came = "1 reply" if outcome.replies == 1 else f"{outcome.replies} replies"
        return f"The wait of {lasted(wait)} is over: {came} came, not the last one.{look}"
    if asked.elsewhere:
        return f"Nothing came here within {lasted(wait)}.{look}"
    why = await why_silent(partner, settings.context, "no reply and no dead letter", wait)
    again = (
        " A MessageID that was sent before is answered where it was asked first: --new-id asks anew." if look else ""
    )
    return f"{why[:1].upper()}{why[1:]}.{look}{again}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder} cannot be made: {error.strerror}.") from error
