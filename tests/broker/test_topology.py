"""A message published while the topology is being declared is never without a place."""

import asyncio

import aio_pika
from aio_pika.exceptions import AMQPError

from gateway.broker.session import Access, connect
from gateway.broker.topology import apply, topology_of
from gateway.endpoints import AmqpAddress


async def test_as_soon_as_the_exchange_exists_everything_published_has_a_queue(amqp_url: str) -> None:
    topology = topology_of("TESTING", [("MDM", AmqpAddress("", "cim.MDM"))])
    connection = await connect(Access(amqp_url, "test"), "topology")
    declaring = asyncio.create_task(apply(connection, topology))
    sent = 0
    async with await aio_pika.connect(amqp_url) as sender:
        while not declaring.done() or not sent:
            channel = await sender.channel(on_return_raises=True)
            try:
                exchange = await channel.get_exchange("cim.in", ensure=True)
            except AMQPError:
                continue  # not there yet
            while not declaring.done() or not sent:
                # Mandatory: it would come back as an error if no queue took it.
                await exchange.publish(aio_pika.Message(b"x"), "TESTING.EVENTS.MeterReadings.created", mandatory=True)
                sent += 1
    await declaring
    await connection.close()
    assert sent
