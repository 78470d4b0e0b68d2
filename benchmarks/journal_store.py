"""What it costs to keep messages in the journal and to find them again, with a million of them in it.

    python -m benchmarks.journal_store [--messages 1000000] [--write benchmarks/JOURNAL.md]

Both databases flush every commit to the disk. The messages are our own examples with other ids, meters, times and
values (benchmarks/journal_messages.py). Journals are opened anew before anything is looked for.
"""

import argparse
import asyncio
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.journal_dictionary import weighed
from benchmarks.journal_messages import Messages, of_size, templates
from gateway.store.journal import Journal, JournalSearch, Passage
from gateway.store.journal.opening import open_journal
from gateway.store.private_postgres import PrivatePostgres

_MEAN = 1_800
_BEGIN = 1.767e9
_GROUPS = (1, 10, 100)
_COUNTED = 2_000
_LOOKUPS = 200
_PAGES = 15
_SAMPLE = 2_000
_chance = random.Random(7)  # noqa: S311 - the same searches each time


@dataclass
class Measured:
    """What one database showed."""

    written: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    """By the size of a group: CPU of this process, CPU outside Python's lock as far as known, wall; us a message."""
    filling: tuple[float, float] = (0, 0)
    size: float = 0
    opened: float = 0
    looked: dict[str, list[float]] = field(default_factory=dict)
    found: dict[str, list[int]] = field(default_factory=dict)


async def filled(journal: Journal, made: Messages, count: int, sample: list[Passage]) -> tuple[float, float]:
    """Write messages in groups of 100; gives CPU and wall, us a message. Making them is not counted."""
    cpu = wall = 0.0
    for _ in range(0, count, 5_000):
        some = list(made.passages(5_000))
        sample += _chance.sample(some, max(1, _SAMPLE * 5_000 // count))
        began, began_cpu = time.perf_counter(), time.process_time()
        for at in range(0, len(some), 100):
            await journal.write(some[at : at + 100])
        cpu += time.process_time() - began_cpu
        wall += time.perf_counter() - began
    return cpu / count * 1e6, wall / count * 1e6


async def written(journal: Journal, made: Messages, group: int) -> tuple[float, float, float]:
    """Write messages in groups of a size; gives CPU of all threads, of the event loop's alone, and wall: us each."""
    count = _COUNTED * (1 if group == 1 else 5)
    some = list(made.passages(count))
    began, cpu, own = time.perf_counter(), time.process_time(), time.thread_time()
    for at in range(0, count, group):
        await journal.write(some[at : at + group])
    taken = (time.process_time() - cpu, time.thread_time() - own, time.perf_counter() - began)
    all_threads, loop, wall = (one / count * 1e6 for one in taken)
    return all_threads, loop, wall


Asks = dict[str, Callable[[Passage], JournalSearch | None]]
_BY_ID: Asks = {
    "MessageID": lambda one: JournalSearch(message_id=one.message_id) if one.message_id else None,
    "CorrelationID": lambda one: JournalSearch(correlation_id=one.correlation_id) if one.correlation_id else None,
    "device": lambda one: JournalSearch(device=one.devices[0]) if one.devices else None,
    "MessageID that is not there": lambda one: JournalSearch(message_id=f"{one.message_id}-"),
}
_PAGES_OF: Asks = {
    "no filter": lambda one: JournalSearch(until=one.at),
    "noun": lambda one: JournalSearch(noun=one.noun, until=one.at),
    "noun, verb, source, time": lambda one: JournalSearch(
        noun=one.noun, verb=one.verb, source=one.source, until=one.at
    ),
    "noun, dead letters": lambda one: JournalSearch(noun=one.noun, outcome="dead:*"),
    "source that is not there": lambda _: JournalSearch(source="NOBODY"),
    "verb and noun that never meet": lambda _: JournalSearch(noun="OperationSet", verb="get"),
    "event type *.26.*.*, time": lambda one: JournalSearch(event="*.26.*.*", until=one.at),
    "event type, noun, source": lambda one: JournalSearch(event="3.26.0.85", noun=one.noun, source=one.source),
    "event type, and a noun without it": lambda _: JournalSearch(event="3.*", noun="CustomerConfig"),
    "device, noun": lambda one: JournalSearch(device=one.devices[0], noun=one.noun) if one.devices else None,
    "text in the reason": lambda _: JournalSearch(text=f"line {_chance.randrange(80)}:"),
    "text that is not there": lambda _: JournalSearch(text="nowhere"),
    "text, noun": lambda one: JournalSearch(text="line 17", noun=one.noun),
}


async def looked(journal: Journal, sample: Sequence[Passage], seen: Measured) -> None:
    """Look for messages, each kind in turn."""
    for asks, times in ((_BY_ID, _LOOKUPS), (_PAGES_OF, _PAGES)):
        for _ in range(times):
            for name, ask in asks.items():
                search = None
                while search is None:
                    search = ask(_chance.choice(sample))
                began = time.perf_counter()
                found = await journal.find(search)
                seen.looked.setdefault(name, []).append((time.perf_counter() - began) * 1_000)
                seen.found.setdefault(name, []).append(len(found))


async def others(journal: Journal, seen: Measured) -> None:
    """Count everything, walk a part, purge a part."""
    began = time.perf_counter()
    await journal.stats(JournalSearch())
    seen.looked["stats of everything by the hour"] = [(time.perf_counter() - began) * 1_000]
    began, walked = time.perf_counter(), 0
    async for _ in journal.walk(JournalSearch()):
        walked += 1
        if walked == 50_000:
            break
    seen.looked["walk of 1,000 with bodies"] = [(time.perf_counter() - began) / 50 * 1_000]
    for _ in range(20):
        began = time.perf_counter()
        await journal.purge(_BEGIN + 1e9, noun="MeterReadings", limit=1_000)
        seen.looked.setdefault("purge of 1,000 of a noun", []).append((time.perf_counter() - began) * 1_000)


async def measured(url: str, count: int) -> Measured:
    """Run all on one database."""
    seen = Measured()
    chosen = of_size(templates(), _MEAN)
    journal = await open_journal(url)
    sample: list[Passage] = []
    made = Messages(7, chosen, _BEGIN)
    seen.filling = await filled(journal, made, count, sample)
    seen.size = await journal.size() / count
    for group in _GROUPS * 2:  # twice, and the better one counts: others work on this machine
        now = await written(journal, made, group)
        if group not in seen.written or now[0] < seen.written[group][0]:
            seen.written[group] = now
    await journal.close()
    began = time.perf_counter()
    journal = await open_journal(url)
    await journal.find(JournalSearch(message_id=sample[0].message_id))
    seen.opened = (time.perf_counter() - began) * 1_000
    await looked(journal, sample, seen)
    await others(journal, seen)
    await journal.close()
    return seen


def spread(values: Sequence[float]) -> str:
    """Give the median and the worst but one in twenty."""
    if len(values) == 1:
        return f"{values[0]:,.1f}"
    return f"{statistics.median(values):,.2f} ({sorted(values)[int(len(values) * 0.95)]:,.2f})"


def report(results: dict[str, Measured], count: int, mean: float) -> Iterator[str]:
    """Write the page."""
    cpu = platform.processor() or platform.machine()
    memory = psutil.virtual_memory().total / 2**30
    yield "# The journal\n"
    yield (
        f"Generated by `python -m benchmarks.journal_store` on {datetime.now(UTC):%Y-%m-%d}:\n"
        f"{os.cpu_count()} cores ({cpu}), shared with others at work, {memory:.0f} GiB, Python\n"
        f"{platform.python_version()}; PostgreSQL on the same machine, by a socket. {count:,} messages of {mean:,.0f}\n"
        "bytes on average: our own examples of every noun and verb with other ids, times and values, and of 200,000\n"
        "meters one after the other by chance. Every commit is flushed to the disk.\n"
    )
    yield "## Bytes on the disk\n"
    yield "All in, indexes too; the aim is at most 700 a message of 2 KB.\n"
    yield "| database | bytes a message |\n|---|---:|"
    for name, seen in results.items():
        yield f"| {name} | {seen.size:,.0f} |"
    yield "\n## How messages are packed\n"
    yield (
        "Bytes a message, for messages of half the nouns. The last line is what a site sees whose messages are unlike\n"
        "our examples. One frame a message was chosen: with the dictionary it is near to what a hundred together take\n"
        "without one, a single message costs no more than one of many, and each is read, purged and paged by itself.\n"
    )
    weights = weighed()
    yield f"| | {' | '.join(weights[0][1])} |\n|---|{'---:|' * len(weights[0][1])}"
    for name, sizes in weights:
        yield f"| {name} | {' | '.join(f'{size:,.0f}' for size in sizes.values())} |"
    yield "\n## Writing\n"
    yield (
        "Microseconds a message, with all of them in the journal. CPU is that of this process; on SQLite the database\n"
        "is in it, on PostgreSQL it is not. The rest of it is in a thread beside the event loop, half of it without\n"
        "Python's lock. In all, what puts 4,096 at a time into the indexes of SQLite is counted. The last column is\n"
        "the mean over the filling.\n"
    )
    yield "| database | group | CPU | of it the event loop | from call to commit | filling by 100: CPU, wall |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, seen in results.items():
        for group, (all_threads, own, wall) in seen.written.items():
            whole = f"{seen.filling[0]:,.1f}, {seen.filling[1]:,.1f}" if group == _GROUPS[-1] else ""
            yield f"| {name} | {group} | {all_threads:,.1f} | {own:,.1f} | {wall:,.1f} | {whole} |"
    yield "\n## Finding\n"
    yield (
        "Milliseconds: median (nineteen in twenty stay below). Pages hold 50 messages. The aim is below 20 for ids\n"
        f"and devices ({_LOOKUPS} each), below 100 for a page of a filtered search ({_PAGES} each). Opening and a\n"
        "first lookup: " + ", ".join(f"{name} {seen.opened:,.0f} ms" for name, seen in results.items()) + ".\n"
    )
    yield f"| looked for | found | {' | '.join(results)} |\n|---|---:|{'---:|' * len(results)}"
    first = next(iter(results.values()))
    for name in first.looked:
        found = f"{statistics.mean(first.found[name]):,.1f}" if name in first.found else ""
        yield f"| {name} | {found} | {' | '.join(spread(seen.looked[name]) for seen in results.values())} |"


async def main() -> None:
    """Measure and print; write the page where asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=1_000_000)
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    results: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        results["SQLite"] = await measured(f"sqlite:///{folder}/cimgate.db", given.messages)
    async with PrivatePostgres(durable=True) as server:
        results["PostgreSQL"] = await measured(server.url(), given.messages)
    some = [one.size for one in Messages(7, of_size(templates(), _MEAN), _BEGIN).passages(5_000)]
    page = "\n".join(report(results, given.messages, statistics.mean(some))) + "\n"
    print(page)
    if given.write:
        given.write.write_text(page)


if __name__ == "__main__":
    asyncio.run(main())
