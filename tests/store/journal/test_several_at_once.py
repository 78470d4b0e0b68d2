"""Several processes at one journal, and one that is killed."""

import asyncio
from asyncio import gather
from asyncio.subprocess import Process
from collections import Counter
from contextlib import AbstractAsyncContextManager

from gateway.store.journal import Journal, JournalSearch
from gateway.store.journal.opening import open_journal
from tests.processes import at_once
from tests.store.journal.passages import passage
from tests.store.journal.writing import GROUP

ENDLESS = 1_000_000


def writers(url: str, *names: str, groups: int) -> AbstractAsyncContextManager[list[Process]]:
    """Processes that have opened the journal and begin now, all at once; killed at the end."""
    return at_once("tests.store.journal.writing", [(url, name, str(groups)) for name in names])


async def test_what_two_processes_write_at_once_is_all_there_once(store_url: str) -> None:
    async with writers(store_url, "p", "q", groups=60) as started:
        for process in started:
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
    journal = await open_journal(store_url)
    wanted = {f"{name}-{number}-{at}" for name in "pq" for number in range(60) for at in range(GROUP)}
    seen = [one.message_id async for one in journal.walk(JournalSearch())]
    assert Counter(seen) == Counter(wanted)
    for number in (0, 30, 59):
        found = await journal.find(JournalSearch(device=f"group-{number}"), 1_000)
        assert Counter(one.source for one in found) == {"p": GROUP, "q": GROUP}
    assert len(await journal.find(JournalSearch(source="q"), 10_000)) == 60 * GROUP
    await journal.close()


async def test_of_a_process_that_is_killed_all_that_it_was_told_of_is_there_and_no_part_of_a_group(
    store_url: str,
) -> None:
    async with writers(store_url, "killed", groups=ENDLESS) as (process,):
        assert process.stdout is not None
        told = [int(await process.stdout.readline()) for _ in range(40)]
        process.kill()
        told += [int(line) for line in (await process.stdout.read()).split()]
        await process.wait()
    journal = await open_journal(store_url)
    groups = Counter([one.devices[0] async for one in journal.walk(JournalSearch())])
    assert set(groups.values()) == {GROUP}
    assert len(groups) >= len(told)
    await journal.write([passage(source="after")])
    assert len(await journal.find(JournalSearch(source="after"))) == 1
    await journal.close()


async def test_writes_of_one_process_at_the_same_time_are_all_there(journal: Journal) -> None:
    groups = [[passage(id=journal.new_id(), source=f"S{number}") for _ in range(5)] for number in range(20)]
    await gather(*(journal.write(group) for group in groups), *(journal.find(JournalSearch()) for _ in range(10)))
    assert len(await journal.find(JournalSearch(), 1_000)) == 100


async def test_processes_that_purge_at_once_remove_each_message_once(journal: Journal, store_url: str) -> None:
    other = await open_journal(store_url)
    await journal.write([passage(day * 86_400 + at) for day in range(4) for at in range(50)])
    gone = 0
    while some := sum(await gather(*(one.purge(passage(3 * 86_400).at) for one in (journal, other, journal)))):
        gone += some
    assert gone == 150
    assert len(await other.find(JournalSearch(), 1_000)) == 50
    await other.close()


async def test_a_walk_goes_on_while_others_write_and_purge(journal: Journal) -> None:
    written = [passage(at) for at in range(450)]
    await journal.write(written)
    walk = journal.walk(JournalSearch(until=written[-1].at + 1))
    first = [(await anext(walk)).id for _ in range(60)]
    await asyncio.gather(journal.write([passage(10_000)]), journal.purge(written[100].at))
    rest = [one.id async for one in walk]
    assert first + rest == [one.id for one in written]
