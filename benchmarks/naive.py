"""The measure: a gateway as aio-pika's manual would have it. One task a message, publish awaited, prefetch 200.

It parses, validates envelope and payload with lxml, routes by noun and acknowledges each message; no rules, no
diagnostics, no dead letters. Used by throughput.py alone.
"""

import asyncio
import os
import sys

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from lxml import etree

from gateway.resources import shipped

ENVELOPE = "{http://iec.ch/TC57/2011/schema/message}"


async def main(url: str, ready: str) -> None:
    """Serve until killed."""
    schemas = shipped("schemas")
    envelope = etree.XMLSchema(file=str(schemas / "message-2011.xsd"))
    payloads = {"MeterReadings": etree.XMLSchema(file=str(schemas / "MeterReadings.xsd"))}
    routes = {"MeterReadings": "cim.MDM"}
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    connection = await aio_pika.connect_robust(url)
    channel = await connection.channel(on_return_raises=True)
    await channel.set_qos(prefetch_count=200)
    queue = await channel.get_queue("cim.in.TESTING")

    async def handle(message: AbstractIncomingMessage) -> None:
        async with message.process():
            root = etree.fromstring(message.body, parser)
            if not envelope.validate(root):
                return
            noun = root.findtext(f"{ENVELOPE}Header/{ENVELOPE}Noun", "")
            payload = root.find(f"{ENVELOPE}Payload")
            if payload is None or not payloads[noun].validate(payload[0]):
                return
            outbound = aio_pika.Message(
                message.body,
                content_type="application/xml",
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                correlation_id=message.correlation_id,
            )
            await channel.default_exchange.publish(outbound, routes[noun], mandatory=True)

    await queue.consume(handle)
    with open(ready, "w") as file:  # noqa: ASYNC230, PTH123 - once, before any work
        file.write(str(os.getpid()))
    await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
