"""The tables that the migrations make are the tables that the code uses; what was written once can be read for ever."""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from gateway.store import postgres, sqlite
from gateway.store.journal.frames import DICTIONARY, Frames
from gateway.store.journal.opening import journal_file, open_journal
from gateway.store.journal.tables import REVISION, VERSION_TABLE, postgres_metadata, sqlite_metadata
from gateway.store.journal.words import stamp_of
from gateway.store.opening import open_store
from tests.store.journal.passages import FULL

FRAME = base64.b64decode(
    "KLUv/WJBnA4AjQQAcwgYAFDADjOFKWyhChBMIIkRkg+IEjjxEpIsNhaV6sqoaY362FllzSBOtmkptQclHxAlJI0JSZIPSBZIkgwlkKTgHEGgwQyC4IMEkhiTlMk87n1bK91+09pKBW0dfmNKSj4CDfy4JCCl8y1u6cL44IldhHR+LJaNNQ57+523aBVxLi+9Q6vUOZbutGM9iSw3AQ=="
)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_journal_that_was_opened_has_the_tables_of_this_release(store_url: str, times: int) -> None:
    await (await open_store(store_url)).close()
    for _ in range(times):
        await (await open_journal(store_url)).close()
    if store_url.startswith("sqlite"):
        engine, _ = sqlite.engines(journal_file(Path(store_url.removeprefix("sqlite:///"))), 1)
        metadata = sqlite_metadata
    else:
        engine, metadata = postgres.engine(store_url, 1), postgres_metadata

    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert context.get_current_revision() == REVISION
        found = compare_metadata(context, metadata)
        others = ("conversation", "leg", "tie", "entry", "alembic_version")
        return [one for one in found if not (one[0].startswith("remove_") and _table(one[1]) in others)]

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_what_the_first_release_wrote_can_be_read() -> None:
    """Journals are full of frames that were made with this dictionary: it must never change."""
    assert (
        sha256(DICTIONARY.read_bytes()).hexdigest()
        == "75029c681dc0d9fd0637c8dfb82e5b635b5e4239e19f834cf6e2497c4bf86ee3"
    )
    assert Frames().unpack(FULL.id, stamp_of(FULL), FRAME, body=True) == FULL


def _table(one: Any) -> str:
    return str(getattr(one, "table", one).name)
