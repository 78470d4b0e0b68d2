"""The outage view in a running gateway: who has no power is kept, and the OMS is told what changes, once."""

import asyncio
import contextlib
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from gateway.store.outages.opening import outages_file
from tests.conftest import Broker
from tests.e2e.harness import PATIENCE, GatewayProcess, depth, running, store_of, take, until
from tests.e2e.outages import (
    BACK,
    GASP,
    LOST,
    METERS,
    OMS,
    ON,
    QUEUE,
    RESTORED,
    all_told,
    events,
    killed,
    oms_without_power_events,
    send,
    standing,
    told,
)


@contextlib.asynccontextmanager
async def watching(gateway: GatewayProcess) -> AsyncIterator[asyncio.StreamReader]:
    """`cimgate subscribe outages`, which ends by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "subscribe", "outages",
        env=gateway.environment | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        first = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert first == b"No device is without power or a phase now. Waiting for power events; Ctrl-C ends it.\n"
        yield process.stdout
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_oms_is_told_changes_alone_and_once(amqp_url: str, tmp_path: Path) -> None:
    """What the view cannot read is a dead letter, and holds up nothing. Who watches sees more, and in words."""
    oms_without_power_events(tmp_path)
    async with running(amqp_url, tmp_path, outages=ON) as gateway, watching(gateway) as watched:
        async with await Partner.open(Access(amqp_url, "stranger")) as partner:
            await partner.send_to_queue(b"<no message", QUEUE)
        gasp = events(GASP, ["M-1"], LOST)
        await send(amqp_url, gasp, gasp, events(RESTORED, ["M-1"], BACK), events(GASP, ["M-2"], LOST), gasp)
        await all_told(store_of(tmp_path), on=1, out=1)
        lines = [(await asyncio.wait_for(watched.readline(), PATIENCE)).decode() for _ in range(5)]
    assert [line.split()[1] for line in lines] == ["OUT", "OUT", "on", "OUT", "on"]
    assert [line.split("meter ")[1].split(" at ")[0] for line in lines] == [
        "M-1 lost power", "M-1 lost power", "M-1 restored", "M-2 lost power", "M-1 lost power"
    ]  # fmt: skip
    heard = await told(amqp_url)
    assert heard.problems == []
    assert dict(heard.of) == {"M-1": [GASP, RESTORED], "M-2": [GASP]}
    assert await standing(store_of(tmp_path)) == {"M-1": "on", "M-2": "out"}
    [dead] = await take(amqp_url, "cim.dead", 1)
    assert (dead.headers["reason"], dead.body) == ("unreadable", b"<no message")
    assert dead.headers["receiver"] == f"queue:{QUEUE}", "a retry is for the view alone"
    assert await depth(amqp_url, QUEUE) == 0


async def test_a_kill_changes_nothing_of_how_devices_stand_and_what_the_oms_is_told(
    amqp_url: str, tmp_path: Path
) -> None:
    """Killed when all is in the store and nothing acknowledged; `make faults-outages` kills at every point."""
    one = await killed(amqp_url, tmp_path, "outages kept:1")
    assert one.problems == []
    assert one.point == "outages kept", "it was not killed, so this shows nothing"


async def test_another_gateway_goes_on_where_one_was_killed(amqp_url: str, tmp_path: Path) -> None:
    """What waits in the store of the first, for more to be told with it, is told by the second."""
    oms_without_power_events(tmp_path)
    settings = '{"on": true, "calm": 0, "seconds": 2}'
    first = GatewayProcess(amqp_url, tmp_path, outages=settings)
    await first.start()
    try:
        await send(amqp_url, events(GASP, METERS, LOST))

        async def kept() -> bool:
            return len(await standing(store_of(tmp_path))) == len(METERS)

        await until(kept, "the outages are kept")
        other = tmp_path / "other"
        oms_without_power_events(other)
        async with running(amqp_url, other, outages=settings, store=first.environment["CIMGATE_STORE"]):
            await first.kill()
            await send(amqp_url, events(RESTORED, METERS[:10], BACK))
            await all_told(store_of(tmp_path), on=10, out=10)
    finally:
        await first.kill()
    heard = await told(amqp_url)
    assert heard.problems == []
    assert dict(heard.of) == {meter: [GASP, RESTORED] if meter in METERS[:10] else [GASP] for meter in METERS}


async def test_the_view_goes_on_while_the_oms_takes_nothing_and_pauses_while_its_store_is_away(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path
) -> None:
    oms_without_power_events(tmp_path)
    store, sent = store_of(tmp_path), 0
    async with running(amqp_url, tmp_path, outages='{"on": true, "calm": 1000}') as gateway:
        policy = '{"max-length": 1, "overflow": "reject-publish"}'
        await broker.ctl("set_policy", "--vhost", vhost, "--apply-to", "queues", "full", "^cim\\.OMS$", policy)
        # A quorum queue heeds its limit a little late, so more is sent until one is refused.
        while not gateway.events("receiver takes no more, retrying"):
            assert sent < 100, "never refused"
            await send(amqp_url, events(GASP, [f"M-{sent}"], LOST))
            sent += 1
            await until(partial(_kept, store, sent), "it is kept")
        await send(amqp_url, events(GASP, [f"M-{sent}"], LOST))
        await until(partial(_kept, store, sent + 1), "it is kept, though the OMS takes nothing")
        heard = await take(amqp_url, OMS, sent + 1)
        assert [f"M-{number}<" in one.body.decode() for number, one in enumerate(heard)] == [True] * (sent + 1)
        with contextlib.closing(sqlite3.connect(outages_file(tmp_path / "conversations.db"))) as other:
            other.execute("BEGIN IMMEDIATE")
            await send(amqp_url, events(GASP, ["M-last"], LOST))
            away = "outages cannot be kept: store not available, the outage view pauses"
            await until(lambda: bool(gateway.events(away)), "the view says that it pauses")
            assert await depth(amqp_url, OMS) == 0
        await all_told(store, out=sent + 2)
        [last] = await take(amqp_url, OMS, 1)
        assert b"M-last" in last.body
        assert gateway.events("the outage view goes on")


async def _kept(store: str, number: int) -> bool:
    return len(await standing(store)) == number
