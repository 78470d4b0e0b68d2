"""The tables that the migrations make are the tables that the code uses."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from gateway.store import postgres, sqlite
from gateway.store.opening import open_store
from gateway.store.tables import REVISION, metadata


@pytest.mark.parametrize("times", [1, 2])
async def test_a_store_that_was_opened_has_the_tables_of_this_release(store_url: str, times: int) -> None:
    for _ in range(times):
        await (await open_store(store_url)).close()
    if store_url.startswith("sqlite"):
        engine, _ = sqlite.engines(Path(store_url.removeprefix("sqlite:///")), 1)
    else:
        engine = postgres.engine(store_url, 1)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert context.get_current_revision() == REVISION
        return list(compare_metadata(context, metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
