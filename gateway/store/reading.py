"""Finding conversations, their legs and what was said in them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Executable, Select, and_, bindparam, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store._bodies import body_of, entry_of
from gateway.store._statements import Lookups, given
from gateway.store._trouble import translated
from gateway.store.tables import conversation, entry, leg
from gateway.store.values import Entry, Key, Search, Stored, StoredLeg

_c = conversation.c
_EQUAL = ("source", "kind", "verb", "noun", "state", "final", "alarm")
_OPEN_LEGS = (
    select(leg)
    .where(leg.c.system == bindparam("of_system"), leg.c.noun == bindparam("of_noun"), leg.c.open.is_(True))
    .order_by(leg.c.id)
    .limit(bindparam("most"))
)
_BODIES = select(entry.c.key, entry.c.body).where(entry.c.key.in_(bindparam("keys", expanding=True)))
_ENTRIES = select(entry).where(entry.c.conversation_id == bindparam("of_id")).order_by(entry.c.at, entry.c.id)


class SqlReader:
    """Reads on one connection."""

    def __init__(self, connection: AsyncConnection, lookups: Lookups) -> None:
        self._connection = connection
        self._lookups = lookups
        self.failed = False

    async def conversations(self, ids: Collection[str]) -> dict[str, Stored]:
        """Give conversations by their ids."""
        return await self._found(self._lookups.by_id, ids)

    async def conversations_of_legs(self, leg_ids: Collection[str]) -> dict[str, Stored]:
        """Give, for each leg that is known, its conversation."""
        return await self._found(self._lookups.by_leg, leg_ids)

    async def requests(self, keys: Collection[Key]) -> dict[Key, Stored]:
        """Give, for each source and MessageID that is known, the conversation that this request opened."""
        return await self._found_by_key(self._lookups.by_request, keys)

    async def by_echoed(self, keys: Collection[Key]) -> dict[Key, Stored]:
        """Give, for each source and id that it expects back, the conversation that was opened last."""
        return await self._found_by_key(self._lookups.by_echoed, keys)

    async def by_ties(self, keys: Collection[str]) -> dict[str, Stored]:
        """Give, for each key that ties something to a conversation, the one that was opened last."""
        return await self._found(self._lookups.by_tie, keys)

    async def open_legs(self, system: str, noun: str, limit: int = 2) -> list[StoredLeg]:
        """Give legs of a system that still wait for this noun: two are enough to know that it is not one alone."""
        rows = await self._run(_OPEN_LEGS, {"of_system": system, "of_noun": noun, "most": limit})
        return [StoredLeg(*row) for row in rows]

    async def search(self, search: Search, limit: int = 50) -> list[Stored]:
        """Give the conversations to which everything applies that is asked for, the one opened last first."""
        statement = select(conversation).order_by(_c.opened.desc(), _c.id).limit(limit)
        return [Stored(*row) for row in await self._run(_narrowed(statement, search))]

    async def stuck(self, now: float, silent: float, limit: int = 50) -> list[Stored]:
        """Give what a person should look at, oldest first.

        That is: in alarm; open and more than `silent` seconds over the deadline; open without a deadline and not
        touched for `silent` seconds.
        """
        long_ago = now - silent
        overdue = and_(_c.final.is_(False), _c.deadline < long_ago)
        forgotten = and_(_c.final.is_(False), _c.deadline.is_(None), _c.updated < long_ago)
        statement = select(conversation).where(or_(_c.alarm, overdue, forgotten)).order_by(_c.opened).limit(limit)
        return [Stored(*row) for row in await self._run(statement)]

    async def bodies(self, keys: Collection[str]) -> dict[str, bytes]:
        """Give the bodies of entries by their keys."""
        rows = await self._run(_BODIES, {"keys": list(keys)}) if keys else ()
        return {key: body_of(body) for key, body in rows if body is not None}

    async def entries(self, conversation_id: str) -> list[Entry]:
        """Give what was said in a conversation, in the order of time."""
        return [entry_of(row) for row in await self._run(_ENTRIES, {"of_id": conversation_id})]

    def _seen(self, found: Collection[Stored]) -> None:
        """Hear what was found by key."""

    async def _found(self, statement: Select[Any], keys: Collection[str]) -> dict[str, Stored]:
        rows = await self._run(statement, given(keys)) if keys else ()
        found = {str(key): Stored(*columns) for key, *columns in rows}
        self._seen(found.values())
        return found

    async def _found_by_key(self, statement: Select[Any], keys: Collection[Key]) -> dict[Key, Stored]:
        rows = await self._run(statement, given(keys)) if keys else ()
        found = {(str(source), str(sent)): Stored(*columns) for source, sent, *columns in rows}
        self._seen(found.values())
        return found

    async def _run(self, statement: Executable, values: Any = None) -> Sequence[tuple[Any, ...]]:  # noqa: ANN401 - as the driver
        """Execute; an error spoils the whole unit, even where the caller swallows it."""
        try:
            with translated():
                result = await self._connection.execute(statement, values)
                return result.all() if result.returns_rows else ()
        except BaseException:
            self.failed = True
            raise


def _narrowed(statement: Select[Any], search: Search) -> Select[Any]:
    for name in _EQUAL:
        if (value := getattr(search, name)) is not None:
            statement = statement.where(_c[name] == value)
    if search.id is not None:
        statement = statement.where(_c.id.startswith(search.id, autoescape=True))
    if search.message_id is not None:
        named = exists().where(leg.c.conversation_id == _c.id, leg.c.id == search.message_id)
        statement = statement.where(or_(_c.message_id == search.message_id, _c.echoed_id == search.message_id, named))
    if search.system is not None:
        statement = statement.where(exists().where(leg.c.conversation_id == _c.id, leg.c.system == search.system))
    if search.opened_from is not None:
        statement = statement.where(_c.opened >= search.opened_from)
    if search.opened_until is not None:
        statement = statement.where(_c.opened < search.opened_until)
    return statement
