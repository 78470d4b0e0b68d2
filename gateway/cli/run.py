"""`cimgate run`: the gateway itself, until a signal ends it."""

import asyncio
import os
import signal
from collections import deque

import typer

from gateway.cli._shared import app, command, load_settings


@command(app)
def run(ctx: typer.Context) -> None:
    """Serve: take messages off the broker, check, route and deliver them, until SIGTERM or Ctrl-C.

    The first signal finishes what is in hand, a second one stops at once; nothing is lost either way. SIGHUP reads
    routes and schemas again.
    """
    from gateway import logs  # noqa: PLC0415 - quick start of the other commands

    settings = load_settings(ctx)
    logs.configure(settings.log_level, settings.log_format)

    async def serve() -> None:
        from gateway.app import Gateway  # noqa: PLC0415

        gateway = Gateway(settings)
        loop = asyncio.get_running_loop()
        reloads: deque[asyncio.Future[None]] = deque(maxlen=1)  # the loop itself holds tasks weakly

        def stop() -> None:
            gateway.stop()
            for number in (signal.SIGTERM, signal.SIGINT):
                # What is not acknowledged comes again from the broker, so leaving at once loses nothing.
                loop.add_signal_handler(number, lambda: os._exit(130))

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: reloads.append(asyncio.ensure_future(gateway.reload())))
        await gateway.run()

    asyncio.run(serve())
