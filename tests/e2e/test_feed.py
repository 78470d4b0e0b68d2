"""The feed of a running gateway: from an event that a system sends to the client that hears of it."""

import json
import socket
from pathlib import Path

import aio_pika
import aiohttp

from gateway.broker._processes import free_ports
from tests.e2e.harness import GatewayProcess, running, send_all
from tests.e2e.traffic import Sample, key_of, parts
from tests.feed.clients import Client


async def test_an_event_that_a_system_sends_is_heard_over_http_and_none_is_missed_over_a_restart(
    amqp_url: str, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    settings = json.dumps({"listen": f"127.0.0.1:{port}", "heartbeat": 0.2})
    address = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        async with running(amqp_url, tmp_path, feed=settings) as gateway:
            await make_subscription(amqp_url, "outages", {"cim-domain:26": True})
            await send(amqp_url, "3.12.0.257", "3.26.0.85")
            async with session.get(f"{address}/subscriptions/outages/events?from=first") as response:
                client = Client(response)
                told = await client.next()
                assert [code["name"] for code in told.data["codes"]] == ["Power.Failed"]
                assert await gateway.stop() == 0
                assert await client.ended()
        async with running(amqp_url, tmp_path, feed=settings) as gateway:
            await send(amqp_url, "3.26.0.216")
            headers = {"Last-Event-ID": told.id}
            async with session.get(f"{address}/subscriptions/outages/events", headers=headers) as response:
                told = await Client(response).next()
                assert [code["name"] for code in told.data["codes"]] == ["Power.Restored"]
            async with session.get(f"{address}/health") as response:
                assert (response.status, (await response.json())["status"]) == (200, "ok")


async def test_a_feed_that_cannot_listen_ends_the_gateway_with_what_to_do(amqp_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gateway = GatewayProcess(amqp_url, tmp_path, feed=json.dumps({"listen": f"127.0.0.1:{port}"}))
        await gateway.start(wait=False)
        assert gateway.process is not None
        assert await gateway.process.wait() == 2
    assert f"cimgate: The feed cannot listen at 127.0.0.1:{port}: address already in use. Give" in gateway.log()


async def make_subscription(url: str, name: str, match: dict[str, bool]) -> None:
    """Make what `cimgate subscriptions create --feed` makes on the broker."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(f"cim.sub.{name}", durable=True, arguments={"x-queue-type": "stream"})
        await queue.bind("cim.events", arguments={"x-match": "all", **match})


async def send(url: str, *codes: str) -> None:
    for code in codes:
        made = parts("EndDeviceEvents", "created", event=code)
        await send_all(url, [Sample(made.id, made.id, made.xml(), key_of(made))])
