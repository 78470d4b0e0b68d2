"""Prints outage events as they come, without those that a system sends itself: a queue bound to `cim.events`.

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
        queue = await channel.declare_queue(exclusive=True)
        wanted = {"x-match": "all", "cim-noun": "EndDeviceEvents", "cim-domain:26": True}  # domain 26 is power
        await queue.bind("cim.events", arguments=wanted)
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
