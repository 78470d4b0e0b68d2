"""What is promised of subscriptions holds on SQLite and on PostgreSQL, and beside the conversations and the journal."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from gateway.store import StoreUnusable, postgres, sqlite
from gateway.store.journal.opening import open_journal
from gateway.store.opening import open_store
from gateway.store.subscriptions import Progress, Reader, StoredSubscription, Subscriptions
from gateway.store.subscriptions.opening import open_subscriptions
from gateway.store.subscriptions.tables import REVISION, VERSION_TABLE, metadata


def subscription(name: str) -> StoredSubscription:
    return StoredSubscription(name, '{"name":"x"}', 1.5)


@pytest_asyncio.fixture
async def subscriptions(store_url: str) -> AsyncIterator[Subscriptions]:
    opened = await open_subscriptions(store_url)
    yield opened
    await opened.close()


async def test_what_was_added_is_known_after_opening_anew_by_name(store_url: str, subscriptions: Subscriptions) -> None:
    for name in ("b", "a"):
        await subscriptions.add(subscription(name))
    again = await open_subscriptions(store_url)
    known = await again.known()
    assert [one.name for one in known.subscriptions] == ["a", "b"]
    assert await again.one("b") == subscription("b")
    assert await again.one("c") is None
    await again.close()


async def test_the_version_grows_with_every_change_and_with_nothing_else(subscriptions: Subscriptions) -> None:
    versions = [await subscriptions.version()]
    versions.append(await subscriptions.add(subscription("a")) or 0)
    versions.append(await subscriptions.end("a") or 0)
    await subscriptions.remove("a")
    versions.append(await subscriptions.version())
    assert versions == sorted(set(versions))
    await subscriptions.acts("g", 1, 2.0)
    await subscriptions.note(Progress("a", 1, 2.0, 3.0))
    assert (await subscriptions.known()).version == versions[-1]


async def test_of_two_that_add_the_same_name_at_once_one_is_told_that_it_is_taken(
    store_url: str, subscriptions: Subscriptions
) -> None:
    other = await open_subscriptions(store_url)
    given = await asyncio.gather(*(keeper.add(subscription("a")) for keeper in (subscriptions, other)))
    await other.close()
    assert given.count(None) == 1


async def test_an_ended_one_is_known_as_such_until_it_is_removed(subscriptions: Subscriptions) -> None:
    await subscriptions.add(subscription("a"))
    assert await subscriptions.end("a") is not None
    assert [one.ended for one in (await subscriptions.known()).subscriptions] == [True]
    await subscriptions.remove("a")
    assert not (await subscriptions.known()).subscriptions
    assert await subscriptions.end("a") is None


async def test_gateways_say_by_which_version_they_act_until_they_leave(subscriptions: Subscriptions) -> None:
    for version in (3, 4):
        await subscriptions.acts("one", version, 10.0 * version)
    await subscriptions.acts("two", 4, 50.0)
    assert await subscriptions.readers() == [Reader("one", 4, 40.0), Reader("two", 4, 50.0)]
    await subscriptions.forget_readers(45.0)
    assert await subscriptions.readers() == [Reader("two", 4, 50.0)]
    await subscriptions.leaves("two")
    assert await subscriptions.readers() == []


async def test_deliveries_add_up_and_go_with_their_subscription(subscriptions: Subscriptions) -> None:
    await subscriptions.add(subscription("a"))
    for delivered, trouble in ((3, ""), (2, "it answered 503")):
        await subscriptions.note(Progress("a", delivered, 7.0, 8.0, trouble))
    await subscriptions.note(Progress("gone", 1, 7.0, 8.0))
    assert await subscriptions.progress() == {"a": Progress("a", 5, 7.0, 8.0, "it answered 503")}
    await subscriptions.remove("a")
    assert await subscriptions.progress() == {}


async def test_a_store_of_another_kind_is_refused() -> None:
    with pytest.raises(StoreUnusable, match="no URL of a store"):
        await open_subscriptions("mysql://x")


async def test_the_tables_are_those_of_this_release_and_the_others_stay(store_url: str) -> None:
    await (await open_store(store_url)).close()
    await (await open_journal(store_url)).close()
    for _ in range(2):
        await (await open_subscriptions(store_url)).close()
    await (await open_store(store_url)).close()
    file = Path(store_url.removeprefix("sqlite:///"))
    engine = sqlite.engines(file, 1)[0] if store_url.startswith("sqlite") else postgres.engine(store_url, 1)

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert context.get_current_revision() == REVISION
        return [one for one in compare_metadata(context, metadata) if not str(one[0]).startswith("remove_")]

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_what_another_process_writes_and_closes_is_seen_by_one_that_has_several_stores_open(
    sqlite_url: str,
) -> None:
    conversations = await open_store(sqlite_url)
    here = await open_subscriptions(sqlite_url)  # the second of this process on the same file
    script = (
        "import asyncio, sys\n"
        "from gateway.store.subscriptions import StoredSubscription\n"
        "from gateway.store.subscriptions.opening import open_subscriptions\n"
        "async def add(name):\n"
        "    there = await open_subscriptions(sys.argv[1])\n"
        "    await there.add(StoredSubscription(name, '{}', 1.0))\n"
        "    await there.close()\n"
        "asyncio.run(add(sys.argv[2]))\n"
    )
    try:
        for number in range(1, 4):
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, sqlite_url, f"s{number}")
            assert await process.wait() == 0
            assert len((await here.known()).subscriptions) == number
    finally:
        await here.close()
        await conversations.close()
