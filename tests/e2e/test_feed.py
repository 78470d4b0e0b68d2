"""The feed of a running gateway: from an event that a system sends to the client that hears of it."""

import json
import socket
from pathlib import Path

import aiohttp

from gateway.broker._processes import free_ports
from tests.conftest import Broker
from tests.e2e.harness import GatewayProcess, running
from tests.e2e.subscribing import BACK, METER, POWER, create, event, send
from tests.feed.clients import Client


async def test_an_event_that_a_system_sends_is_heard_over_http_and_none_is_missed_when_the_broker_restarts(
    broker: Broker, amqp_url: str, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    feed = json.dumps({"listen": f"127.0.0.1:{port}", "heartbeat": 0.2})
    async with running(amqp_url, tmp_path, feed=feed) as gateway, aiohttp.ClientSession() as session:
        await create(gateway, "outages", "--event", "*.26.*.*", "--feed")
        await send(amqp_url, event(METER, device="M-1"), event(POWER, device="M-2"))
        async with session.get(f"{address}/subscriptions/outages/events?from=first") as response:
            client = Client(response)
            told = await client.next()
            assert [power["text"] for power in told.data["power"]] == [
                "electric meter M-2 lost power on 2026-03-01 at 04:12:00 UTC"
            ]
            async with session.get(f"{address}/health") as health:
                assert (health.status, await health.json()) == (200, {"status": "ok", "clients": 1})
            await broker.restart()
            await send(amqp_url, *(event(BACK, POWER, device=f"M-{number}") for number in range(3, 6)))
            devices = [(await client.next()).data["devices"]["names"] for _ in range(3)]
            assert devices == [["M-3"], ["M-4"], ["M-5"]]
            assert "the events cannot be read for now; it goes on by itself" in client.comments
            assert await gateway.stop() == 0
            assert await client.ended()


async def test_a_feed_that_cannot_listen_ends_the_gateway_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gateway = GatewayProcess("amqp://no.broker/", tmp_path, feed=json.dumps({"listen": f"127.0.0.1:{port}"}))
        await gateway.start(wait=False)
        assert gateway.process is not None
        assert await gateway.process.wait() == 2
    assert f"cimgate: The feed cannot listen at 127.0.0.1:{port}: address already in use. Give" in gateway.log()
