"""Subscriptions: created by a command, from then on each gets in its own queue what its filter takes."""

import json
from pathlib import Path

import aio_pika

from tests.e2e.harness import GatewayProcess, depth, make_queue, running, until
from tests.e2e.subscribing import BACK, METER, POWER, create, event, killed, send, subscriptions, taken
from tests.e2e.traffic import parts


async def settled(url: str, gateway: GatewayProcess) -> None:
    """Wait until all that came in is acknowledged: the gateway ends when it is."""

    async def empty() -> bool:
        return await depth(url, "cim.in.TESTING") == 0

    await until(empty, "the intake is empty")
    assert await gateway.stop() == 0


async def test_each_subscription_gets_what_its_filter_takes_from_when_the_command_says_so(
    amqp_url: str, tmp_path: Path
) -> None:
    wanted = {
        "all": [],
        "outages": ["--event", "*.26.*.*"],
        "failures": ["--event", "power.failed", "--noun", "EndDeviceEvents"],
        "restored": ["--event", BACK],
        "devices": ["--device", "M-7", "--device", "M-8"],
        "readings": ["--noun", "MeterReadings", "--verb", "created", "--source", "GEN"],
        "nobody": ["--source", "ELSE"],
    }
    many = [f"3.12.0.{number}" for number in range(1, 30)]
    failed, back, meter, full = event(POWER), event(BACK, device="M-7"), event(METER), event(*many, BACK, device="M-8")
    reading = parts("MeterReadings", "created")
    async with running(amqp_url, tmp_path) as gateway:
        for name, options in wanted.items():
            assert "It holds from now on" in await create(gateway, name, *options)
        await send(amqp_url, failed, back, meter, full, reading)
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, *wanted) == {
        "all": [failed.id, back.id, meter.id, full.id, reading.id],
        "outages": [failed.id, back.id, full.id],
        "failures": [failed.id],
        "restored": [back.id, full.id],
        "devices": [back.id, full.id],
        "readings": [reading.id],
        "nobody": [],
    }


async def test_what_is_broken_off_anywhere_is_ended_by_the_same_command(amqp_url: str, tmp_path: Path) -> None:
    outages = ("outages", "--event", "*.26.0.85")
    async with running(amqp_url, tmp_path) as gateway:
        for point in ("subscription-kept", "subscription-declared"):
            await killed(gateway, point, "create", *outages)
            assert "outages" in (await subscriptions(gateway, "list")).output
        assert "was there since" in await create(gateway, *outages)
        other = await subscriptions(gateway, "create", "outages", "--event", "*.26.*.*")
        assert other.exit_code == 1
        assert "there already, with another filter" in other.output
        await create(gateway, "gone")
        for point in ("subscription-ended", "subscription-undeclared"):
            await killed(gateway, point, "delete", "gone")
            assert "is being deleted" in (await subscriptions(gateway, "create", "gone")).output
        assert (await subscriptions(gateway, "delete", "gone")).exit_code == 0
        assert "gone" not in (await subscriptions(gateway, "list")).output
        await send(amqp_url, made := event(POWER))
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "outages") == {"outages": [made.id]}
    assert await depth(amqp_url, "cim.sub.gone") == -1


async def test_a_gateway_makes_the_queues_that_the_broker_has_lost(amqp_url: str, tmp_path: Path) -> None:
    gateway = GatewayProcess(amqp_url, tmp_path)
    await gateway.start()
    await create(gateway, "all")
    await gateway.stop()
    said = await create(gateway, "mine", "--device", "M-1")
    assert "from its start on" in said
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for name in ("all", "mine"):
            await channel.queue_delete(f"cim.sub.{name}")
    async with running(amqp_url, tmp_path) as gateway:
        await send(amqp_url, made := event(POWER))
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "all", "mine") == {"all": [made.id], "mine": [made.id]}


async def test_a_queue_with_other_settings_is_told_and_stops_nothing(amqp_url: str, tmp_path: Path) -> None:
    await make_queue(amqp_url, "cim.sub.feed")
    async with running(amqp_url, tmp_path) as gateway:
        said = await subscriptions(gateway, "create", "feed", "--feed")
        assert said.exit_code == 3
        assert "queue cim.sub.feed exists on the broker with other settings" in said.output
        await until(lambda: bool(gateway.events("a subscription has no queue")), "the log tells it")
        await create(gateway, "mine", "--device", "M-1")
        await send(amqp_url, made := event(POWER))
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "mine") == {"mine": [made.id]}


async def test_one_with_waiting_events_is_deleted_only_if_they_may_be_lost(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path) as gateway:
        await create(gateway, "all")
        await create(gateway, "mine", "--device", "M-1")
        await send(amqp_url, made := event(POWER))

        async def waiting() -> bool:
            said = await subscriptions(gateway, "lag", "--json")
            return [json.loads(line)["waiting"] for line in said.output.splitlines()] == [1, 1]

        await until(waiting, "both have an event waiting")
        refused = await subscriptions(gateway, "delete", "all")
        assert refused.exit_code == 1
        assert "1 event waits in its queue" in refused.output
        gone = await subscriptions(gateway, "delete", "mine", "--discard")
        assert gone.output == "The subscription mine is deleted, and 1 event with it.\n"
        listed = (await subscriptions(gateway, "list", "--json")).output.splitlines()
        assert [json.loads(line)["name"] for line in listed] == ["all"]
        assert (await subscriptions(gateway, "delete", "mine")).exit_code == 1
        await send(amqp_url, again := event(POWER))
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "all") == {"all": [made.id, again.id]}
    assert await depth(amqp_url, "cim.sub.mine") == -1
