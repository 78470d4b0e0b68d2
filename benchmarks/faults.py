"""Requests and sets through a gateway that is killed at one point after another, and started anew each time.

    python -m benchmarks.faults [--every 1] [--lanes 3] [--only WORDS] [--write benchmarks/FAULTS.md]

Each run sends one request to a gateway on a virtual host and a store of its own, kills it (SIGKILL) at the next point,
starts it again, and holds that everything ends as the scenario says (tests/e2e/crash_scenarios.py): what the systems
have, what the asker and others have read, and what the store says of it. Exit status 1 where anything else came out.
"""

import argparse
import asyncio
import contextlib
import os
import platform
import sys
import tempfile
import textwrap
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from gateway.broker.private_node import PrivateNode
from gateway.store.private_postgres import PrivatePostgres
from tests.e2e.crash_scenarios import SCENARIOS, Scenario
from tests.e2e.crashes import NotReached, Run, prepare, run

_PAGE = """# Killed at every point

Written by `make faults` (benchmarks/faults.py). One request goes through a gateway on a real broker to systems that
know a repeated request by its MessageID. The gateway is killed (SIGKILL) at one point after another and started anew on
the same store. Then the systems must be as the scenario says, the store must hold one conversation that has ended so,
the asker must have one answer and whoever else was to hear of it one event: whatever comes again carries the same
MessageID and the mark `cim-redelivered`, and nothing else is in any queue.

- {date}, {machine}, Python {python}, {seconds:,.0f} s
- {runs:,} runs, {kills:,} of them killed, {wrong} with a wrong outcome

| scenario | store | points | killed | requests repeated | answers repeated | events repeated | wrong |
|---|---|---:|---:|---:|---:|---:|---:|
{summary}

"Points" is how many a run without a kill passed. That differs from run to run, because confirms are stored with
whatever is committed next; so some of the last numbers are not reached. "Requests repeated": a system saw a request
again, marked, and did not carry it out again. "Answers repeated" and "events repeated": somebody read the same message
again, marked, with the same MessageID.

| point | the process ends |
|---|---|
| `commit`, `committed` | before and after the store commits what conversations have decided |
| `publish` | before each message that a conversation sends |
| `write`, `written` | before and after a batch of messages is written to the broker |
| `confirmed` | after the broker's confirm, before the conversation hears of it |
| `journal`, `journaled` | before and after the journal keeps what passed |
| `acknowledge`, `acknowledged` | before and after the message that was taken is acknowledged |
| `due` | before the timer feeds what is due, or was confirmed |

{scenarios}

Not shown here: a system that does not deduplicate, a kill of the broker or of the database in the same moment, and the
loss of a disk. Requests without any id are known again by their bytes: two of them that are the same byte for byte, of
which the second was only just handed to a gateway when that was killed, count as one.
"""
_SCENARIO = """## {name}

{does}

| point | killed | requests repeated | answers repeated | events repeated | wrong |
|---|---:|---:|---:|---:|---:|
{rows}"""


@dataclass(frozen=True, slots=True)
class Tally:
    """All runs of one scenario on one kind of store; `points` is what a run without a kill passed."""

    scenario: Scenario
    store: str
    points: int
    runs: tuple[Run, ...]


def page(tallies: Sequence[Tally], seconds: float) -> str:
    """Write the page of results."""
    runs = [one for tally in tallies for one in tally.runs]
    return _PAGE.format(
        date=datetime.now(UTC).date(),
        machine=f"{platform.machine()}, {os.cpu_count()} cores",
        python=platform.python_version(),
        seconds=seconds,
        runs=len(runs),
        kills=sum(bool(one.point) for one in runs),
        wrong=sum(bool(one.problems) for one in runs),
        summary="\n".join(
            f"| {tally.scenario.name} | {tally.store} | {tally.points} | {_counts(tally.scenario, tally.runs)} |"
            for tally in tallies
        ),
        scenarios="\n\n".join(
            _SCENARIO.format(
                name=scenario.name[0].upper() + scenario.name[1:],
                does=textwrap.fill(scenario.does, 120),
                rows=_rows(scenario, [one for tally in tallies if tally.scenario is scenario for one in tally.runs]),
            )
            for scenario in {tally.scenario.name: tally.scenario for tally in tallies}.values()
        ),
    )


def _rows(scenario: Scenario, runs: Sequence[Run]) -> str:
    points: dict[str, list[Run]] = {}
    for one in runs:
        points.setdefault(f"`{one.point}`" if one.point else "not reached", []).append(one)
    return "\n".join(f"| {point} | {_counts(scenario, found)} |" for point, found in sorted(points.items()))


def _counts(scenario: Scenario, runs: Sequence[Run]) -> str:
    """Give the cells from "killed" on; a gateway that was killed before the one under test repeats a request anyway."""
    killed = sum(bool(one.point) for one in runs)
    repeated = sum(one.repeated for one in runs)
    answers = sum(one.answers - 1 for one in runs)
    events = sum(one.events - len(scenario.heard) for one in runs)
    wrong = sum(bool(one.problems) for one in runs)
    return f"{killed} | {repeated} | {answers} | {events} | {wrong}"


class Place:
    """A private broker with some virtual hosts, of which each is used by one run at a time, and a database server."""

    def __init__(self, folder: Path, node: PrivateNode, database: PrivatePostgres, hosts: Sequence[str]) -> None:
        self.folder = folder
        self._node = node
        self._database = database
        self._hosts = hosts
        self._free: asyncio.Queue[str] = asyncio.Queue()
        self._numbers = count(1)

    async def open(self) -> None:
        """Make the virtual hosts."""
        address = urlsplit(self._node.url)
        for host in self._hosts:
            await self._node.ctl("add_vhost", host)
            await self._node.ctl("set_permissions", "--vhost", host, address.username or "", ".*", ".*", ".*")
            url = address._replace(path=f"/{host}").geturl()
            await prepare(url)
            self._free.put_nowait(url)

    async def run(self, scenario: Scenario, store: str, crash: str) -> Run:
        """Make one run, as soon as a virtual host is free."""
        url = await self._free.get()
        try:
            while True:
                name = f"run_{next(self._numbers)}"
                place = ""
                if store == POSTGRES:
                    await self._database.execute(f"CREATE DATABASE {name}")
                    place = self._database.url(name)
                with contextlib.suppress(NotReached):
                    return await run(url, self.folder / name, scenario, crash, place)
        finally:
            self._free.put_nowait(url)


SQLITE = "SQLite"
POSTGRES = "PostgreSQL"


@asynccontextmanager
async def place(lanes: int) -> AsyncIterator[Place]:
    """Start the broker and the database server, and end them."""
    with tempfile.TemporaryDirectory(prefix="cimgate-faults-") as name:
        folder = Path(name)
        async with PrivateNode(folder / "rabbitmq") as node, PrivatePostgres() as database:
            found = Place(folder, node, database, [f"lane-{lane}" for lane in range(1, lanes + 1)])
            await found.open()
            yield found


async def tally(where: Place, scenario: Scenario, store: str, every: int) -> Tally:
    """Kill at every point, or at every n-th."""

    async def attempt(number: int) -> Run:
        one = await where.run(scenario, store, f"any:{number}")
        problems = "; ".join(one.problems) or "as it must be"
        print(f"{store}, {scenario.name}, {number} of {unharmed.passed}, {one.point or '-'}: {problems}", flush=True)
        return one

    unharmed = await where.run(scenario, store, "count")
    runs = await asyncio.gather(*(attempt(number) for number in range(every, unharmed.passed + 1, every)))
    if unharmed.problems:
        print(f"{store}, {scenario.name}, without a kill: {'; '.join(unharmed.problems)}", flush=True)
        runs.append(unharmed)
    return Tally(scenario, store, unharmed.passed, tuple(runs))


async def tallies(scenarios: Sequence[Scenario], every: int, lanes: int) -> list[Tally]:
    """Run all, on a private broker and a private database server, several at the same time."""
    async with place(lanes) as where:
        return await asyncio.gather(
            *(tally(where, scenario, store, every) for scenario in scenarios for store in (SQLITE, POSTGRES))
        )


def main() -> int:
    """Run all, print each outcome, write the page if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="kill at every n-th point only")
    parser.add_argument("--lanes", type=int, default=3, help="so many runs at the same time")
    parser.add_argument("--only", default="", help="scenarios whose name has these words in it")
    parser.add_argument("--write", type=Path, help="file to write the page of results to")
    options = parser.parse_args()
    began = time.monotonic()
    scenarios = [scenario for scenario in SCENARIOS if options.only in scenario.name]
    found = asyncio.run(tallies(scenarios, options.every, options.lanes))
    if options.write is not None:
        options.write.write_text(page(found, time.monotonic() - began), encoding="utf-8")
    return 1 if any(one.problems for tally in found for one in tally.runs) else 0


if __name__ == "__main__":
    sys.exit(main())
