"""The outage view in a running gateway: who has no power is kept, and the OMS is told what changes, once."""

import signal
from pathlib import Path

import pytest

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from tests.e2e.harness import GatewayProcess, depth, drain, running, take, until
from tests.e2e.outages import (
    GASP,
    OMS,
    ON,
    QUEUE,
    RESTORED,
    all_told,
    events,
    oms_without_power_events,
    send,
    standing,
    told,
)

METERS = [f"M-{number}" for number in range(20)]
LOST, BACK = "2026-03-17T14:03:00Z", "2026-03-17T14:33:00Z"


async def test_the_oms_is_told_changes_alone_and_once(amqp_url: str, tmp_path: Path) -> None:
    oms_without_power_events(tmp_path)
    async with running(amqp_url, tmp_path, outages=ON):
        gasp = events(GASP, ["M-1"], LOST)
        await send(amqp_url, gasp, gasp, events(RESTORED, ["M-1"], BACK), events(GASP, ["M-2"], LOST), gasp)
        await all_told(tmp_path, on=1, out=1)
    heard = await told(amqp_url)
    assert heard.problems == []
    assert dict(heard.of) == {"M-1": [GASP, RESTORED], "M-2": [GASP]}
    assert await standing(tmp_path) == {"M-1": "on", "M-2": "out"}
    assert await drain(amqp_url, ["cim.dead"]) == {}


@pytest.mark.parametrize(
    "point", ["outages:1", "outages kept:1", "publish:1", "journaled:2", "outages sent:1", "outages:2"]
)
async def test_a_kill_changes_nothing_of_how_devices_stand_and_what_the_oms_is_told(
    amqp_url: str, tmp_path: Path, point: str
) -> None:
    oms_without_power_events(tmp_path)
    gateway = GatewayProcess(amqp_url, tmp_path, outages='{"on": true, "calm": 1, "seconds": 0.3}', crash=point)
    await gateway.start()
    try:
        await send(amqp_url, events(GASP, METERS, LOST), events(RESTORED, METERS[:10], BACK))
        assert gateway.process is not None
        assert await gateway.process.wait() == -signal.SIGKILL
        del gateway.environment["CIMGATE_CRASH"]
        await gateway.start()
        await all_told(tmp_path, on=10, out=10)
        assert await gateway.stop() == 0
    finally:
        await gateway.kill()
    heard = await told(amqp_url)
    assert heard.problems == []
    assert dict(heard.of) == {meter: [GASP, RESTORED] if meter in METERS[:10] else [GASP] for meter in METERS}
    assert await standing(tmp_path) == {meter: "on" if meter in METERS[:10] else "out" for meter in METERS}
    assert [line for line in gateway.lines() if line.get("level") == "error"] == []


async def test_another_gateway_goes_on_where_one_was_killed(amqp_url: str, tmp_path: Path) -> None:
    """What waits in the store of the first, for more to be told with it, is told by the second."""
    oms_without_power_events(tmp_path)
    settings = '{"on": true, "calm": 0, "seconds": 2}'
    first = GatewayProcess(amqp_url, tmp_path, outages=settings)
    await first.start()
    try:
        await send(amqp_url, events(GASP, METERS, LOST))

        async def kept() -> bool:
            return len(await standing(tmp_path)) == len(METERS)

        await until(kept, "the outages are kept")
        other = tmp_path / "other"
        oms_without_power_events(other)
        async with running(amqp_url, other, outages=settings, store=first.environment["CIMGATE_STORE"]):
            await first.kill()
            await send(amqp_url, events(RESTORED, METERS[:10], BACK))
            await all_told(tmp_path, on=10, out=10)
    finally:
        await first.kill()
    heard = await told(amqp_url)
    assert heard.problems == []
    assert dict(heard.of) == {meter: [GASP, RESTORED] if meter in METERS[:10] else [GASP] for meter in METERS}


async def test_what_the_view_cannot_read_is_a_dead_letter_and_holds_up_nothing(amqp_url: str, tmp_path: Path) -> None:
    oms_without_power_events(tmp_path)
    async with running(amqp_url, tmp_path, outages=ON):
        async with await Partner.open(Access(amqp_url, "stranger")) as partner:
            await partner.send_to_queue(b"<no message", QUEUE)
        await send(amqp_url, events(GASP, ["M-1"], LOST))
        [dead] = await take(amqp_url, "cim.dead", 1)
        assert (dead.headers["reason"], dead.body) == ("unreadable", b"<no message")
        [arrived] = await take(amqp_url, OMS, 1)
        assert b"M-1" in arrived.body
    assert await depth(amqp_url, QUEUE) == 0


async def test_a_gateway_that_would_tell_the_oms_twice_says_so(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, outages=ON) as gateway:
        [warning] = gateway.events(
            "the system of the outage view gets power events as they come too: take them out of these routes"
        )
    assert warning["system"] == "OMS"
