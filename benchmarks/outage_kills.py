"""Power events through a gateway with an outage view that is killed at one point after another, and started anew.

    python -m benchmarks.outage_kills [--every 1] [--lanes 2] [--write benchmarks/OUTAGE_KILLS.md]

Each run sends two messages (twenty meters lose power, ten have it back) to a gateway on a virtual host and a store of
its own, kills it (SIGKILL) at the next point and starts it again: how each device stands, and what the OMS was told,
must be as without a kill (tests/e2e/outages.py). Exit status 1 where anything else came out.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from gateway.broker.private_node import PrivateNode
from gateway.store.private_postgres import PrivatePostgres
from tests.e2e.outages import Killed, killed

_STORES = ("SQLite", "PostgreSQL")
_PAGE = """# The outage view, killed at every point

Written by `make faults-outages` (benchmarks/outage_kills.py). Two messages wait for a gateway on a real broker: twenty
meters lose power, ten have it back. The gateway is killed (SIGKILL) at one point after another and started anew on the
same store. Then every device must stand as it should, and the OMS must have been told of each loss once and, after it,
of each return: whatever comes again has the same MessageID, the same bytes and the mark `cim-redelivered`. Nothing is
left in the gateway's queues, nothing is a dead letter, and no error stands in the log.

- {date}, {machine}, Python {python}, {seconds:,.0f} s
- {runs:,} runs, {kills:,} of them killed, {wrong} with a wrong outcome

| store | point | killed | messages told again | wrong |
|---|---|---:|---:|---:|
{rows}

"Told again": the OMS read the same message twice, the second one marked. A run without a kill passes {passed} points;
the count differs a little from run to run.

| point | the process ends |
|---|---|
| `outages`, `outages kept` | before and after the store commits what messages mean and what is to be told of it |
| `publish` | before a message to the OMS is published |
| `outages sent` | after the store has heard that a message to the OMS has gone |
| `journal`, `journaled` | before and after the journal commits what passed |
| `write`, `written` | before and after messages are written to the broker |
| `acknowledge`, `acknowledged` | before and after messages that were taken are acknowledged |
"""


class Lanes:
    """Virtual hosts, of which each is used by one run at a time, and a database for each run."""

    def __init__(self, folder: Path, node: PrivateNode, database: PrivatePostgres) -> None:
        self._folder = folder
        self._node = node
        self._database = database
        self._free: asyncio.Queue[str] = asyncio.Queue()

    async def open(self, number: int) -> None:
        """Make the virtual hosts."""
        address = urlsplit(self._node.url)
        for host in (f"lane-{lane}" for lane in range(number)):
            await self._node.ctl("add_vhost", host)
            await self._node.ctl("set_permissions", "--vhost", host, address.username or "", ".*", ".*", ".*")
            self._free.put_nowait(address._replace(path=f"/{host}").geturl())

    async def run(self, store: str, crash: str) -> Killed:
        """Make one run, as soon as a virtual host is free."""
        url = await self._free.get()
        name = f"run_{store.lower()}_{crash.replace(':', '_')}"
        place = ""
        try:
            if store == "PostgreSQL":
                await self._database.execute(f"CREATE DATABASE {name}")
                place = self._database.url(name)
            one = await killed(url, self._folder / name, crash, place)
        finally:
            self._free.put_nowait(url)
        print(f"{store}, {crash}, {one.point or '-'}: {'; '.join(one.problems) or 'as it must be'}", flush=True)
        return one


async def tally(every: int, lanes: int) -> tuple[dict[str, list[Killed]], int]:
    """Kill at every point, or at every n-th; gives all runs by store, and how many points one without a kill has."""
    found: dict[str, list[Killed]] = {}
    with tempfile.TemporaryDirectory(prefix="cimgate-faults-") as name:
        async with PrivateNode(Path(name) / "rabbitmq") as node, PrivatePostgres() as database:
            where = Lanes(Path(name), node, database)
            await where.open(lanes)
            passed = 0
            for store in _STORES:
                unharmed = await where.run(store, "count")
                passed = max(passed, unharmed.passed)
                numbers = range(every, unharmed.passed + 1, every)
                found[store] = [
                    unharmed, *await asyncio.gather(*(where.run(store, f"any:{number}") for number in numbers))
                ]  # fmt: skip
    return found, passed


def _rows(found: dict[str, list[Killed]]) -> Iterator[str]:
    for store, runs in found.items():
        points: dict[str, list[Killed]] = defaultdict(list)
        for one in runs:
            points[f"`{one.point}`" if one.point else "none"].append(one)
        for point, those in sorted(points.items()):
            yield f"| {store} | {point} | {_counts(those)} |"


def _counts(runs: Sequence[Killed]) -> str:
    return f"{sum(bool(one.point) for one in runs)} | {sum(one.copies for one in runs)} | {_wrong(runs)}"


def _wrong(runs: Sequence[Killed]) -> int:
    return sum(bool(one.problems) for one in runs)


def main() -> int:
    """Run all, print each outcome, write the page if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="kill at every n-th point only")
    parser.add_argument("--lanes", type=int, default=2, help="so many runs at the same time")
    parser.add_argument("--write", type=Path, help="file to write the page of results to")
    options = parser.parse_args()
    began = time.monotonic()
    found, passed = asyncio.run(tally(options.every, options.lanes))
    runs = [one for those in found.values() for one in those]
    page = _PAGE.format(
        date=datetime.now(UTC).date(),
        machine=f"{platform.machine()}, {os.cpu_count()} cores",
        python=platform.python_version(),
        seconds=time.monotonic() - began,
        runs=len(runs),
        kills=sum(bool(one.point) for one in runs),
        wrong=_wrong(runs),
        rows="\n".join(_rows(found)),
        passed=passed,
    )
    print(page)
    if options.write is not None:
        options.write.write_text(page, encoding="utf-8")
    return 1 if _wrong(runs) else 0


if __name__ == "__main__":
    sys.exit(main())
