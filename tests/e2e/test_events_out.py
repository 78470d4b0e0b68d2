"""Events on cim.out: once each, for whoever binds a queue; and the events that follow from requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
from lxml import etree

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from tests.e2e.harness import GatewayProcess, depth, drain, running, take, until
from tests.e2e.traffic import Parts, key_of, parts

FINAL = "http://iec.ch/TC57/2011/schema/message"
M = f"{{{FINAL}}}"
BASE = "http://iec.ch/TC57/2011/"


class Subscriber:
    """A program that has bound a queue of its own to cim.out."""

    def __init__(self, queue: aio_pika.abc.AbstractQueue) -> None:
        self._queue = queue
        self.heard: list[aio_pika.abc.AbstractIncomingMessage] = []

    async def next(self) -> aio_pika.abc.AbstractIncomingMessage:
        await until(self._look, "the subscriber hears an event")
        return self.heard[-1]

    async def _look(self) -> bool:
        message = await self._queue.get(no_ack=True, fail=False)
        if message is not None:
            self.heard.append(message)
        return message is not None

    async def hears_no_more(self) -> bool:
        return not await self._look()


@asynccontextmanager
async def subscribed(
    url: str, key: str = "TESTING.EVENTS.#", match: dict[str, Any] | None = None
) -> AsyncIterator[Subscriber]:
    """Bind by routing key, or (`match`) by headers through a headers exchange of one's own."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        if match is None:
            await queue.bind("cim.out", key)
        else:
            exchange = await channel.declare_exchange(
                "outages.of.a.test", aio_pika.ExchangeType.HEADERS, auto_delete=True
            )
            await queue.bind(exchange, arguments=match)
            await exchange.bind("cim.out", key)
        yield Subscriber(queue)


def routes(folder: Path, **systems: str) -> None:
    """Write routing tables: for each system its routes, each `noun verb more`."""
    (folder / "routes").mkdir()
    for name, text in systems.items():
        tables = "".join(
            f'[[route]]\nnoun = "{noun}"\nverbs = ["{verb}"]\n{"".join(more)}\n'
            for noun, verb, *more in (line.strip().split(maxsplit=2) for line in text.strip().splitlines())
        )
        (folder / "routes" / f"{name.lower()}.toml").write_text(f'[system]\nname = "{name}"\n{tables}')


async def send(url: str, made: Parts) -> None:
    await send_raw(url, made.xml(), key_of(made))


async def send_raw(url: str, body: bytes, key: str) -> None:
    async with await Partner.open(Access(url, "sender")) as partner:
        await partner.send(body, key)


async def idle(url: str, gateway: GatewayProcess) -> None:
    """Wait until everything that came in is settled."""

    async def empty() -> bool:
        return await depth(url, "cim.in.TESTING") == 0

    await until(empty, "the intake is empty")
    assert await gateway.stop() == 0


def said(body: bytes, path: str) -> str | None:
    return etree.fromstring(body).findtext("/".join(M + step for step in path.split("/")))


async def test_an_event_reaches_its_systems_and_once_every_subscriber(amqp_url: str, tmp_path: Path) -> None:
    made = parts("EndDeviceEvents", "created")
    async with running(amqp_url, tmp_path) as gateway, subscribed(amqp_url) as one, subscribed(amqp_url) as two:
        await send(amqp_url, made)
        heard = [await one.next(), await two.next()]
        await idle(amqp_url, gateway)
        assert await one.hears_no_more()
    for message in heard:
        assert message.body == made.xml()
        assert message.routing_key == "TESTING.EVENTS.EndDeviceEvents.created"
        assert (message.app_id, message.correlation_id) == ("GEN", made.id)
        headers = message.headers
        assert headers["cim-event:3.26.0.85"] is True
        assert headers["cim-domain:26"] is True
        assert (headers["cim-source"], headers["cim-message-id"]) == ("GEN", made.id)
    taken = await drain(amqp_url, ["cim.MDM", "cim.OMS", "cim.dead"])
    assert {queue: len(arrivals) for queue, arrivals in taken.items()} == {"cim.MDM": 1, "cim.OMS": 1}


async def test_a_headers_binding_hears_of_outages_alone(amqp_url: str, tmp_path: Path) -> None:
    match = {"x-match": "all", "cim-domain:26": True, "cim-source": "GEN"}
    async with running(amqp_url, tmp_path) as gateway, subscribed(amqp_url, match=match) as outages:
        for code in ("3.12.0.257", "3.26.0.85", "3.12.0.258"):
            await send(amqp_url, parts("EndDeviceEvents", "created", event=code))
        heard = await outages.next()
        assert heard.headers["cim-event:3.26.0.85"] is True
        await idle(amqp_url, gateway)
        assert await outages.hears_no_more()


async def test_an_event_that_only_subscribers_want_is_no_dead_letter(amqp_url: str, tmp_path: Path) -> None:
    routes(tmp_path, MDM="MeterReadings created")
    async with running(amqp_url, tmp_path) as gateway:
        async with subscribed(amqp_url, "TESTING.EVENTS.EndDeviceEvents.*") as subscriber:
            await send(amqp_url, parts("EndDeviceEvents", "created"))
            await subscriber.next()
        await idle(amqp_url, gateway)
    assert await depth(amqp_url, "cim.dead") == 0


async def test_an_event_that_neither_system_nor_subscriber_takes_is_kept_with_the_reason(
    amqp_url: str, tmp_path: Path
) -> None:
    routes(tmp_path, MDM="MeterReadings created")
    made = parts("EndDeviceEvents", "created")
    async with running(amqp_url, tmp_path), subscribed(amqp_url, "TESTING.EVENTS.MeterReadings.*") as subscriber:
        await send(amqp_url, made)
        [dead] = await take(amqp_url, "cim.dead", 1)
        assert await subscriber.hears_no_more()
    assert dead.body == made.xml()
    assert (dead.headers["reason"], dead.headers["code"], dead.headers["rule"]) == ("unroutable", "2.5", "no-route")


async def test_an_event_that_a_system_takes_needs_no_subscriber(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path) as gateway:
        await send(amqp_url, parts("MeterReadings", "created"))
        await take(amqp_url, "cim.MDM", 1)
        await idle(amqp_url, gateway)
    assert await depth(amqp_url, "cim.dead") == 0


async def test_where_events_are_not_published_subscribers_hear_nothing(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, publish_events="false") as gateway, subscribed(amqp_url) as subscriber:
        await send(amqp_url, parts("MeterReadings", "created"))
        await take(amqp_url, "cim.MDM", 1)
        await idle(amqp_url, gateway)
        assert await subscriber.hears_no_more()


async def test_requests_and_refused_events_are_not_published(amqp_url: str, tmp_path: Path) -> None:
    wrong = parts("MeterReadings", "created")
    wrong.context = "PRODUCTION"
    async with running(amqp_url, tmp_path) as gateway, subscribed(amqp_url, "#") as subscriber:
        await send(amqp_url, wrong)
        await send(amqp_url, parts("MeterReadings", "get"))
        await take(amqp_url, "cim.dead", 1)
        await take(amqp_url, "cim.MS", 1)
        await idle(amqp_url, gateway)
        assert await subscriber.hears_no_more()
