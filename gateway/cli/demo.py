"""`cimgate demo`: a small day of a utility on a real broker, every message accounted for."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._shared import CommandError, ExitCode, app, command, counted, load_settings, out, show_indented

if TYPE_CHECKING:
    from gateway.broker.partner import Partner
    from gateway.cli._day import Ledger, Step
    from gateway.settings import Settings

_READY_WITHIN: Final = 30.0
_OUTCOME_WITHIN: Final = 10.0
_POLL: Final = 0.05
_STORE: Final = "demo.db"


@command(app)
def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Option("--run-folder", help="Where the private broker and the log live.")] = Path(
        ".run"
    ),
) -> None:
    """Play a small day of a utility through a real gateway and broker, and account for every message.

    Without CIMGATE_AMQP_URL a private RabbitMQ node is started on a loopback port, and stopped again. Exit status 0
    only if everything became of the messages that should have.
    """
    from gateway import logs  # noqa: PLC0415 - quick start of the other commands

    logs.configure("warning")  # the node tells of itself; here the day does
    settings = load_settings(ctx, context="TESTING")
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob(f"{_STORE}*"):  # the day before would answer for this one: its requests have the same ids
        file.unlink()
    started = time.monotonic()
    right, total = asyncio.run(_demo(settings, folder))
    seconds = time.monotonic() - started
    out.print()
    out.print(Text(f"{right} of {total} messages ended as expected, in {seconds:.0f} s.", style="bold"))
    out.print(
        Text(
            f"The gateway's log: {folder / 'demo-gateway.log'}. What was asked and answered:\n"
            f"CIMGATE_STORE=sqlite:///{folder / _STORE} {sys.argv[0]} conversations list",
            style="dim",
        )
    )
    if right != total:
        raise typer.Exit(ExitCode.NOT_FINE)


async def _demo(settings: "Settings", folder: Path) -> tuple[int, int]:
    from gateway import resources  # noqa: PLC0415 - quick start of the other commands
    from gateway.broker.partner import Partner  # noqa: PLC0415
    from gateway.broker.session import Access  # noqa: PLC0415
    from gateway.broker.topology import DEAD  # noqa: PLC0415
    from gateway.cli._day import Ledger, load_day  # noqa: PLC0415
    from gateway.rulebook import route_table  # noqa: PLC0415
    from gateway.wiring import addresses  # noqa: PLC0415

    steps = load_day(resources.examples())
    systems = {address.routing_key: name for name, address in addresses(route_table(settings)).items()}
    ledger = Ledger(steps, systems, DEAD)
    async with _broker(settings, folder) as url, await Partner.open(Access(url, "cimgate-demo")) as partner:
        await _only_empty_queues(partner, list(systems), settings)
        async with _gateway(url, folder):
            for queue in systems:
                await partner.watch(queue)
            await partner.watch(DEAD)
            out.print(Text("The day", style="bold"))
            for step in steps:
                await _play(partner, ledger, step, settings)
        # The gateway has finished all it had in hand; whatever it published is in the queues by now.
        await _collect_rest(partner, ledger, [*systems, DEAD])
    for step in steps:
        if not ledger.right(step):
            out.print(
                Text(
                    f"{step.file}: expected {_told(step.expected)}, saw {_told(ledger.became[step.file].outcomes)}",
                    style="red",
                )
            )
    for stray in ledger.strays:
        out.print(Text(f"not expected: {stray}", style="red"))
    right = sum(ledger.right(step) for step in steps)
    return (right if not ledger.strays else right - 1), len(steps)


async def _play(partner: "Partner", ledger: "Ledger", step: "Step", settings: "Settings") -> None:
    from gateway.broker.partner import intake_key  # noqa: PLC0415
    from gateway.broker.topology import intake_queue  # noqa: PLC0415

    header, kind = (step.message.header, step.message.kind) if step.message else (None, None)
    await partner.send(step.body, intake_key(settings.context, header, kind))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_OUTCOME_WITHIN):
            while not ledger.complete(step):
                answer = ledger.book(await partner.arrivals.get())
                if answer:
                    await partner.send_to_queue(answer, intake_queue(settings.context))
    became = ledger.became[step.file]
    fine = ledger.right(step)
    mark = ("as expected", "green") if fine else ("NOT AS EXPECTED", "bold red")
    out.print(Text.assemble((f"  {step.title}", "bold"), f"  {Path(step.file).name}  ", mark), soft_wrap=True)
    show_indented(_told(became.outcomes), indent=6, style="" if not became.text else "yellow")
    if became.text:
        show_indented(became.text, indent=6)
        show_indented(became.advice, indent=6, style="dim")


def _told(outcomes: dict[str, int]) -> str:
    words = [
        name if count == 1 else f"{name} ({count} times)"
        for name, count in sorted(outcomes.items(), key=_last_what_is_answered)
    ]
    return ", ".join(words) or "nothing"


def _last_what_is_answered(outcome: tuple[str, int]) -> tuple[bool, str]:
    return outcome[0].startswith("reply"), outcome[0]


async def _collect_rest(partner: "Partner", ledger: "Ledger", queues: list[str]) -> None:
    async with asyncio.timeout(_OUTCOME_WITHIN):
        while True:
            while not partner.arrivals.empty():
                ledger.book(partner.arrivals.get_nowait())
            depths = [await partner.depth(queue) for queue in queues]
            if not any(depth and depth[0] for depth in depths) and partner.arrivals.empty():
                return
            await asyncio.sleep(_POLL)


@contextlib.asynccontextmanager
async def _broker(settings: "Settings", folder: Path) -> AsyncIterator[str]:
    from gateway.broker.private_node import NodeUnavailable, PrivateNode  # noqa: PLC0415
    from gateway.settings import Settings  # noqa: PLC0415

    if settings.broker_url() != Settings().broker_url():
        out.print(Text("Broker: the one of CIMGATE_AMQP_URL.", style="dim"))
        yield settings.broker_url()
        return
    began = time.monotonic()
    node = PrivateNode(folder / "rabbitmq")
    try:
        await node.start()
    except NodeUnavailable as error:
        raise CommandError(str(error), code=ExitCode.BROKER) from error
    try:
        took = time.monotonic() - began
        out.print(Text(f"Broker: a private RabbitMQ node on loopback, up in {took:.1f} s.", style="dim"))
        yield node.url
    finally:
        await node.stop()


@contextlib.asynccontextmanager
async def _gateway(url: str, folder: Path) -> AsyncIterator[None]:
    """Run `cimgate run` as a process of its own until the block ends; then let it finish and leave."""
    ready, log_file = folder / "demo-ready", folder / "demo-gateway.log"
    ready.unlink(missing_ok=True)
    environment = os.environ | {
        "CIMGATE_AMQP_URL": url,
        "CIMGATE_READY_FILE": str(ready.absolute()),
        "CIMGATE_LOG_FORMAT": "json",
        "CIMGATE_CONTEXT": "TESTING",
        "CIMGATE_STORE": f"sqlite:///{folder / _STORE}",
    }
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway.cli", "run", env=environment, stdout=log, stderr=log
        )
        try:
            async with asyncio.timeout(_READY_WITHIN):
                while not ready.exists():
                    if process.returncode is not None:
                        raise CommandError(f"The gateway ended at once; see {log_file}.", code=ExitCode.NOT_FINE)
                    await asyncio.sleep(_POLL)
            yield
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()


async def _only_empty_queues(partner: "Partner", queues: list[str], settings: "Settings") -> None:
    """Refuse to play where somebody else is at work: the demo takes everything from the systems' queues."""
    from gateway.broker.topology import DEAD, intake_queue  # noqa: PLC0415

    for queue in [*queues, DEAD, intake_queue(settings.context)]:
        depth = await partner.depth(queue)
        if depth is not None and depth != (0, 0):
            raise CommandError(
                f"The queue {queue} is in use ({counted(depth[0], 'message')}, {counted(depth[1], 'consumer')}).",
                "The demo takes all from these queues: give it a broker or a virtual host of its own.",
                ExitCode.BROKER,
            )
