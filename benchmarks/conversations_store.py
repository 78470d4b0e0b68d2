"""What it costs to take replies to their conversations, with 100 and with 100,000 of these open, in the same run.

    python benchmarks/conversations_store.py [--rounds 11] [--open 100000] [--write benchmarks/STORE.md]

Each round finds the conversations of 1,000 replies by the ids of their legs (100 at once, and one by one), steps 1,000
(find, update, say what was said, commit) and opens 1,000, in units of 100: in a small store and in a large one, unit by
unit in turn. Both databases flush every commit to the disk.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from gateway.store import Entry, Stored, StoredLeg
from gateway.store.ids import time_ordered_id
from gateway.store.opening import open_store
from gateway.store.private_postgres import PrivatePostgres
from gateway.store.sql import SqlStore

REPLIES, UNIT, SMALL = 1_000, 100, 100
_BODY = b"<MeterReading><value>1.25</value></MeterReading>" * 40
_FILLING = 5_000


@dataclass(frozen=True)
class Filled:
    """A store with open conversations, and the ids of their legs."""

    store: SqlStore
    legs: list[str]


Results = dict[tuple[str, str, str], list[float]]
"""Milliseconds of each unit, by database, work and store (small or large)."""


def made(number: int) -> tuple[Stored, StoredLeg]:
    """Give an open conversation with one leg; its state is about as long as a real one."""
    leg = StoredLeg(time_ordered_id(), time_ordered_id(), "MDM", "MeterReadings")
    state = {"v": 1, "legs": [{"id": leg.id, "system": "MDM", "state": "sent"}], "speech": {"rest": "x" * 1_000}}
    asker, sent, echoed = f"CIS-{number % 7}", str(uuid.uuid4()), str(uuid.uuid4())
    row = Stored(
        leg.conversation_id, json.dumps(state), 1, "request", "open", False, asker, sent, echoed,
        "get", "MeterReadings", 1e9 + number, 2e9 + number, 1e9 + number,
    )  # fmt: skip
    return row, leg


async def filled(url: str, count: int) -> Filled:
    """Open a store and fill it."""
    store = await open_store(url)
    legs: list[str] = []
    for first in range(0, count, _FILLING):
        rows, new = zip(*(made(number) for number in range(first, min(first + _FILLING, count))), strict=True)
        async with store.begin() as unit:
            await unit.insert(rows, new)
        legs += [leg.id for leg in new]
    return Filled(store, legs)


async def find(store: SqlStore, replies: Sequence[str]) -> None:
    """Find all at once."""
    async with store.begin() as unit:
        await unit.conversations_of_legs(replies)


async def find_one_by_one(store: SqlStore, replies: Sequence[str]) -> None:
    """Find each by itself."""
    async with store.begin() as unit:
        for reply in replies:
            await unit.conversations_of_legs([reply])


async def step(store: SqlStore, replies: Sequence[str]) -> None:
    """Find, update, say what was said, commit."""
    async with store.begin() as unit:
        found = await unit.conversations_of_legs(replies)
        await unit.update([replace(row, updated=row.updated + 1, state="partial") for row in found.values()])
        await unit.add_entries([Entry(row.id, row.updated, "in", "MDM", body=_BODY) for row in found.values()])


async def opening(store: SqlStore, replies: Sequence[str]) -> None:
    """Open as many new ones, say what was said, commit."""
    rows, legs = zip(*(made(0) for _ in replies), strict=True)
    async with store.begin() as unit:
        await unit.insert([replace(row, opened=0.0, updated=0.0, final=True) for row in rows], legs)
        await unit.add_entries([Entry(row.id, 0.0, "in", row.source, body=_BODY) for row in rows])


WORK: dict[str, Callable[[SqlStore, Sequence[str]], Awaitable[None]]] = {
    "find, 100 at once": find,
    "find, one by one": find_one_by_one,
    "find, update, add entry, commit": step,
    "open, add entry, commit": opening,
}


async def measure(stores: dict[tuple[str, str], Filled], rounds: int) -> Results:
    """Run all rounds; the first is not counted."""
    results: Results = {}
    for number in range(-1, rounds):
        for database in dict.fromkeys(database for database, _ in stores):
            for name, work in WORK.items():
                for unit in range(REPLIES // UNIT):
                    # Unit by unit, and who goes first alternates: a machine that slows down wrongs nobody.
                    for size in ("small", "large") if unit % 2 else ("large", "small"):
                        one = stores[database, size]
                        replies = random.sample(one.legs, UNIT)
                        began = time.perf_counter()
                        await work(one.store, replies)
                        took = (time.perf_counter() - began) * 1_000
                        if number >= 0:
                            results.setdefault((database, name, size), []).append(took)
        for one in stores.values():
            await clear(one.store)
    return results


async def clear(store: SqlStore) -> None:
    """Remove what a round opened."""
    while True:
        async with store.begin() as unit:
            if not await unit.purge(1.0):
                return


def spread(values: list[float]) -> str:
    """Give the median, with what nine in ten stay above and below."""
    tenths = statistics.quantiles(values, n=10)
    return f"{statistics.median(values):.2f} ({tenths[0]:.2f} to {tenths[-1]:.2f})"


def report(results: Results, rounds: int, large: int) -> Iterator[str]:
    """Write the page."""
    cpu = platform.processor() or platform.machine()
    memory = psutil.virtual_memory().total / 2**30
    yield "# The store of conversations\n"
    yield (
        f"Generated by `python benchmarks/conversations_store.py` on {datetime.now(UTC):%Y-%m-%d}:\n"
        f"{os.cpu_count()} cores ({cpu}), {memory:.0f} GiB, Python {platform.python_version()};\n"
        f"PostgreSQL on the same machine, by a socket. {rounds} rounds of {REPLIES:,} replies in units of {UNIT},\n"
        "small and large store in turn, to any of the open conversations. Milliseconds for a unit: median (first to\n"
        "last tenth). Every commit is flushed to the disk; means hold the units at which SQLite copies its log into\n"
        "the file, medians do not.\n"
    )
    yield f"| database | work on {UNIT} | {SMALL} open, ms | {large:,} open, ms | ratio of medians | of means |"
    yield "|---|---|---|---|---|---|"
    for database, name, size in results:
        if size == "small":
            small, big = results[database, name, "small"], results[database, name, "large"]
            medians = statistics.median(big) / statistics.median(small)
            means = statistics.mean(big) / statistics.mean(small)
            yield f"| {database} | {name} | {spread(small)} | {spread(big)} | {medians:.2f} | {means:.2f} |"


async def main() -> None:
    """Measure and print; write the page where asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--open", type=int, default=100_000)
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with PrivatePostgres(durable=True) as server:
            await server.execute("CREATE DATABASE small", "CREATE DATABASE large")
            stores: dict[tuple[str, str], Filled] = {}
            for size, count in (("small", SMALL), ("large", given.open)):
                stores["SQLite", size] = await filled(f"sqlite:///{folder}/{size}.db", count)
                stores["PostgreSQL", size] = await filled(server.url(size), count)
            results = await measure(stores, given.rounds)
            for one in stores.values():
                await one.store.close()
    page = "\n".join(report(results, given.rounds, given.open)) + "\n"
    print(page)
    if given.write:
        given.write.write_text(page)


if __name__ == "__main__":
    asyncio.run(main())
