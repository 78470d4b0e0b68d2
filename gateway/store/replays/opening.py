"""Opens the replays of the store at a URL, and keeps them in SQL."""

from pathlib import Path
from typing import Final

from sqlalchemy import RowMapping, insert, select, update

from gateway.store._migrating import Chain
from gateway.store._small import SmallStore
from gateway.store.opening import PATIENCE
from gateway.store.replays.contract import Replays
from gateway.store.replays.tables import REVISION, VERSION_TABLE, replay
from gateway.store.replays.values import ReplayState, StoredReplay

CHAIN: Final = Chain(Path(__file__).parent / "migrations", REVISION, VERSION_TABLE)


async def open_replays(url: str, *, patience: float = PATIENCE) -> Replays:
    """Open the replays of a store (see `gateway.store.opening.open_store`); makes their table where it is missing.

    Raises StoreUnusable for what a person must mend, StoreUnavailable for what may pass.
    """
    return await SqlReplays.open(url, CHAIN, patience)


class SqlReplays(SmallStore):
    """Replays in a database whose table is there."""

    async def add(self, stored: StoredReplay) -> None:
        """Keep a new replay."""
        async with self._transaction() as connection:
            values = {name: getattr(stored, name) for name in replay.columns.keys()}  # noqa: SIM118 - columns, not names
            await connection.execute(insert(replay).values(values))

    async def find(self, beginning: str = "", limit: int = 50) -> list[StoredReplay]:
        """Give the replays whose ids begin so, the newest first."""
        wanted = select(replay).order_by(replay.c.started.desc(), replay.c.id.desc()).limit(limit)
        if beginning:
            wanted = wanted.where(replay.c.id.startswith(beginning, autoescape=True))
        async with self._transaction() as connection:
            return [_stored(row) for row in (await connection.execute(wanted)).mappings()]

    async def take(self, id_: str, owner: str, at: float) -> StoredReplay | None:
        """Let a run go on with a replay: only its notes are taken from now on. Its state is that of the last run."""
        taken = update(replay).where(replay.c.id == id_)
        async with self._transaction() as connection:
            await connection.execute(taken.values(owner=owner, updated=at))
            found = (await connection.execute(select(replay).where(replay.c.id == id_))).mappings().first()
        return None if found is None else _stored(found)

    async def note(self, id_: str, owner: str, at: float, progress: str, state: ReplayState) -> bool:
        """Write down how far a run has come. False where the replay belongs to another by now."""
        noted = update(replay).where(replay.c.id == id_, replay.c.owner == owner)
        async with self._transaction() as connection:
            done = await connection.execute(noted.values(updated=at, progress=progress, state=state.value))
        return bool(done.rowcount)


def _stored(row: RowMapping) -> StoredReplay:
    return StoredReplay(
        row["id"], row["owner"], ReplayState(row["state"]), row["started"], row["updated"], row["plan"],
        row["progress"],
    )  # fmt: skip
