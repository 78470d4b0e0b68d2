"""What is promised of outages holds on SQLite and on PostgreSQL, and beside the conversations and the journal."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from gateway.store import StoreUnusable, postgres, sqlite
from gateway.store.journal.opening import open_journal
from gateway.store.opening import open_store
from gateway.store.outages import Holder, OutageStore, StoredBatch, StoredDevice, StoredReport
from gateway.store.outages.opening import open_outages, outages_file
from gateway.store.outages.tables import REVISION, VERSION_TABLE, metadata


def stored(key: str, power: str = "out", since: int | None = 5, source: str = "HES") -> StoredDevice:
    return StoredDevice(key, '{"facts":[]}', power, since, None, key.removeprefix("name "), "3.26.0.85", source, 9)


@pytest_asyncio.fixture
async def outages(store_url: str) -> AsyncIterator[OutageStore]:
    opened = await open_outages(store_url)
    yield opened
    await opened.close()


async def put(outages: OutageStore, *devices: StoredDevice) -> None:
    async with outages.begin() as unit:
        await unit.put(devices)


async def test_devices_are_read_and_written_many_at_once_and_replaced(outages: OutageStore) -> None:
    many = [stored(f"name M-{number}'\"%é") for number in range(3_000)]
    await put(outages, *many)
    await put(outages, replace(many[7], power="on", since=None, restored=8))
    async with outages.begin() as unit:
        found = await unit.devices([one.key for one in many] + ["name unknown"])
    assert found == {one.key: one for one in many} | {many[7].key: replace(many[7], power="on", since=None, restored=8)}


async def test_what_a_unit_wrote_is_not_there_after_an_error(outages: OutageStore) -> None:
    with pytest.raises(ValueError, match="broken"):  # noqa: PT012 - the unit is what is tried
        async with outages.begin() as unit:
            await unit.put([stored("a")])
            await unit.add([StoredReport(1, "{}")], [StoredBatch("b", 2, 3, "{}")])
            raise ValueError("broken")
    standing = await outages.standing()
    assert (standing.devices, standing.reports, standing.batches) == ({}, 0, 0)
    assert await outages.left() is None


async def test_reports_and_batches_come_back_in_order_until_they_are_dropped_or_sent(
    store_url: str, outages: OutageStore
) -> None:
    async with outages.begin() as unit:
        await unit.add([StoredReport(number, f"r{number}") for number in (1 << 50, 7, 9)], [])
        await unit.add([], [StoredBatch("z", 1, 1, "[]"), StoredBatch("a", 2, 2, "[]")])
        await unit.drop([7])
    await outages.sent("z")
    assert await outages.left() == Holder("", 0)
    again = await open_outages(store_url)
    async with again.begin() as unit:
        assert [one.number for one in await unit.reports()] == [9, 1 << 50]
        assert await unit.batches() == [StoredBatch("a", 2, 2, "[]")]
    await again.close()


async def test_one_unit_at_a_time_knows_who_works_at_the_view(store_url: str, outages: OutageStore) -> None:
    other = await open_outages(store_url)

    async def count(store: OutageStore) -> None:
        for _ in range(20):
            async with store.begin() as unit:
                held = await unit.holder()
                await unit.hold(f"{held.owner}x", held.seen + 1)

    await asyncio.gather(count(outages), count(other))
    assert (await outages.standing()).holder == Holder("x" * 40, 40)
    await other.close()


async def test_devices_are_listed_by_how_they_stand_the_longest_outage_first(outages: OutageStore) -> None:
    await put(outages, stored("a", since=7), stored("b", since=3), stored("c", "on", None), stored("d", "partly", 1))
    await put(outages, stored("e", source="OTHER"))
    assert [one.key for one in await outages.listed(["out"])] == ["b", "e", "a"]
    assert [one.key for one in await outages.listed(["out", "partly"], source="HES", limit=2)] == ["d", "b"]
    assert await outages.listed(["out", "on"], told_from=10) == []
    assert (await outages.standing()).devices == {"out": 3, "on": 1, "partly": 1}


async def test_a_device_is_found_by_mrid_name_and_usage_point(outages: OutageStore) -> None:
    by_mrid = replace(stored("abc"), shown="M-1")
    await put(outages, by_mrid, stored("name M-2"), stored("point name UP-3"), stored("name M-20"))
    for named, found in (("abc", "abc"), ("M-1", "abc"), ("M-2", "name M-2"), ("UP-3", "point name UP-3")):
        assert [one.key for one in await outages.find(named)] == [found]
    assert await outages.find("M-%") == []


async def test_a_store_of_another_kind_is_refused() -> None:
    with pytest.raises(StoreUnusable, match="no URL of a store"):
        await open_outages("mysql://x")


async def test_the_tables_are_those_of_this_release_and_the_others_stay(store_url: str) -> None:
    await (await open_store(store_url)).close()
    await (await open_journal(store_url)).close()
    for _ in range(2):
        await (await open_outages(store_url)).close()
    await (await open_store(store_url)).close()
    file = outages_file(Path(store_url.removeprefix("sqlite:///")))
    engine = sqlite.engines(file, 1)[0] if store_url.startswith("sqlite") else postgres.engine(store_url, 1)

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert context.get_current_revision() == REVISION
        return [one for one in compare_metadata(context, metadata) if not str(one[0]).startswith("remove_")]

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
