"""OperationSets through a gateway that is killed at one point after another, and started anew each time.

    python -m benchmarks.faults [--every 1] [--write benchmarks/FAULTS.md]

Each run sends one set to a gateway on a broker and a store of its own, kills it (SIGKILL) at the next point, starts it
again, and holds that the receiver's objects are all or nothing and that the asker has one answer, of which repeats
carry the same MessageID and the mark. Exit status 1 where anything else came out.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.broker.private_node import PrivateNode
from gateway.store.private_postgres import PrivatePostgres
from tests.e2e.crashes import SCENARIOS, Run, Scenario, prepare, run

_PAGE = """# Killed at every point

Written by `make faults` (benchmarks/faults.py). An OperationSet of three creates, with integrity and sequence, goes
through a gateway on a real broker to a system that knows a repeated request by its MessageID. The gateway is killed
(SIGKILL) at one point after another and started anew on the same store. Then all meters must be there or none, and the
asker must have one answer: whatever comes again carries the same MessageID and the mark `cim-redelivered`.

- {date}, {machine}, Python {python}, {seconds:,.0f} s
- {runs:,} runs, {kills:,} of them killed, {wrong} with a wrong outcome

{tables}

A run without a kill: how many points it passed differs from run to run, because confirms are stored with whatever is
committed next; so some of the last numbers are not reached. "Requests repeated": the receiver saw a request again,
marked, and did not carry it out again. "Answers repeated": the asker read its answer again, marked, with the same
MessageID.

| point | the process ends |
|---|---|
| `commit`, `committed` | before and after the store commits what conversations have decided |
| `publish` | before each message that a conversation sends |
| `write`, `written` | before and after a batch of messages is written to the broker |
| `confirmed` | after the broker's confirm, before the conversation hears of it |
| `acknowledge`, `acknowledged` | before and after the message that was taken is acknowledged |
| `due` | before the timer feeds what is due, or was confirmed |

Not shown here: a system that does not deduplicate, a kill of the broker or of the database in the same moment, and the
loss of a disk.
"""
_TABLE = """## {name}, on {store}

| point | killed | requests repeated | answers repeated | wrong |
|---|---:|---:|---:|---:|
{rows}"""


@dataclass(frozen=True, slots=True)
class Tally:
    """All runs of one scenario on one kind of store."""

    scenario: Scenario
    store: str
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
        tables="\n\n".join(
            _TABLE.format(name=tally.scenario.name.capitalize(), store=tally.store, rows=_rows(tally.runs))
            for tally in tallies
        ),
    )


def _rows(runs: Sequence[Run]) -> str:
    kills: Counter[str] = Counter()
    repeated: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for one in runs:
        name = f"`{one.point}`" if one.point else "not reached"
        kills[name] += 1
        repeated[name] += one.repeated
        answers[name] += one.answers - 1
        wrong[name] += bool(one.problems)
    return "\n".join(f"| {n} | {kills[n]} | {repeated[n]} | {answers[n]} | {wrong[n]} |" for n in sorted(kills))


async def tally(url: str, folder: Path, scenario: Scenario, every: int, database: PrivatePostgres | None) -> Tally:
    """Kill at every point, or at every n-th."""
    store = "SQLite" if database is None else "PostgreSQL"

    async def attempt(crash: str, name: str) -> Run:
        place = ""
        if database is not None:
            await database.execute(f"CREATE DATABASE {name}")
            place = database.url(name)
        return await run(url, folder / name, scenario, crash, place)

    label = f"run_{store.lower()}_{SCENARIOS.index(scenario)}"
    unharmed = await attempt("count", f"{label}_count")
    runs = [unharmed] if unharmed.problems else []
    for number in range(every, unharmed.passed + 1, every):
        one = await attempt(f"any:{number}", f"{label}_{number}")
        runs.append(one)
        problems = "; ".join(one.problems) or "as it must be"
        print(f"{store}, {scenario.name}, {number} of {unharmed.passed}, {one.point or '-'}: {problems}", flush=True)
    return Tally(scenario, store, tuple(runs))


async def tallies(every: int) -> list[Tally]:
    """Run all, on a private broker and a private database server."""
    found = []
    with tempfile.TemporaryDirectory(prefix="cimgate-faults-") as name:
        folder = Path(name)
        async with PrivateNode(folder / "rabbitmq") as node, PrivatePostgres() as database:
            await prepare(node.url, folder / "first")
            for server in (None, database):
                found += [await tally(node.url, folder, scenario, every, server) for scenario in SCENARIOS]
    return found


def main() -> int:
    """Run all, print each outcome, write the page if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="kill at every n-th point only")
    parser.add_argument("--write", type=Path, help="file to write the page of results to")
    options = parser.parse_args()
    began = time.monotonic()
    found = asyncio.run(tallies(options.every))
    if options.write is not None:
        options.write.write_text(page(found, time.monotonic() - began), encoding="utf-8")
    return 1 if any(one.problems for tally in found for one in tally.runs) else 0


if __name__ == "__main__":
    sys.exit(main())
