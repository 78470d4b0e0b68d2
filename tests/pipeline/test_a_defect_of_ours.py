"""A defect of the gateway on one message must neither lose it nor stop the ones behind it."""

import asyncio
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from gateway.app import Gateway
from gateway.settings import Settings
from tests.e2e.harness import depth, drain, send_all, store_of, until
from tests.e2e.traffic import readings


async def test_a_message_that_makes_the_gateway_fail_is_kept_and_the_next_ones_pass(
    amqp_url: str, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    store = SecretStr(store_of(tmp_path))
    gateway = Gateway(Settings(amqp_url=SecretStr(amqp_url), store=store, context="TESTING", ready_file=ready))
    rules = gateway.rules
    gateway.rules = replace(rules, adapters={})  # the routes name systems that nobody has an adapter for
    running = asyncio.create_task(gateway.run())
    await until(ready.exists, "it serves")
    first, second = readings(2)
    await send_all(amqp_url, [first])
    await until(lambda: _holds(amqp_url, "cim.dead", 1), "a dead letter")
    gateway.rules = rules
    await send_all(amqp_url, [second])
    await until(lambda: _holds(amqp_url, "cim.MDM", 1), "the next one passes")
    gateway.stop()
    await running
    taken = await drain(amqp_url, ["cim.MDM", "cim.dead"])
    [letter] = taken["cim.dead"]
    assert letter.body == first.body
    assert (letter.headers["reason"], letter.headers["code"]) == ("internal-error", "5.3")
    assert "KeyError" in str(letter.headers["text"])
    assert [arrival.body for arrival in taken["cim.MDM"]] == [second.body]


async def _holds(url: str, queue: str, count: int) -> bool:
    return await depth(url, queue) >= count
