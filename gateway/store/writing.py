"""Writing conversations: one unit is one transaction."""

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Update, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store._bodies import rows_of
from gateway.store._statements import Lookups, given
from gateway.store.reading import SqlReader
from gateway.store.tables import conversation, entry, leg, tie
from gateway.store.values import Entry, Stored, StoredLeg, Tie

_c = conversation.c
_row = attrgetter(*_c.keys())
_leg_row = attrgetter(*leg.c.keys())
_ALWAYS = ("document", "version", "state", "updated", "alarm")
_TIMING = ("final", "deadline")
_Held = tuple[int, bool, float | None]
"""Version, final, deadline."""


def _updating(*names: str) -> Update:
    return (
        update(conversation)
        .where(_c.id == bindparam("of_id"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )


# SQLite writes an index anew when a column of it is named, changed or not: most replies change no deadline.
_UPDATES = {False: _updating(*_ALWAYS), True: _updating(*_ALWAYS, *_TIMING)}
_DUE = (
    select(conversation)
    .where(_c.final.is_(False), _c.deadline <= bindparam("now"))
    .order_by(_c.deadline)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_ADD_ENTRIES = insert(entry)
_ADD_TIES = insert(tie)
_OLD = (
    select(_c.id)
    .where(_c.final.is_(True), _c.alarm.is_(False), _c.opened < bindparam("before"), _c.updated < bindparam("before"))
    .order_by(_c.opened)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_PURGE = delete(conversation).where(_c.id == bindparam("of_id"))


def _change(row: Stored) -> dict[str, Any]:
    return {
        "of_id": row.id,
        "new_document": row.document,
        "new_version": row.version + 1,
        "new_state": row.state,
        "new_updated": row.updated,
        "new_alarm": row.alarm,
        "new_final": row.final,
        "new_deadline": row.deadline,
    }


class Writes:
    """The statements that differ between dialects."""

    def __init__(self, dialect: str) -> None:
        new = sqlite.insert if dialect == "sqlite" else postgresql.insert
        self.lookups = Lookups(dialect, lock=True)
        self.unlocked = Lookups(dialect, lock=False)
        self.insert = new(conversation).on_conflict_do_nothing(index_elements=[_c.source, _c.message_id])
        put = new(leg)
        self.put_legs = put.on_conflict_do_update(index_elements=[leg.c.id], set_={"open": put.excluded.open})


class SqlUnit(SqlReader):
    """One transaction. It remembers the versions of what it holds: nobody else can change those until its end."""

    def __init__(self, connection: AsyncConnection, writes: Writes) -> None:
        super().__init__(connection, writes.lookups)
        self._writes = writes
        self._held: dict[str, _Held] = {}

    async def due(self, now: float, limit: int) -> list[Stored]:
        """Give open conversations whose deadline is not after `now`, the oldest first, and hold them.

        What another unit holds is left out, so that several processes share the work.
        """
        found = [Stored(*row) for row in await self._run(_DUE, {"now": now, "most": limit})]
        self._seen(found)
        return found

    async def insert(
        self, rows: Sequence[Stored], legs: Sequence[StoredLeg] = (), ties: Sequence[Tie] = ()
    ) -> frozenset[str]:
        """Add conversations with their legs and ties; gives the ids of those whose source and MessageID are there.

        Nothing of a refused one is stored, nor are its legs and ties. An id that is there already is an error of the
        caller (IntegrityError).
        """
        refused: frozenset[str] = frozenset()
        if rows:
            # In one order, so that two units cannot wait for each other.
            ordered = sorted(rows, key=lambda row: (row.source, row.message_id or ""))
            await self._run(self._writes.insert, [dict(zip(_c.keys(), _row(row), strict=True)) for row in ordered])
            ids = [row.id for row in rows]
            await self._hold(self._writes.unlocked, ids)  # whose own they are already
            refused = frozenset(id_ for id_ in ids if id_ not in self._held)
        await self._put_legs(legs, refused)
        added = {(one.key, one.conversation_id) for one in ties if one.conversation_id not in refused}
        if added:
            await self._run(_ADD_TIES, [{"key": key, "conversation_id": id_} for key, id_ in sorted(added)])
        return refused

    async def update(self, rows: Sequence[Stored], legs: Sequence[StoredLeg] = ()) -> frozenset[str]:
        """Store new states, each made from the version it names; gives the ids whose stored version is another.

        Document, state, final, deadline, updated and alarm are taken, the version becomes the next, the rest stays.
        Nothing of a refused one is stored, nor are its legs; one that was purged meanwhile is refused too.
        """
        await self._hold(self._writes.lookups, [row.id for row in rows if row.id not in self._held])
        refused: set[str] = set()
        newest: dict[str, Stored] = {}
        retimed: set[str] = set()
        for row in rows:
            held = self._held.get(row.id)
            if held is None or held[0] != row.version:
                refused.add(row.id)
                continue
            if held[1:] != (row.final, row.deadline):
                retimed.add(row.id)
            self._held[row.id] = (row.version + 1, row.final, row.deadline)
            newest[row.id] = row
        for timing, statement in _UPDATES.items():
            if changes := [_change(row) for row in newest.values() if (row.id in retimed) is timing]:
                await self._run(statement, changes)
        await self._put_legs(legs, refused)
        return frozenset(refused)

    async def add_entries(self, entries: Sequence[Entry]) -> None:
        """Add what was said. The conversations must be there."""
        if entries:
            await self._run(_ADD_ENTRIES, await rows_of(entries))

    async def purge(self, before: float, limit: int = 1000) -> int:
        """Remove at most `limit` final conversations, with all of theirs, that nothing has touched since `before`.

        Those in alarm stay. Gives how many went; call again, in another unit, until it is 0.
        """
        old = [{"of_id": id_} for (id_,) in await self._run(_OLD, {"before": before, "most": limit})]
        if old:
            await self._run(_PURGE, old)
        return len(old)

    def _seen(self, found: Collection[Stored]) -> None:
        self._held |= {row.id: (row.version, row.final, row.deadline) for row in found}

    async def _hold(self, lookups: Lookups, ids: Collection[str]) -> None:
        if ids:
            self._held |= {
                id_: (version, final, deadline)
                for id_, version, final, deadline in await self._run(lookups.versions, given(ids))
            }

    async def _put_legs(self, legs: Sequence[StoredLeg], refused: Collection[str]) -> None:
        values = [
            dict(zip(leg.c.keys(), _leg_row(one), strict=True)) for one in legs if one.conversation_id not in refused
        ]
        if values:
            await self._run(self._writes.put_legs, values)
