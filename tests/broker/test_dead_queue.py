"""Dead letters that were taken out stay out, also where the broker's disk is slow."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import pytest
import pytest_asyncio

from gateway.broker.dead_queue import DeadQueue
from gateway.broker.private_node import NodeUnavailable, PrivateNode
from gateway.broker.session import Access
from gateway.broker.topology import DEAD, QUORUM

SOURCE = Path(__file__).with_name("slow_disk.c")


@pytest_asyncio.fixture
async def slow_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The address of a broker whose disk is slow while there is a file `slow` in the test's folder."""
    compiler, library = shutil.which("cc"), tmp_path / "slow_disk.so"
    if compiler is None:
        pytest.skip("no C compiler")
    command = (compiler, "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl")
    assert await (await asyncio.create_subprocess_exec(*command)).wait() == 0
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("SLOW_DISK", str(tmp_path / "slow"))
    node = PrivateNode(tmp_path / "node")
    try:
        await node.start()
    except NodeUnavailable as problem:
        if "is not installed" in str(problem):
            pytest.skip(str(problem))
        raise
    yield node.url
    (tmp_path / "slow").unlink()
    await node.stop()


async def test_what_was_removed_does_not_come_back_when_the_channel_is_closed(slow_broker: str, tmp_path: Path) -> None:
    """A channel keeps most of so many acknowledgements back while the disk is slow, and would drop them at its end."""
    count = 150
    async with await aio_pika.connect(slow_broker) as connection:
        channel = await connection.channel()
        await channel.declare_queue(DEAD, durable=True, arguments=QUORUM)
        messages = [aio_pika.Message(b"dead", message_id=str(uuid.uuid4())) for _ in range(count)]
        await asyncio.gather(*(channel.default_exchange.publish(message, DEAD) for message in messages))
        async with await DeadQueue.open(Access(slow_broker, "operator")) as queue:
            (tmp_path / "slow").touch()
            found = 0
            async for page in queue.pages():
                found += len(page)
                await queue.remove(page[::2])
                if found == count:
                    break
            left = await queue.give_back()
        async with await DeadQueue.open(Access(slow_broker, "next operator")) as queue:
            there = [letter.id async for page in queue.pages() for letter in page]
    assert left == len(there)
    assert len(there) == count // 2
