"""A storm: very many meters lose power at once, and the OMS and twenty subscribers hear of it.

    python -m benchmarks.storm [--devices 50000] [--stores SQLite PostgreSQL] [--write benchmarks/STORM.md]

The gateway's queue is filled with the storm, one event a message and then 500, and the gateway works it off
(tests/e2e/storm.py): every message must reach its subscribers, the OMS must be told of each device once, and every
device must stand as it should in the end. Exit status 1 where anything else came out.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from gateway.broker.private_node import PrivateNode
from gateway.store.private_postgres import PrivatePostgres
from tests.e2e.storm import Weathered, weather

_FORMS = (1, 500)
_PAGE = """# A storm

Written by `make storm` (benchmarks/storm.py). {devices:,} meters lose power; every twentieth says so once more, and
every tenth has power back. The events wait in the gateway's queue when it starts. The gateway checks each message,
keeps it in the journal, publishes it for twenty subscriptions with queues (by domain, event type, source, severity and
combinations of these; six by pattern or device, which the gateway judges), and keeps the outage view, which tells
the OMS.

- {date}, {machine}, RabbitMQ on the same machine, Python {python}
- {verdict}

| store | events a message | messages | events | handed on after | told after | events/s | messages/s | OMS messages | largest | processor | memory |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{rows}

"Handed on": from the moment the gateway is ready until all subscribers have all that is theirs. "Told": until the OMS
has been told of every device, and the store knows it. "Events/s" and "messages/s" are those of all events over the
longer of both. "OMS messages": into how many the reports were gathered, and how many reports the largest has.
"Processor" is the time that the gateway used, "memory" the most that it had.

Held in each run: each subscriber has exactly its messages, by MessageID; the OMS was told of each device that it lost
power, once, and of each that has it back, after that; nothing came twice, nothing is a dead letter, and every device
stands in the store as it should.
"""  # noqa: E501 - a line of a table


async def weathered(devices: int, stores: Sequence[str]) -> list[tuple[str, Weathered]]:
    """Let the storm go over each kind of store, in each form."""
    found = []
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cimgate-storm-")))
        node = await stack.enter_async_context(PrivateNode(scratch / "rabbitmq"))
        database = PrivatePostgres(durable=True)
        if "PostgreSQL" in stores:
            await stack.enter_async_context(database)
        for store in stores:
            for per_message in _FORMS:
                name = f"storm-{store.lower()}-{per_message}"
                await node.ctl("add_vhost", name)
                await node.ctl("set_permissions", "--vhost", name, "cimgate", ".*", ".*", ".*")
                url = urlsplit(node.url)._replace(path=f"/{name}").geturl()
                folder = scratch / name
                where = database.url() if store == "PostgreSQL" else f"sqlite:///{folder / 'cimgate.db'}"
                if store == "PostgreSQL":
                    where = await _schema(where, name.replace("-", "_"))
                one = await weather(url, folder, where, devices, per_message)
                await node.ctl("delete_vhost", name)
                print(store, one, flush=True)
                found.append((store, one))
    return found


async def _schema(url: str, name: str) -> str:
    import asyncpg  # noqa: PLC0415 - for PostgreSQL alone

    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE SCHEMA {name}")
    await connection.close()
    return f"{url}{'&' if '?' in url else '?'}search_path={name}"


def _rows(found: Sequence[tuple[str, Weathered]]) -> Iterator[str]:
    for store, one in found:
        longer = max(one.handed_on, one.told)
        cells = (
            store, f"{one.per_message}", f"{one.messages:,}", f"{one.events:,}", f"{one.handed_on:.1f} s",
            f"{one.told:.1f} s", f"{one.events / longer:,.0f}", f"{one.messages / longer:,.0f}",
            f"{one.oms_messages:,}", f"{one.oms_largest}", f"{one.processor:.0f} s", f"{one.memory:.0f} MiB",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def main() -> int:
    """Run, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=50_000)
    parser.add_argument("--stores", nargs="+", choices=("SQLite", "PostgreSQL"), default=["SQLite", "PostgreSQL"])
    parser.add_argument("--write", type=Path, help="the page to write")
    options = parser.parse_args()
    found = asyncio.run(weathered(options.devices, options.stores))
    wrong = [f"{store}, {one.per_message} a message: {problem}" for store, one in found for problem in one.problems]
    page = _PAGE.format(
        devices=options.devices,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores ({platform.machine()})",
        python=platform.python_version(),
        verdict="; ".join(wrong) or "nothing lost, nothing twice, every device right, in each run",
        rows="\n".join(_rows(found)),
    )
    print(page)
    if options.write:
        options.write.write_text(page)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
