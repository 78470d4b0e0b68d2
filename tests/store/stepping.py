"""Another process at the same store: python -m tests.store.stepping URL WHAT COUNT NAME, for the tests beside it."""

import asyncio
import json
import sys
from dataclasses import replace

import structlog

from gateway.store import Stored, StoreUnavailable
from gateway.store.opening import open_store
from gateway.store.sql import SqlStore
from tests.store.rows import conversation, leg


def stepped(row: Stored) -> Stored:
    """Count one more in the document."""
    return replace(row, document=json.dumps({"steps": json.loads(row.document).get("steps", 0) + 1}))


async def hold_and_step(store: SqlStore, count: int, name: str) -> None:
    """Step conversations that the same unit has read: nothing is ever refused."""
    done = 0
    while done < count:
        try:
            async with store.begin() as unit:
                found = await unit.conversations_of_legs(["leg of a", "leg of b"])
                refused = await unit.update([stepped(row) for row in found.values()])
        except StoreUnavailable:
            continue
        done += 1
        assert not refused, f"{name}: a held conversation was changed by another"


async def look_and_step(store: SqlStore, count: int, name: str) -> None:
    """Step conversations that were read before, again where another was faster."""
    del name
    for id_ in ("a", "b"):
        done = 0
        while done < count:
            async with store.look() as reader:
                row = (await reader.conversations([id_]))[id_]
            try:
                async with store.begin() as unit:
                    refused = await unit.update([stepped(row)])
            except StoreUnavailable:
                continue
            done += not refused


async def open_requests(store: SqlStore, count: int, name: str) -> None:
    """Open a conversation for each request that no other process has taken; prints how many these were."""
    opened = 0
    for first in range(0, count, 10):
        rows = [conversation(f"{name}-{at}", message_id=f"request-{at}") for at in range(first, first + 10)]
        async with store.begin() as unit:
            refused = await unit.insert(rows, [leg(f"leg of {row.id}", row.id) for row in rows])
        opened += len(rows) - len(refused)
    print(opened)  # noqa: T201 - for the test


async def hang(store: SqlStore, count: int, name: str) -> None:
    """Store one conversation, write another, say so, and never commit it."""
    async with store.begin() as unit:
        await unit.insert([conversation(f"{name} committed")])
    async with store.begin() as unit:
        await unit.insert([conversation(f"{name} not committed")])
        print("in the middle", flush=True)  # noqa: T201 - for the test
        await asyncio.Event().wait()
    del count


async def _main(url: str, what: str, count: str, name: str) -> None:
    tasks = {task.__name__: task for task in (hold_and_step, look_and_step, open_requests, hang)}
    store = await open_store(url, patience=60)
    print("ready", flush=True)  # noqa: T201 - for the test, which lets all begin at once
    await asyncio.to_thread(sys.stdin.readline)
    if what in tasks:
        await tasks[what](store, int(count), name)
    await store.close()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_main(*sys.argv[1:]))
