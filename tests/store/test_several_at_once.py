"""Several units, and several processes, at one store."""

import asyncio
import json
from asyncio import gather
from asyncio.subprocess import Process
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from gateway.store import Search, Store, Stored
from gateway.store.opening import open_store
from tests.processes import at_once, line_of
from tests.store.rows import NOW, conversation, leg
from tests.store.stepping import stepped


def processes(url: str, what: str, *names: str, count: int = 0) -> AbstractAsyncContextManager[list[Process]]:
    """Processes that have opened the store and begin now, all at once; killed at the end."""
    return at_once("tests.store.stepping", [(url, what, str(count), name) for name in names])


async def output_of(process: Process) -> str:
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


def steps(row: Stored) -> int:
    return int(json.loads(row.document)["steps"])


@pytest.mark.parametrize("what", ["hold_and_step", "look_and_step"])
async def test_two_processes_never_apply_a_step_to_the_same_state(store: Store, store_url: str, what: str) -> None:
    async with store.begin() as unit:
        await unit.insert([conversation("a"), conversation("b")], [leg("leg of a", "a"), leg("leg of b", "b")])
    async with processes(store_url, what, "p", "q", count=30) as started:
        await gather(*map(output_of, started))
    async with store.look() as reader:
        found = await reader.conversations(["a", "b"])
    assert {id_: (steps(row), row.version) for id_, row in found.items()} == {"a": (60, 61), "b": (60, 61)}


async def test_of_two_processes_with_the_same_requests_one_opens_each(store: Store, store_url: str) -> None:
    async with processes(store_url, "open_requests", "p", "q", count=200) as started:
        opened = await gather(*map(output_of, started))
    assert sum(map(int, opened)) == 200
    async with store.look() as reader:
        rows = await reader.search(Search(), limit=1_000)
        assert {row.message_id for row in rows} == {f"request-{number}" for number in range(200)}
        assert len(rows) == 200
        assert set(await reader.conversations_of_legs([f"leg of p-{number}" for number in range(200)])) == {
            f"leg of {row.id}" for row in rows if row.id.startswith("p")
        }


async def test_processes_that_open_an_empty_store_at_once_make_its_tables_once(store_url: str) -> None:
    async with processes(store_url, "nothing", "p", "q", "r") as started:
        assert await gather(*map(output_of, started)) == [""] * 3
    store = await open_store(store_url)
    async with store.begin() as unit:
        assert await unit.insert([conversation("c")]) == frozenset()
    await store.close()


async def test_a_process_that_is_killed_in_a_unit_leaves_nothing_of_it_and_holds_up_nobody(
    store: Store, store_url: str
) -> None:
    async with processes(store_url, "hang", "killed") as (process,):
        assert await line_of(process) == "in the middle"
    async with store.begin() as unit:
        assert set(await unit.conversations(["killed committed", "killed not committed"])) == {"killed committed"}
        assert await unit.insert([conversation("killed not committed")]) == frozenset()


async def test_units_of_one_process_that_ask_for_the_same_come_one_after_the_other(store: Store) -> None:
    async with store.begin() as unit:
        await unit.insert([conversation("a")], [leg("leg of a", "a")])

    async def step() -> frozenset[str]:
        async with store.begin() as unit:
            found = await unit.conversations_of_legs(["leg of a"])
            return await unit.update([stepped(row) for row in found.values()])

    assert await gather(*(step() for _ in range(8))) == [frozenset()] * 8
    async with store.look() as reader:
        assert steps((await reader.conversations(["a"]))["a"]) == 8


async def test_a_unit_that_is_cancelled_leaves_nothing_and_the_next_one_works(store: Store) -> None:
    written = asyncio.Event()

    async def hanging() -> None:
        async with store.begin() as unit:
            await unit.insert([conversation("c")])
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hanging())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.begin() as unit:
        assert await unit.insert([conversation("c")]) == frozenset()


async def test_two_processes_share_what_is_due(postgres_url: str) -> None:
    one, other = await open_store(postgres_url), await open_store(postgres_url)
    async with one.begin() as unit:
        await unit.insert([conversation(name, deadline=NOW + at) for at, name in enumerate("abc")])
    async with one.begin() as first, other.begin() as second:
        assert [row.id for row in await first.due(NOW + 9, 2)] == ["a", "b"]
        found = await second.due(NOW + 9, 2)
        assert [row.id for row in found] == ["c"]
        assert await second.update([replace(row, final=True) for row in found]) == frozenset()
    async with one.begin() as unit:
        assert [row.id for row in await unit.due(NOW + 9, 9)] == ["a", "b"]
    await one.close()
    await other.close()
