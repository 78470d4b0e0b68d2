"""A replay of many messages that is killed on the way, and how exactly recorded times are kept.

    python -m benchmarks.replay [--messages 100000] [--write benchmarks/REPLAY.md]

A journal is filled with messages of 2 KB. They are replayed to a real queue; the process is killed (SIGKILL) three
times and taken up again each time. Then what the queue holds is read and judged (`Judge` of tests/e2e/replaying.py).
After that they are replayed in their recorded times to a receiver that notes when each arrives. Exit status 1 where a
message is lost, invented, or came again without the mark.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

from gateway.broker.partner import Partner
from gateway.broker.private_node import PrivateNode
from gateway.broker.session import Access
from gateway.player.documents import progress_from_json
from gateway.store.journal.opening import open_journal
from gateway.store.opening import open_store
from gateway.store.private_postgres import PrivatePostgres
from gateway.store.replays.opening import open_replays
from tests.e2e.harness import make_queue
from tests.e2e.replaying import START, Judge, Replaying, passage, settings
from tests.e2e.traffic import Sample, readings

QUEUE = "replayed"
KILLS = (0.2, 0.5, 0.8)
MEAN_GAP = 0.003
AT_ONCE = 1_000
SIZE = 2_000

_PAGE = """# Replay

Written by `make bench-replay` (benchmarks/replay.py) on {date}: {cores} cores ({cpu}), {memory:.0f} GiB, Python
{python}, RabbitMQ and PostgreSQL on the same machine, which others used too: load {load_before:.1f} before,
{load_after:.1f} after. {messages:,} journaled messages of {size:,} bytes, to a durable quorum queue.

## Killed three times

Replayed at `--speed max`, killed (SIGKILL) when the queue held about a fifth, half and four fifths of the messages, and
taken up again with `--resume` each time.

| journal in | SQLite | PostgreSQL |
|---|---:|---:|
{kills}

So each message is there once in effect. That is judged by what stands in the queue in the end. Each MessageID of the
journal is there, and no other. Each has a mark `cim-replay` (replay and place in the journal) of its own. Every further
copy has the same bytes, the same MessageID, the same `cim-replay`, and the mark `cim-redelivered`; "wrong" counts which
of these do not hold. A receiver that leaves out what it has already, by MessageID or by `cim-replay`, has each
message once. "Marked, but alone": the replay could not know that it had not been sent before the kill.

## The recorded times

The messages were recorded at random times, {gap:g} ms apart on average. How far each was from its time, in ms:

| speed | messages/s | where | median | 95 % | 99 % | most |
|---|---:|---|---:|---:|---:|---:|
{spacing}

"Sent": when the message was handed to the connection, beside when it was due after the first one, as the replay
counts it itself (in classes of 5 %). "Arrived": the time between a message and the one before it at a receiver in
another process, beside the recorded time between them, divided by the speed; this has the broker and the
receiver in it. The aim is a median below 5 ms at `as-recorded`. Where the machine cannot
follow (the load says so), a replay catches up with what is late by less than a second; what is more moves all that
follows.
"""


@dataclass
class Killed:
    """What came of a replay that was killed."""

    at: list[int] = field(default_factory=list)
    seconds: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)
    judge: Judge = field(default_factory=Judge)


@dataclass(frozen=True)
class Spaced:
    """Messages a second; errors in ms at the median, 95 %, 99 % and most."""

    speed: str
    rate: float
    sent: tuple[float, ...]
    arrived: tuple[float, ...]


async def fill(store: str, samples: Sequence[Sample], times: Sequence[float]) -> None:
    """Fill the journal of a store with messages of these times after its beginning."""
    await (await open_store(store)).close()
    journal = await open_journal(store)
    for start in range(0, len(samples), AT_ONCE):
        group = zip(samples[start : start + AT_ONCE], times[start : start + AT_ONCE], strict=True)
        await journal.write([passage(journal.new_id(START + at), sample) for sample, at in group])
    await journal.close()


async def replay_id(store: str) -> str:
    """Give the id of the latest replay."""
    replays = await open_replays(store)
    found = await replays.find(limit=1)
    await replays.close()
    return found[0].id


async def killed(url: str, store: str, samples: Sequence[Sample]) -> Killed:
    """Replay all, kill the process on the way, and judge what is in the queue."""
    await make_queue(url, QUEUE)
    environment, seen, began = settings(url, store), Killed(), time.monotonic()
    arguments: tuple[str, ...] = ("--from", "2h", "--to", "5m", "--target", f"queue:{QUEUE}", "--speed", "max", "--yes")
    async with await Partner.open(Access(url, "judge")) as partner:
        run = await Replaying(environment, arguments).start()
        for part in KILLS:
            while (depth := (await partner.depth(QUEUE) or (0, 0))[0]) < part * len(samples):
                if run.process is not None and run.process.returncode is not None:
                    raise RuntimeError((await run.ended())[2])
                await asyncio.sleep(0.02)
            await run.kill()
            seen.at.append(depth)
            arguments = ("--resume", await replay_id(store), "--json")
            run = await Replaying(environment, arguments).start()
        status, out, err = await run.ended()
        if status:
            raise RuntimeError(err)
        seen.seconds = time.monotonic() - began
        seen.told = json.loads(out.splitlines()[-1])
        count = (await partner.depth(QUEUE) or (0, 0))[0]
        await partner.watch(QUEUE)
        for _ in range(count):
            seen.judge.hear(await asyncio.wait_for(partner.arrivals.get(), 60))
    return seen


async def spaced(url: str, store: str, times: Sequence[float], speed: str, faster: float) -> Spaced:
    """Replay in the recorded times, and see when each message arrives."""
    await make_queue(url, QUEUE)
    arguments = ("--from", "2h", "--to", "5m", "--target", f"queue:{QUEUE}", "--speed", speed, "--yes", "--json")
    arrived: list[float] = []
    async with await Partner.open(Access(url, "receiver")) as partner:
        await partner.watch(QUEUE)
        run = await Replaying(settings(url, store), arguments).start()
        for _ in times:
            await asyncio.wait_for(partner.arrivals.get(), 120)
            arrived.append(time.monotonic())
        status, _, err = await run.ended()
    if status:
        raise RuntimeError(err)
    replays = await open_replays(store)
    [last] = await replays.find(limit=1)
    await replays.close()
    errors = progress_from_json(last.progress).errors
    sent = tuple((errors.quantile(part) or 0.0) * 1_000 for part in (0.5, 0.95, 0.99, 1.0))
    gaps = sorted(
        abs((arrived[at] - arrived[at - 1]) - (times[at] - times[at - 1]) / faster) * 1_000
        for at in range(1, len(times))
    )
    cuts = statistics.quantiles(gaps, n=100)
    return Spaced(speed, len(times) / (arrived[-1] - arrived[0]), sent, (cuts[49], cuts[94], cuts[98], gaps[-1]))


def _kill_rows(all_: Sequence[Killed], samples: Sequence[Sample]) -> str:
    ids = {sample.id for sample in samples}
    rows: dict[str, list[str]] = {}
    for one in all_:
        judge = one.judge
        again = judge.further - len(judge.unmarked)
        for name, value in {
            "killed when the queue held": ", ".join(f"{at:,}" for at in one.at),
            "runs": str(one.told["runs"]),
            "seconds, all in": f"{one.seconds:.0f}",
            "in the queue": f"{judge.copies.total():,}",
            "**distinct messages**": f"**{len(judge.copies):,}**",
            "further copies, marked": f"{again:,}",
            "further copies without the mark": str(len(judge.unmarked)),
            "marked, but alone": f"{judge.marked - again:,}",
            "lost": str(len(ids - set(judge.copies))),
            "**wrong**": f"**{len(judge.faults(ids))}**",
        }.items():
            rows.setdefault(name, []).append(value)
    return "\n".join(f"| {name} | {' | '.join(values)} |" for name, values in rows.items())


def _spacing_rows(one: Spaced) -> list[str]:
    return [
        f"| {one.speed} | {one.rate:,.0f} | {where} | {' | '.join(f'{number:.1f}' for number in numbers)} |"
        for where, numbers in (("sent", one.sent), ("arrived", one.arrived))
    ]


async def main() -> int:
    """Run all, print the page, write it where asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=100_000)
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    before = os.getloadavg()[0]
    samples = list(readings(given.messages, SIZE))
    chance = random.Random(5)  # noqa: S311 - no secret
    times = list(accumulate(chance.expovariate(1 / MEAN_GAP) for _ in samples))
    seen: list[Killed] = []
    spacing_rows: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        async with PrivateNode(top / "rabbitmq") as node, PrivatePostgres(durable=True) as database:
            sqlite = f"sqlite:///{top / 'cimgate.db'}"
            for journal, store in (("SQLite", sqlite), ("PostgreSQL", database.url())):
                await fill(store, samples, times)
                seen.append(await killed(node.url, store, samples))
                print(journal, _kill_rows(seen[-1:], samples), sep="\n", flush=True)
            for speed, faster in (("as-recorded", 1.0), ("3x", 3.0)):
                spacing_rows += _spacing_rows(await spaced(node.url, sqlite, times, speed, faster))
                print(*spacing_rows[-2:], sep="\n", flush=True)
    page = _PAGE.format(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        cpu=platform.processor() or platform.machine(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        python=platform.python_version(),
        load_before=before,
        load_after=os.getloadavg()[0],
        messages=len(samples),
        size=round(statistics.mean(len(sample.body) for sample in samples)),
        kills=_kill_rows(seen, samples),
        gap=MEAN_GAP * 1_000,
        spacing="\n".join(spacing_rows),
    )
    print("\n" + page)
    if given.write:
        given.write.write_text(page)
    return 1 if any(one.judge.faults({sample.id for sample in samples}) for one in seen) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
