"""A message published while the topology is being declared is never without a place."""

import asyncio
from dataclasses import replace

import aio_pika
from aio_pika.exceptions import AMQPError
from structlog.testing import capture_logs

from gateway.broker import Delivery, Failure, Session
from gateway.broker.outage_queue import OUTAGES, outage_bindings
from gateway.broker.session import Access, connect
from gateway.broker.topology import apply, topology_of
from gateway.endpoints import AmqpAddress, Publication
from gateway.outages import OutageCodes


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


class Deaf:
    """Nothing is published here."""

    def settled(self, delivery: Delivery) -> None: ...

    def failed(self, delivery: Delivery, publication: Publication, failure: Failure) -> None: ...

    def progressed(self) -> None: ...


async def test_a_queue_that_the_settings_left_behind_is_told_of_because_it_fills_up(amqp_url: str) -> None:
    access = Access(amqp_url, "test")
    view = (OUTAGES, outage_bindings(OutageCodes(), OUTAGES.name))
    connection = await connect(access, "topology")
    await apply(connection, topology_of("TESTING", [], views=[view]))
    await connection.close()
    wanted = replace(topology_of("TESTING", []), unused=(OUTAGES.name, "cim.other"))
    with capture_logs() as logs:
        session = await Session.open(access, wanted, Deaf(), prefetch=1, on_blocked=lambda _: None)
        await session.close()
    assert [(line["queue"], line["waiting"]) for line in logs if line["log_level"] == "warning"] == [("cim.outages", 0)]
