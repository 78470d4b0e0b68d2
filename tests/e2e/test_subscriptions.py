"""Subscriptions: created by a command, from then on each gets in its own queue what its filter takes."""

import json
from pathlib import Path

from tests.e2e.harness import GatewayProcess, depth, drain, make_queue, running, until
from tests.e2e.subscribing import BACK, METER, POWER, event, send, subscriptions, taken
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
            said = await subscriptions(gateway, "create", name, *options)
            assert said.status == 0, said
            assert "It holds from now on" in said.out, said
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


async def test_a_creation_that_is_broken_off_anywhere_is_ended_by_the_same_command(
    amqp_url: str, tmp_path: Path
) -> None:
    options = ("outages", "--event", "*.26.0.85")
    async with running(amqp_url, tmp_path) as gateway:
        for point in ("subscription-kept", "subscription-declared"):
            assert (await subscriptions(gateway, "create", *options, crash=f"{point}:1")).status != 0
            assert "outages" in (await subscriptions(gateway, "list")).out
        said = await subscriptions(gateway, "create", *options)
        assert (said.status, "was there since" in said.out) == (0, True), said
        made = event(POWER)
        await send(amqp_url, made)
        other = await subscriptions(gateway, "create", "outages", "--event", "*.26.*.*")
        assert other.status == 1
        assert "there already, with another filter" in other.err
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "outages") == {"outages": [made.id]}


async def test_a_gateway_makes_the_queues_that_the_broker_has_lost(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path) as gateway:
        assert (await subscriptions(gateway, "create", "all")).status == 0
        assert (await subscriptions(gateway, "create", "mine", "--device", "M-1")).status == 0
    gateway = GatewayProcess(amqp_url, tmp_path)
    async with running(amqp_url, tmp_path / "other") as other:  # whose store knows of no subscription
        for name in ("all", "mine"):
            await remove_queue(amqp_url, f"cim.sub.{name}")
        await other.stop()
    await gateway.start()
    made = event(POWER)
    await send(amqp_url, made)
    await settled(amqp_url, gateway)
    assert await taken(amqp_url, "all", "mine") == {"all": [made.id], "mine": [made.id]}


async def remove_queue(url: str, name: str) -> None:
    import aio_pika  # noqa: PLC0415 - as an operator would by hand

    async with await aio_pika.connect(url) as connection:
        await (await connection.channel()).queue_delete(name)


async def test_a_queue_of_that_name_with_other_settings_is_told_and_stops_nothing(
    amqp_url: str, tmp_path: Path
) -> None:
    await make_queue(amqp_url, "cim.sub.feed")
    async with running(amqp_url, tmp_path) as gateway:
        said = await subscriptions(gateway, "create", "feed", "--feed")
        assert said.status == 3
        assert "queue cim.sub.feed exists on the broker with other settings" in said.err
        assert (await subscriptions(gateway, "create", "all")).status == 0
        await until(lambda: bool(gateway.events("a subscription has no queue")), "the log tells it")
        await send(amqp_url, made := event(POWER))
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "all") == {"all": [made.id]}


async def test_one_with_waiting_events_is_deleted_only_if_they_may_be_lost(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path) as gateway:
        for name, options in {"all": [], "mine": ["--device", "M-1"]}.items():
            assert (await subscriptions(gateway, "create", name, *options)).status == 0
        await send(amqp_url, made := event(POWER))

        async def told() -> bool:
            said = await subscriptions(gateway, "lag", "--json")
            return [json.loads(line)["waiting"] for line in said.out.splitlines()] == [1, 1]

        await until(told, "both have an event waiting")
        refused = await subscriptions(gateway, "delete", "all")
        assert refused.status == 1
        assert "1 event waits in its queue" in refused.err
        assert (await subscriptions(gateway, "delete", "mine", "--discard")).out == (
            "The subscription mine is deleted, and 1 event with it.\n"
        )
        assert [
            json.loads(line)["name"] for line in (await subscriptions(gateway, "list", "--json")).out.splitlines()
        ] == ["all"]
        assert (await subscriptions(gateway, "delete", "mine")).status == 1
        await send(amqp_url, again := event(POWER))
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "all") == {"all": [made.id, again.id]}
    assert await depth(amqp_url, "cim.sub.mine") == -1


async def test_a_deletion_that_is_broken_off_anywhere_is_ended_by_the_same_command(
    amqp_url: str, tmp_path: Path
) -> None:
    async with running(amqp_url, tmp_path) as gateway:
        for point in ("subscription-ended", "subscription-undeclared"):
            assert (await subscriptions(gateway, "create", "mine", "--device", "M-1")).status == 0
            assert (await subscriptions(gateway, "delete", "mine", crash=f"{point}:1")).status != 0
            refused = await subscriptions(gateway, "create", "mine", "--device", "M-1")
            assert "is being deleted" in refused.err, refused
            assert (await subscriptions(gateway, "delete", "mine")).status == 0
            assert "There are no subscriptions" in (await subscriptions(gateway, "list")).out
    assert await depth(amqp_url, "cim.sub.mine") == -1


async def test_no_stranger_has_answers_sent_to_the_queue_of_a_subscription(amqp_url: str, tmp_path: Path) -> None:
    request = parts("MeterReadings", "get")
    request.after_source = "    <AckRequired>true</AckRequired>\n    <ReplyAddress>queue:cim.sub.all</ReplyAddress>\n"
    request.verb = "Get"  # refused, so that an answer is due
    async with running(amqp_url, tmp_path) as gateway:
        assert (await subscriptions(gateway, "create", "all")).status == 0
        await send(amqp_url, request)
        await settled(amqp_url, gateway)
    assert await taken(amqp_url, "all") == {"all": []}
    [letter] = (await drain(amqp_url, ["cim.dead"]))["cim.dead"]
    assert "is a queue of the gateway's own" in str(letter.headers["answered"])
