"""Journals that are locked, full, read-only, gone or wrong: what the gateway hears, and that nothing is lost."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from gateway.store import StoreUnavailable, StoreUnusable
from gateway.store.journal import Journal, JournalSearch
from gateway.store.journal.opening import journal_file, open_journal
from tests.databases import Database
from tests.store.journal.passages import passage


async def sources(journal: Journal) -> set[str]:
    return {one.source for one in await journal.find(JournalSearch(), 1_000)}


def file_of(url: str) -> Path:
    return journal_file(Path(url.removeprefix("sqlite:///")))


@pytest_asyncio.fixture
async def on_sqlite(sqlite_url: str) -> AsyncIterator[Journal]:
    journal = await open_journal(sqlite_url, patience=0.05)
    yield journal
    await journal.close()


async def test_the_journal_is_a_file_beside_that_of_the_conversations_for_the_owner_alone(tmp_path: Path) -> None:
    journal = await open_journal(f"sqlite:///{tmp_path}/new/cimgate.db")
    await journal.write([passage()])
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    await journal.close()
    assert modes == dict.fromkeys(("cimgate-journal.db", "cimgate-journal.db-wal", "cimgate-journal.db-shm"), 0o600)


async def test_a_locked_journal_is_unavailable_until_the_lock_is_gone(on_sqlite: Journal, sqlite_url: str) -> None:
    await on_sqlite.write([passage(0, source="before")])
    with contextlib.closing(sqlite3.connect(file_of(sqlite_url))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"the journal .*store-journal\.db cannot be used .*locked"):
            await on_sqlite.write([passage(1, source="while locked")])
        assert await sources(on_sqlite) == {"before"}
        other.rollback()
    await on_sqlite.write([passage(2, source="after")])
    assert await sources(on_sqlite) == {"before", "after"}


async def test_a_reader_is_let_in_while_nobody_can_write(on_sqlite: Journal, sqlite_url: str) -> None:
    await on_sqlite.write([passage(0, source="before")])
    with contextlib.closing(sqlite3.connect(file_of(sqlite_url))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await open_journal(sqlite_url, patience=0.05)
        reader = await open_journal(sqlite_url, patience=0.05, reader=True)
        assert await sources(reader) == {"before"}
        await reader.close()


async def test_a_full_disk_is_unavailable_nothing_is_half_written_and_it_goes_on_by_itself(
    on_sqlite: Journal, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await on_sqlite.write([passage(0, source="before")])
    await on_sqlite.close()
    monkeypatch.setattr("gateway.store.journal.sqlite.PRAGMAS", ("journal_mode=WAL", "max_page_count=1"))
    full = await open_journal(sqlite_url, patience=0.05)  # SQLite takes what the file has already
    random_body = bytes(range(256)) * 20
    group = [passage(at, source="too much", body=random_body + str(at).encode() * 5_000) for at in range(1, 200)]
    with pytest.raises(StoreUnavailable, match="full: make room on its disk"):
        await full.write(group)
    assert await sources(full) == {"before"}
    monkeypatch.undo()
    with contextlib.suppress(StoreUnavailable):  # the connection that knew the limit is given up at its error
        await full.write(group)
    await full.write(group)
    assert await sources(full) == {"before", "too much"}
    assert len(await full.find(JournalSearch(source="too much"), 1_000)) == len(group)
    await full.close()


async def test_a_journal_that_may_not_be_written_is_refused_by_name(
    on_sqlite: Journal, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await on_sqlite.write([passage(0, source="before")])
    await on_sqlite.close()
    monkeypatch.setattr("gateway.store.journal.sqlite.PRAGMAS", ("query_only=ON",))
    with pytest.raises(StoreUnusable, match=r"the journal .*store-journal\.db cannot be used as it is.*readonly"):
        await open_journal(sqlite_url, patience=0.05)


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "letter-journal.txt"
    file.write_text("Dear Sirs, " * 100)
    with pytest.raises(StoreUnusable, match=r"letter-journal\.txt.*not a database"):
        await open_journal(f"sqlite:///{tmp_path}/letter.txt")
    assert file.read_text().startswith("Dear Sirs")


async def test_a_server_that_stops_is_unavailable_until_it_is_back(database: Database, postgres_url: str) -> None:
    server = database.private
    journal = await open_journal(postgres_url, patience=1)
    await journal.write([passage(0, source="before")])
    await server.pause()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await journal.write([passage(1, source="while away")])
        with pytest.raises(StoreUnavailable):
            await sources(journal)
    await server.resume()
    await journal.write([passage(2, source="after")])
    assert await sources(journal) == {"before", "after"}
    await journal.close()


async def test_a_server_that_crashes_has_all_that_was_written(database: Database, postgres_url: str) -> None:
    server = database.private
    journal = await open_journal(postgres_url, patience=1)
    await journal.write([passage(at, source="before") for at in range(100)])
    await server.crash()
    with pytest.raises(StoreUnavailable):
        await journal.write([passage(1_000, source="after")])
    await server.resume()
    await journal.write([passage(1_000, source="after")])
    assert len(await journal.find(JournalSearch(), 1_000)) == 101
    await journal.close()


async def test_a_write_that_waits_too_long_for_another_is_unavailable(postgres_url: str) -> None:
    journal = await open_journal(postgres_url, patience=0.05)
    await journal.write([passage(0, source="before")])
    other = await asyncpg.connect(postgres_url)
    async with other.transaction():
        await other.execute("LOCK TABLE passage")
        with pytest.raises(StoreUnavailable, match=r"the journal cannot be used at this moment .*lock"):
            await journal.write([passage(1, source="while locked")])
    await journal.write([passage(2, source="after")])
    assert await sources(journal) == {"before", "after"}
    await other.close()
    await journal.close()


async def test_a_day_that_another_process_has_dropped_is_made_again(postgres_url: str) -> None:
    journal, other = await open_journal(postgres_url), await open_journal(postgres_url)
    await journal.write([passage(0, source="old")])
    while await other.purge(passage(86_400).at):
        pass
    await journal.write([passage(1, source="late")])
    assert await sources(journal) == {"late"}
    await journal.close()
    await other.close()


async def test_tables_of_a_newer_release_are_refused(journal: Journal, store_url: str) -> None:
    del journal
    if store_url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(file_of(store_url))) as file, file:
            file.execute("UPDATE journal_version SET version_num = '9999'")
    else:
        connection = await asyncpg.connect(store_url)
        await connection.execute("UPDATE journal_version SET version_num = '9999'")
        await connection.close()
    with pytest.raises(StoreUnusable, match="another release"):
        await open_journal(store_url)


@pytest.mark.parametrize("url", ["", "store.db", "mysql://host/db", "sqlite:///", "sqlite:///:memory:"])
async def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreUnusable, match=r"sqlite:///FILE|postgresql://USER"):
        await open_journal(url)
