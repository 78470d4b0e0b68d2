"""Prints outage events as they come, without those that a system sends itself: a subscriber to `cim.out`.

    python docs/follow_outages.py OWN-SOURCE

The broker is the one of the gateway's settings. Ends with the connection.
"""

# ruff: noqa: INP001 - a folder of texts, no package

import asyncio
import sys

import aio_pika

from gateway.settings import load


async def follow(own: str) -> None:
    """Bind and print, for ever."""
    settings = load()
    async with await aio_pika.connect(settings.broker_url()) as connection:
        channel = await connection.channel()
        # A headers exchange of our own takes the end device events of cim.out, and our queue those of domain 26, power.
        outages = await channel.declare_exchange("example.outages", aio_pika.ExchangeType.HEADERS, auto_delete=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(outages, arguments={"x-match": "all", "cim-domain:26": True})
        await outages.bind("cim.out", f"{settings.context}.EVENTS.EndDeviceEvents.*")
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        async with queue.iterator() as events:
            async for event in events:
                if event.headers.get("cim-source") != own:  # our own events come to us too
                    sys.stdout.write(
                        f"{event.type} from {event.headers['cim-source']}: {event.headers['cim-devices']} devices\n"
                    )
                    sys.stdout.flush()
                await event.ack()


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the source
        sys.exit(__doc__)
    asyncio.run(follow(sys.argv[1]))
