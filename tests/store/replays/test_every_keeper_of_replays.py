"""What is promised of replays holds on SQLite and on PostgreSQL, and beside the conversations and the journal."""

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
from gateway.store.replays import Replays, ReplayState, StoredReplay
from gateway.store.replays.opening import open_replays
from gateway.store.replays.tables import REVISION, VERSION_TABLE, metadata


def replay(id_: str, started: float = 1.5) -> StoredReplay:
    return StoredReplay(id_, "first run", ReplayState.RUNNING, started, started, '{"target":"in"}', "{}")


@pytest_asyncio.fixture
async def replays(store_url: str) -> AsyncIterator[Replays]:
    opened = await open_replays(store_url)
    yield opened
    await opened.close()


async def test_what_was_added_is_found_by_the_beginning_of_its_id_newest_first(replays: Replays) -> None:
    for number, id_ in enumerate(("20260317-a1", "20260317-b2", "20260318-%_")):
        await replays.add(replay(id_, number))
    assert [one.id for one in await replays.find()] == ["20260318-%_", "20260317-b2", "20260317-a1"]
    assert [one.id for one in await replays.find("20260317")] == ["20260317-b2", "20260317-a1"]
    assert await replays.find("20260317-a1") == [replay("20260317-a1", 0)]
    assert await replays.find("%") == []
    assert len(await replays.find(limit=2)) == 2


async def test_a_note_is_there_after_opening_anew(store_url: str, replays: Replays) -> None:
    await replays.add(replay("r"))
    assert await replays.note("r", "first run", 9.25, '{"done":7}', ReplayState.STOPPED)
    again = await open_replays(store_url)
    [found] = await again.find("r")
    await again.close()
    assert (found.progress, found.updated, found.state) == ('{"done":7}', 9.25, ReplayState.STOPPED)


async def test_a_run_whose_replay_was_taken_by_another_cannot_note_any_more(replays: Replays) -> None:
    await replays.add(replay("r"))
    assert await replays.note("r", "first run", 4.0, "{}", ReplayState.STOPPED)
    taken = await replays.take("r", "second run", 5.0)
    assert taken is not None
    assert (taken.owner, taken.state) == ("second run", ReplayState.STOPPED)
    assert not await replays.note("r", "first run", 6.0, '{"done":1}', ReplayState.DONE)
    assert await replays.note("r", "second run", 6.0, '{"done":2}', ReplayState.DONE)
    assert [one.progress for one in await replays.find("r")] == ['{"done":2}']


async def test_a_replay_that_is_not_there_is_not_taken(replays: Replays) -> None:
    assert await replays.take("r", "run", 5.0) is None


async def test_a_store_of_another_kind_is_refused() -> None:
    with pytest.raises(StoreUnusable, match="no URL of a store"):
        await open_replays("mysql://x")


async def test_the_table_is_that_of_this_release_and_the_others_stay(store_url: str) -> None:
    await (await open_store(store_url)).close()
    await (await open_journal(store_url)).close()
    for _ in range(2):
        await (await open_replays(store_url)).close()
    await (await open_store(store_url)).close()
    sqlite_path = Path(store_url.removeprefix("sqlite:///"))
    engine = sqlite.engines(sqlite_path, 1)[0] if store_url.startswith("sqlite") else postgres.engine(store_url, 1)

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert context.get_current_revision() == REVISION
        return [one for one in compare_metadata(context, metadata) if not str(one[0]).startswith("remove_")]

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
