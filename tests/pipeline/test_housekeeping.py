"""What is kept for how long: by age, by noun, and by size."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from gateway.pipeline.housekeeping import DAY, Housekeeper, Retention
from gateway.store import Store
from gateway.store.journal import Journal, JournalSearch, Passage
from gateway.store.journal.opening import open_journal
from gateway.store.opening import open_store
from tests.e2e.harness import until


@pytest.fixture(name="opened")
async def opened_fixture(store_url: str) -> AsyncIterator[tuple[Store, Journal]]:
    store = await open_store(store_url)
    journal = await open_journal(store_url)
    yield store, journal
    await journal.close()
    await store.close()


def passage(journal: Journal, days: float, noun: str, keep: str = "", size: int = 0) -> Passage:
    return Passage(journal.new_id(time.time() - days * DAY), "in", noun=noun, keep=keep, size=size, body=bytes(size))


async def kept(journal: Journal) -> list[tuple[str, int]]:
    found = await journal.find(JournalSearch(), 1_000, oldest_first=True)
    return [(one.noun, round((time.time() - one.at) / DAY)) for one in found]


async def after_cleaning(store: Store, journal: Journal, retention: Retention, wanted: list[tuple[str, int]]) -> None:
    """Let it work until what is kept is what is wanted; fails with what is kept instead."""
    keeper = Housekeeper(store, journal, retention, time.time)
    work = asyncio.create_task(keeper.keep())

    async def as_wanted() -> bool:
        return await kept(journal) == wanted

    try:
        await until(as_wanted, f"{wanted} and nothing else is kept", 20)
    finally:
        keeper.stop()
        await work
    assert await kept(journal) == wanted


async def test_each_noun_is_kept_for_its_own_time_and_the_rest_for_theirs(opened: tuple[Store, Journal]) -> None:
    store, journal = opened
    nouns = (("MeterReadings", "MeterReadings"), ("EndDeviceEvents", "EndDeviceEvents"), ("MeterConfig", ""), ("", ""))
    ages = (500, 100, 50, 5)
    await journal.write([passage(journal, days, noun, keep) for days in ages for noun, keep in nouns])
    retention = Retention(DAY, 90 * DAY, {"MeterReadings": 400 * DAY, "EndDeviceEvents": 30 * DAY})
    left = [("MeterReadings", 100), ("MeterReadings", 50), ("MeterConfig", 50), ("", 50)]
    left += [("MeterReadings", 5), ("EndDeviceEvents", 5), ("MeterConfig", 5), ("", 5)]
    await after_cleaning(store, journal, retention, left)


async def test_a_noun_that_the_settings_no_longer_name_goes_with_the_longest_kept(
    opened: tuple[Store, Journal],
) -> None:
    store, journal = opened
    await journal.write([passage(journal, days, "MeterReadings", "MeterReadings") for days in (120, 60)])
    await after_cleaning(store, journal, Retention(DAY, 90 * DAY, {}), [("MeterReadings", 60)])


async def test_a_journal_that_is_too_large_gives_up_its_oldest(sqlite_url: str) -> None:
    store, journal = await open_store(sqlite_url), await open_journal(sqlite_url)
    noise = [passage(journal, 60 - number / 100, "MeterReadings", size=0) for number in range(3_000)]
    await journal.write(noise)
    newest = passage(journal, 1, "MeterConfig")
    await journal.write([newest])
    size = await journal.size()
    keeper = Housekeeper(store, journal, Retention(DAY, 90 * DAY, {}, size // 2), time.time)
    work = asyncio.create_task(keeper.keep())

    async def smaller() -> bool:
        return await journal.size() <= size // 2

    await until(smaller, "it takes no more than it may", 20)
    keeper.stop()
    await work
    assert await journal.get(newest.id) == newest
    assert await journal.get(noise[0].id) is None
    await journal.close()
    await store.close()
