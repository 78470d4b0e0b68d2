"""The disk of the store is full, in truth: a small file system of the gateway's own, filled and made free again."""

import asyncio
import json
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.conftest import Broker
from tests.e2e.harness import GatewayProcess, depth, drain, send_all, until
from tests.e2e.traffic import readings

ROOM = 4 * 1024 * 1024


@asynccontextmanager
async def on_a_small_disk(url: str, folder: Path) -> AsyncIterator[tuple[GatewayProcess, Path]]:
    """A gateway whose store lies on a file system of a few MiB, which this process sees too, by another way."""
    disk = folder / "disk"
    disk.mkdir()
    gateway = GatewayProcess(url, folder, store=f"sqlite:///{disk}/conversations.db")
    mount = f"mount -t tmpfs -o size={ROOM} small '{disk}' && exec '{sys.executable}' -m gateway.cli run"
    await gateway.start(through=("unshare", "--mount", "sh", "-c", mount))
    try:
        assert gateway.process is not None
        yield gateway, Path(f"/proc/{gateway.process.pid}/root{disk}")
        assert await gateway.stop() == 0, gateway.log()[-2000:]
    finally:
        await gateway.kill()


async def may_mount() -> bool:
    """Whether this user may make a file system."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return False
    command = ("unshare", "--mount", "mount", "-t", "tmpfs", "tried", "/mnt")
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait() == 0


def fill(disk: Path) -> Path:
    """Take all the room there is, to the last page."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:  # there is no room for so much
                continue
    return ballast


async def test_while_the_disk_is_full_nothing_is_acknowledged_and_then_it_goes_on(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path
) -> None:
    if not await may_mount():
        pytest.skip("this user may not mount a file system")
    before, after = list(readings(20)), list(readings(200))
    async with on_a_small_disk(amqp_url, tmp_path) as (gateway, disk):
        await send_all(amqp_url, before)
        await until(lambda: _unacknowledged(broker, vhost, 0), "all are acknowledged")
        ballast = await asyncio.to_thread(fill, disk)
        await send_all(amqp_url, after)
        await until(lambda: bool(gateway.events("journal not available, intake pauses")), "it says that it pauses")
        reason = gateway.events("journal not available, intake pauses")[0]["reason"]
        assert "full: make room on its disk" in reason
        await until(lambda: _has_all(broker, vhost, gateway, len(before) + len(after)), "all are somewhere")
        assert await _held(broker, vhost), "what is not written is not acknowledged"
        await asyncio.to_thread(ballast.unlink)
        await until(lambda: bool(gateway.events("journal takes messages again")), "it goes on by itself")
        await until(lambda: _unacknowledged(broker, vhost, 0), "all are acknowledged")
        assert await depth(amqp_url, "cim.in.TESTING") == 0
        came = Counter(await _written(gateway))
    assert came == Counter(sample.id for sample in (*before, *after))
    delivered = await drain(amqp_url, ["cim.MDM"])
    assert Counter(arrival.body for arrival in delivered["cim.MDM"]) == Counter(s.body for s in (*before, *after))


async def _written(gateway: GatewayProcess) -> list[str]:
    """The MessageIDs in the journal, as an operator sees them on the gateway's machine."""
    assert gateway.process is not None
    process = await asyncio.create_subprocess_exec(
        *("nsenter", "--mount", "--target", str(gateway.process.pid)),
        *(sys.executable, "-m", "gateway.cli", "journal", "list", "--json", "--limit", "10000"),
        env=gateway.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return [str(json.loads(line)["message_id"]) for line in told.splitlines()]


async def _has_all(broker: Broker, vhost: str, gateway: GatewayProcess, count: int) -> bool:
    """Whether each message is with the broker, or in the journal, or both; the broker counts every few seconds only."""
    held = await _held(broker, vhost)
    return held > 0 and held + len(await _written(gateway)) >= count


async def _held(broker: Broker, vhost: str) -> int:
    """How many messages the broker still has in the intake, handed over or not."""
    lines = await broker.ctl("list_queues", "--vhost", vhost, "name", "messages")
    return next(int(line.partition("\t")[2]) for line in lines.splitlines() if line.startswith("cim.in.TESTING\t"))


async def _unacknowledged(broker: Broker, vhost: str, count: int) -> bool:
    return await _held(broker, vhost) == count
