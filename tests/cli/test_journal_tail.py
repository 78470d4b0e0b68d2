import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.store.journal.opening import open_journal
from tests.cli.passages import Shelf, outage, refused
from tests.databases import Database
from tests.e2e.harness import PATIENCE


@asynccontextmanager
async def following(url: str, *options: str) -> AsyncIterator[Process]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CIMGATE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cli", "journal", "tail", *options,
        env=environment | {"CIMGATE_STORE": url}, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()


async def test_tail_shows_what_passes_and_ctrl_c_ends_it_with_0(store_url: str) -> None:
    shelf = Shelf(store_url)
    await shelf.write([outage(time.time() - 30 + at, f"old-{at}", source=f"OLD-{at}") for at in range(4)])
    async with following(store_url, "--lines", "2") as process:
        assert "OLD-2" in await line(process)
        assert "OLD-3" in await line(process)
        # Two processes write to one journal: ids of one may come after later ones of the other.
        one, other = await open_journal(store_url), await open_journal(store_url)
        late = one.new_id()
        await other.write([outage(0, "first", id=other.new_id(), source="FIRST")])
        assert "FIRST" in await line(process)
        await one.write([refused(0, "second", id=late, source="SECOND")])
        told = await line(process)
        assert "SECOND" in told
        assert "dead: invalid" in told
        await one.close()
        await other.close()
        process.send_signal(signal.SIGINT)
        rest = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert (process.returncode, rest) == (0, (b"", b""))


async def test_tail_shows_only_what_is_asked_for_from_then_on(sqlite_url: str) -> None:
    shelf = Shelf(sqlite_url)
    now = time.time()
    await shelf.write([refused(now - 600, "older"), refused(now - 60, "old"), outage(now - 50, "other")])
    async with following(sqlite_url, "--outcome", "dead", "--since", "5m ago", "--json") as process:
        assert '"message_id": "old"' in await line(process)
        await shelf.write([outage(time.time(), "fine"), refused(time.time(), "new")])
        assert '"message_id": "new"' in await line(process)


async def test_tail_goes_on_by_itself_when_the_store_was_away(database: Database, postgres_url: str) -> None:
    shelf = Shelf(postgres_url)
    await shelf.write([outage(time.time(), "before", source="BEFORE")])
    async with following(postgres_url) as process:
        assert "BEFORE" in await line(process)
        await database.private.pause()
        assert process.stderr is not None
        said = (await asyncio.wait_for(process.stderr.readline(), PATIENCE)).decode()
        await database.private.resume()
        assert "cimgate: " in said, said + (await process.stderr.read(10_000)).decode()
        assert process.returncode is None
        await shelf.write([outage(time.time(), "after", source="AFTER")])
        assert "AFTER" in await line(process)
