"""What the network can do between gateway and broker: it is noticed, and nothing is lost."""

import asyncio
from pathlib import Path

from tests.e2e.harness import SYSTEMS, account, depth, drain, running, send_all, until
from tests.e2e.proxy import Proxy
from tests.e2e.traffic import readings

QUEUES = (*SYSTEMS, "cim.dead", "cim.in.TESTING", "cim.in.unbound")


async def _empty(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0


async def _at_least(url: str, queue: str, count: int) -> bool:
    return await depth(url, queue) >= count


async def test_cut_connections_lose_nothing(amqp_url: str, tmp_path: Path) -> None:
    samples = list(readings(2_000))
    async with Proxy(amqp_url) as proxy, running(proxy.url, tmp_path, prefetch="50", batch="10") as gateway:
        await send_all(amqp_url, samples)
        await until(lambda: _at_least(amqp_url, "cim.MDM", 100), "it is at work")
        proxy.cut()
        await until(lambda: bool(gateway.events("session lost")), "it noticed")
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, QUEUES), repeats=True)


async def test_a_half_open_network_is_noticed_by_the_heartbeat(amqp_url: str, tmp_path: Path) -> None:
    samples = list(readings(50))
    async with Proxy(amqp_url) as proxy, running(proxy.url, tmp_path, heartbeat="1") as gateway:
        proxy.silence()
        await until(lambda: bool(gateway.events("session lost")), "it noticed")
        proxy.flow()
        await until(lambda: len(gateway.events("serving")) >= 2, "it serves again")
        await send_all(amqp_url, samples)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, QUEUES), repeats=True)


async def test_confirms_that_stay_out_end_the_session_and_nothing_is_lost(amqp_url: str, tmp_path: Path) -> None:
    samples = list(readings(2_000))
    settings = {"confirm_timeout": "1", "prefetch": "50", "batch": "10"}
    async with Proxy(amqp_url) as proxy, running(proxy.url, tmp_path, **settings) as gateway:
        sending = asyncio.create_task(send_all(amqp_url, samples))  # the gateway is not done before the silence begins
        await until(lambda: _at_least(amqp_url, "cim.MDM", 50), "it is at work")
        proxy.silence()
        await sending
        await until(lambda: bool(gateway.events("session lost")), "it noticed")
        assert "confirm" in gateway.events("session lost")[0]["reason"]
        proxy.flow()
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, QUEUES), repeats=True)


async def test_a_slow_network_loses_nothing(amqp_url: str, tmp_path: Path) -> None:
    samples = list(readings(300))
    async with Proxy(amqp_url) as proxy, running(proxy.url, tmp_path):
        proxy.slow(0.02)
        await send_all(amqp_url, samples)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, QUEUES))
