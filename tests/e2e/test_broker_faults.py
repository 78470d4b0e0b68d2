"""What the broker can do to the gateway, each by name: it comes back, says why, and loses nothing."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

from yarl import URL

from tests.conftest import Broker
from tests.e2e.harness import SYSTEMS, GatewayProcess, account, depth, drain, make_queue, running, send_all, take, until
from tests.e2e.traffic import Sample, key_of, parts, readings

QUEUES = (*SYSTEMS, "cim.dead", "cim.in.TESTING", "cim.in.unbound")


async def _empty(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0


async def test_a_refused_login_ends_the_start_with_a_clear_message(amqp_url: str, tmp_path: Path) -> None:
    wrong = str(URL(amqp_url).with_user("nobody").with_password("wrong"))
    gateway = GatewayProcess(wrong, tmp_path)
    await gateway.start(wait=False)
    assert gateway.process is not None
    assert await asyncio.wait_for(gateway.process.wait(), 30) == 3
    assert "refuses the login" in gateway.log()
    assert "CIMGATE_AMQP_URL" in gateway.log()
    assert ":wrong@" not in gateway.log()


async def test_the_gateway_waits_for_a_broker_that_is_not_up_yet(tmp_path: Path) -> None:
    gateway = GatewayProcess("amqp://guest:guest@127.0.0.1:9/", tmp_path)
    await gateway.start(wait=False)
    await until(lambda: len(gateway.events("broker not available, trying again")) >= 2, "two attempts")
    assert await gateway.stop() == 0


async def test_consumption_resumes_after_all_connections_were_closed(
    broker: Broker, amqp_url: str, tmp_path: Path
) -> None:
    first, second = list(readings(300)), list(readings(300))
    async with running(amqp_url, tmp_path) as gateway:
        await send_all(amqp_url, first)
        await broker.close_connections()
        await until(lambda: bool(gateway.events("session lost")), "the gateway noticed")
        await until(lambda: len(gateway.events("serving")) >= 2, "it serves again")
        await send_all(amqp_url, second)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account([*first, *second], await drain(amqp_url, QUEUES), repeats=True)


async def test_a_deleted_intake_queue_is_declared_again_and_consumed(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path
) -> None:
    samples = list(readings(50))
    async with running(amqp_url, tmp_path) as gateway:
        await broker.ctl("delete_queue", "--vhost", vhost, "cim.in.TESTING")
        await until(lambda: len(gateway.events("serving")) >= 2, "it serves again")
        await send_all(amqp_url, samples)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, QUEUES))


async def test_a_receiver_without_a_queue_gets_a_dead_letter_that_names_it(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path
) -> None:
    samples = list(readings(20))
    async with running(amqp_url, tmp_path):
        await broker.ctl("delete_queue", "--vhost", vhost, "cim.CIS")
        await send_all(amqp_url, samples)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    taken = await drain(amqp_url, QUEUES)
    assert {arrival.body for arrival in taken["cim.MDM"]} == {sample.body for sample in samples}
    assert {arrival.body for arrival in taken["cim.dead"]} == {sample.body for sample in samples}
    for letter in taken["cim.dead"]:
        assert (letter.headers["reason"], letter.headers["receiver"]) == ("undeliverable", "queue:cim.CIS")


async def test_a_full_receiver_is_retried_and_holds_up_nobody(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path
) -> None:
    asked = [parts("EndDeviceControls", "create") for _ in range(100)]
    others = [Sample("", made.id, made.xml(), key_of(made), to=frozenset({"MS"})) for made in asked]
    async with running(amqp_url, tmp_path) as gateway:
        policy = '{"max-length": 1, "overflow": "reject-publish"}'
        await broker.ctl("set_policy", "--vhost", vhost, "--apply-to", "queues", "full", "^cim\\.CIS$", policy)
        # A quorum queue heeds its limit a little late, so more is sent until one is refused.
        full: list[Sample] = []
        while not gateway.events("receiver takes no more, retrying"):
            assert len(full) < 500, "never refused"
            more = list(readings(5))
            full += more
            await send_all(amqp_url, more)
            await until(lambda: _empty(amqp_url), "the intake is empty")
        await send_all(amqp_url, others)
        await until(lambda: _at_least(amqp_url, "cim.MS", 100), "the others went through")
        # The receiver comes back: it reads its queue, and what was refused arrives by and by.
        taken = {"cim.CIS": await take(amqp_url, "cim.CIS", len(full))}
    account([*full, *others], taken | await drain(amqp_url, [queue for queue in QUEUES if queue != "cim.CIS"]))


async def test_a_memory_alarm_pauses_and_nothing_is_lost(broker: Broker, amqp_url: str, tmp_path: Path) -> None:
    samples = list(readings(2_000))
    async with running(amqp_url, tmp_path):
        pass  # declares the topology and leaves
    await send_all(amqp_url, samples)
    await broker.ctl("set_vm_memory_high_watermark", "0.00001")
    async with running(amqp_url, tmp_path) as gateway:
        try:
            await until(lambda: bool(gateway.events("broker blocks publishing, intake pauses")), "it noticed")
        finally:
            await broker.ctl("set_vm_memory_high_watermark", "0.4")
        await until(lambda: bool(gateway.events("broker takes messages again")), "it heard the end of it")
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, QUEUES), repeats=True)


async def test_a_stop_at_full_load_finishes_what_is_in_hand_and_leaves_the_rest(amqp_url: str, tmp_path: Path) -> None:
    samples = list(readings(3_000))
    async with running(amqp_url, tmp_path):
        pass  # declares the topology and leaves
    await send_all(amqp_url, samples)
    gateway = GatewayProcess(amqp_url, tmp_path)
    await gateway.start()
    await until(lambda: _at_least(amqp_url, "cim.MDM", 300), "it is at work")
    assert await gateway.stop() == 0
    left = await drain(amqp_url, ["cim.in.TESTING"])
    delivered = await drain(amqp_url, SYSTEMS)
    waiting = {arrival.body for arrival in left["cim.in.TESTING"]}
    account([s for s in samples if s.body not in waiting], delivered)
    assert waiting, "stopped too late to show anything"


async def test_routes_are_reloaded_without_a_restart_and_bad_ones_refused(amqp_url: str, tmp_path: Path) -> None:
    made = parts("MeterReadSchedule", "created")
    async with running(amqp_url, tmp_path) as gateway:
        assert gateway.process is not None
        routes = tmp_path / "routes" / "oms.toml"
        good = routes.read_text()
        routes.write_text(good.replace('noun = "EndDeviceEvents"', 'noun = "EndDeviceEvent"'))
        gateway.process.send_signal(signal.SIGHUP)
        await until(lambda: bool(gateway.events("reload refused, the rules stay as they were")), "it refused")
        routes.write_text(
            good.replace('noun = "EndDeviceEvents"', 'noun = "MeterReadSchedule"').replace('events = ["*.26.*.*"]', "")
        )
        gateway.process.send_signal(signal.SIGHUP)
        await until(lambda: bool(gateway.events("routes and schemas reloaded")), "it reloaded")
        sample = replace(
            next(iter(readings(1))),
            id=made.id,
            body=made.xml(),
            key="TESTING.EVENTS.MeterReadSchedule.created",
            to=frozenset({"MDM", "OMS"}),
        )
        await send_all(amqp_url, [sample])
        await until(lambda: _at_least(amqp_url, "cim.OMS", 1), "the new route fires")
    account([sample], await drain(amqp_url, QUEUES))


async def test_a_reply_reaches_the_system_its_topic_names_and_unknown_ones_are_kept(
    amqp_url: str, tmp_path: Path
) -> None:
    made = parts("MeterReadings", "created")
    made.kind, made.verb = "ResponseMessage", "reply"
    made.reply, made.payload = "  <Reply><Result>OK</Result></Reply>\n", ""
    body = made.xml()
    known = replace(next(iter(readings(1))), id=made.id, body=body, key="TESTING.REPLY.CIS", to=frozenset({"CIS"}))
    other = parts(
        "MeterReadings",
        "created",
    )
    other.kind, other.verb, other.reply, other.payload = made.kind, made.verb, made.reply, ""
    unknown = replace(known, id=other.id, body=other.xml(), key="TESTING.REPLY.NOBODY", to=frozenset(), dead="5.2")
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path):
        await send_all(amqp_url, [known, unknown])
        await until(lambda: _at_least(amqp_url, "cim.dead", 1), "the unknown one is kept")
    account([known, unknown], await drain(amqp_url, QUEUES))


async def _at_least(url: str, queue: str, count: int) -> bool:
    return await depth(url, queue) >= count
