"""What comes back for a message that a command has sent: replies and dead letters, and how they look."""

import re
from typing import TYPE_CHECKING, Final

from rich.text import Text

from gateway.cli._shared import out, printable, show_indented

if TYPE_CHECKING:
    from gateway.broker.partner import Arrival, Partner
    from gateway.message import Message, Reply

_TWO_NUMBERS: Final = re.compile(r"\d+\.\d+", re.ASCII)


def message_of(body: bytes) -> "Message | None":
    """Read a message; None where it cannot be read: it is sent all the same, the gateway is to say what is wrong."""
    from gateway.message import Unreadable, read  # noqa: PLC0415 - quick start of the other commands

    try:
        return read(body)
    except Unreadable:
        return None


def reply_in(message: "Message | None") -> "Reply | None":
    """Give the Reply of a message, if it is one that can be read."""
    from gateway.message.parts import reply_of  # noqa: PLC0415 - quick start of the other commands

    try:
        return reply_of(message) if message is not None else None
    except ValueError:
        return None  # a Result that no schema has


def meaning(code: str) -> str:
    """Say what a reply code means: `5.7  requested data unavailable`."""
    from gateway.codes import ReplyCode  # noqa: PLC0415 - quick start of the other commands
    from gateway.codes.reply_codes import reply_sentence  # noqa: PLC0415

    try:
        return f"{code}  {ReplyCode(code).meaning}"
    except ValueError:
        pass
    if _TWO_NUMBERS.fullmatch(code):
        return reply_sentence(code).removeprefix("Reply code ").replace(": ", "  ", 1)
    return printable(f"{code}  a code of the system's own")


def show_dead(arrival: "Arrival") -> None:
    """Print why a message came back as a dead letter."""
    headers = arrival.headers
    line = f", line {headers['line']}" if "line" in headers else ""
    out.print(Text(f"    dead letter: {headers.get('reason')}{line}", style="bold red"))
    show_indented(str(headers.get("text", "")), indent=4)
    show_indented(str(headers.get("advice", "")), indent=4)
    answered = headers.get("answered", "")
    show_indented(
        f"rule {headers.get('rule')}, reply code {headers.get('code')}; answer: {answered}", indent=4, style="dim"
    )


def show_reply(arrival: "Arrival", more: str = "") -> None:
    """Print a reply: its Result with `more` to tell of it, then its errors with the meaning of their codes."""
    message = message_of(arrival.body)
    reply = reply_in(message)
    if message is None or reply is None:
        out.print(Text(f"    reply: {printable(arrival.body[:200].decode('utf-8', 'replace'))}"), soft_wrap=True)
        return
    style = "green" if reply.result == "OK" else "yellow"
    out.print(Text.assemble((f"    {message.kind}: {reply.result}", style), printable(more)), soft_wrap=True)
    for error in reply.errors:
        told = meaning(error.code.strip())
        reason = (error.reason or "").strip()
        told += f"; {error.level}" if error.level else ""
        show_indented(f"{told}: {reason}" if reason and reason not in told else told, indent=8)
        if error.details:
            show_indented(error.details, indent=8, style="dim")


async def why_silent(partner: "Partner", context: str, what: str, wait: float) -> str:
    """Say why nothing came: no gateway is there to answer, or `what` is missing within so many seconds."""
    from gateway.broker.topology import intake_queue  # noqa: PLC0415 - quick start of the other commands

    _, consumers = await partner.depth(intake_queue(context)) or (0, 0)
    if not consumers:
        return f"no gateway serves the context {context} on this broker: the message waits (cimgate run)"
    return f"{what} within {wait:g} s; `cimgate routes explain` tells which systems have it"
