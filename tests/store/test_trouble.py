"""Databases that are locked, full, gone, wrong or not to be had: what the gateway hears, and that nothing is lost."""

import asyncio
import contextlib
import sqlite3
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from gateway.store import Search, Store, Stored, StoreUnavailable, StoreUnusable
from gateway.store.opening import open_store
from gateway.store.sql import SqlStore
from gateway.store.sqlite import engines
from tests.databases import Database
from tests.store.rows import conversation, leg

SECRET = "s3cret-word"  # noqa: S105 - of nobody


async def put(store: Store, *names: str, document: str = "{}") -> None:
    async with store.begin() as unit:
        rows = [conversation(name, document=document) for name in names]
        await unit.insert(rows, [leg(f"leg of {name}", name) for name in names])


async def names_in(store: Store) -> set[str]:
    async with store.look() as reader:
        return {row.id for row in await reader.search(Search())}


async def refused(url: str) -> StoreUnusable:
    with pytest.raises(StoreUnusable) as caught:
        await open_store(url, patience=1)
    return caught.value


# --- SQLite -----------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def on_sqlite(sqlite_url: str) -> AsyncIterator[SqlStore]:
    store = await open_store(sqlite_url, patience=0.05)
    yield store
    await store.close()


async def test_a_locked_file_is_unavailable_until_the_lock_is_gone(on_sqlite: SqlStore, sqlite_url: str) -> None:
    await put(on_sqlite, "before")
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await put(on_sqlite, "while locked")
        assert await names_in(on_sqlite) == {"before"}
        other.rollback()
    await put(on_sqlite, "after")
    assert await names_in(on_sqlite) == {"before", "after"}


async def test_a_full_disk_is_unavailable_and_what_was_stored_stays(tmp_path: Path) -> None:
    writers, readers = engines(tmp_path / "full.db", 1)
    pages = [1_000_000]

    def limit(connection: Any, record: object) -> None:
        del record
        connection.execute(f"PRAGMA max_page_count={pages[0]}")

    event.listen(writers.sync_engine, "connect", limit)
    store = SqlStore(writers, readers, in_turns=True)
    await store.migrate()
    await put(store, "before")
    pages[0] = 1  # SQLite takes what the file has already
    await writers.dispose()
    with pytest.raises(StoreUnavailable, match="full"):
        await put(store, "too much", document="x" * 1_000_000)
    assert await names_in(store) == {"before"}
    pages[0] = 1_000_000
    await put(store, "after", document="x" * 1_000_000)
    assert await names_in(store) == {"before", "after"}
    await store.close()


async def test_the_file_and_its_folder_are_for_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "store.db"
    store = await open_store(f"sqlite:///{file}")
    await put(store, "c")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (file.parent, *file.parent.iterdir())}
    await store.close()
    assert modes == {"folder": 0o700, "store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sirs, " * 100)
    assert "not a database" in str(await refused(f"sqlite:///{file}"))
    assert file.read_text().startswith("Dear Sirs")


async def test_a_file_that_cannot_be_made_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    problem = await refused(f"sqlite:///{tmp_path}/plain/store.db")
    assert f"{tmp_path}/plain/store.db" in str(problem)


async def test_a_lock_at_the_start_may_pass(sqlite_url: str) -> None:
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await open_store(sqlite_url, patience=0.05)


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


async def test_a_server_that_stops_is_unavailable_until_it_is_back(database: Database, postgres_url: str) -> None:
    server = database.private
    store = await open_store(postgres_url, patience=1)
    await put(store, "before")
    await server.pause()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await put(store, "while away")
        with pytest.raises(StoreUnavailable):
            await names_in(store)
    await server.resume()
    await put(store, "after")
    assert await names_in(store) == {"before", "after"}
    await store.close()


async def test_a_server_that_crashes_in_a_unit_takes_this_unit_alone(database: Database, postgres_url: str) -> None:
    server = database.private
    store = await open_store(postgres_url, patience=1)
    await put(store, "before")

    async def interrupted() -> None:
        async with store.begin() as unit:
            await unit.insert([conversation("in the middle")])
            await server.crash()

    with pytest.raises(StoreUnavailable):
        await interrupted()
    await server.resume()
    assert await names_in(store) == {"before"}
    await put(store, "in the middle")
    assert await names_in(store) == {"before", "in the middle"}
    await store.close()


@pytest.mark.parametrize("then", ["write", "commit"])
async def test_a_connection_that_is_cut_in_a_unit_takes_this_unit_alone(
    database: Database, postgres_url: str, then: str
) -> None:
    store = await open_store(postgres_url, patience=1)

    async def cut() -> None:
        async with store.begin() as unit:
            await unit.insert([conversation("in the middle")])
            await database.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'cimgate'"
            )
            if then == "write":
                await unit.insert([conversation("more")])

    with pytest.raises(StoreUnavailable):
        await cut()
    await put(store, "after")
    assert await names_in(store) == {"after"}
    await store.close()


async def test_what_another_holds_too_long_is_unavailable(postgres_url: str) -> None:
    one, other = await open_store(postgres_url), await open_store(postgres_url, patience=0.05)
    await put(one, "c")

    async def impatient() -> None:
        async with other.begin() as unit:
            await unit.conversations(["c"])

    async with one.begin() as unit:
        await unit.conversations(["c"])
        with pytest.raises(StoreUnavailable, match="lock"):
            await impatient()
    await impatient()
    await one.close()
    await other.close()


async def test_of_two_units_that_wait_for_each_other_one_is_stored(postgres_url: str) -> None:
    store = await open_store(postgres_url, patience=30)
    await put(store, "a", "b")
    held = {"a": asyncio.Event(), "b": asyncio.Event()}

    async def take(first: str, second: str) -> None:
        async with store.begin() as unit:
            await unit.conversations([first])
            held[first].set()
            await held[second].wait()
            found = await unit.conversations([second])
            await unit.update(list(found.values()))

    ended = await asyncio.gather(take("a", "b"), take("b", "a"), return_exceptions=True)
    assert sorted(map(type, ended), key=str) == [type(None), StoreUnavailable]
    async with store.look() as reader:
        assert sorted(row.version for row in await reader.search(Search())) == [1, 2]
    await store.close()


async def test_a_login_that_is_refused_says_so(database: Database) -> None:
    user_and_host = database.url.partition("@")
    problem = await refused(f"postgresql://cimgate:{SECRET}@{user_and_host[2]}")
    assert "password authentication failed" in str(problem)


async def test_a_database_that_is_not_there_is_refused_by_name(database: Database) -> None:
    assert '"missing" does not exist' in str(await refused(database.url.replace("/postgres?", "/missing?")))


# --- both, and no secrets ---------------------------------------------------------------------------------------------


async def test_tables_of_a_newer_release_are_refused(store: SqlStore, store_url: str) -> None:
    del store
    if store_url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as file, file:
            file.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        connection = await asyncpg.connect(store_url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()
    assert "another release" in str(await refused(store_url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        f"mysql://cimgate:{SECRET}@host/db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        f"postgresql://cimgate:12/{SECRET}@localhost/db",
        f"postgresql://cimgate:12?{SECRET}@localhost/db",
        f"postgresql://cimgate:12#{SECRET}@localhost/db",
        f"postgresql://cimgate:12@{SECRET}@localhost/db",
        f"postgresql://localhost:{SECRET}/db",
        f"postgresql://localhost/db?password={SECRET}&sslmode=nonsense",
    ],
)
async def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url: str) -> None:
    problem = await refused(url)
    assert "sqlite:///FILE" in str(problem) or "postgresql://USER:PASSWORD@HOST" in str(problem)
    assert SECRET not in "".join(traceback.format_exception(problem))


@pytest.mark.parametrize(
    "url", [f"postgresql://cimgate:{SECRET}@127.0.0.1:1/db", f"postgresql://127.0.0.1:1/db?password={SECRET}"]
)
async def test_a_server_that_is_away_is_unavailable_and_named_without_its_password(url: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"PostgreSQL at 127\.0\.0\.1:1/db cannot be reached") as caught:
        await open_store(url, patience=1)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_an_error_of_the_database_shows_nothing_of_what_was_to_be_stored(store: Store) -> None:
    await put(store, "c")
    with pytest.raises(IntegrityError) as caught:
        await put_again(store, conversation("c", message_id="other", document=SECRET, verb=SECRET))
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def put_again(store: Store, row: Stored) -> None:
    async with store.begin() as unit:
        await unit.insert([row])
