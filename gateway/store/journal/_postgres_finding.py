"""Finding messages in a journal on PostgreSQL."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from gateway.store.journal.frames import Frames
from gateway.store.journal.ids import PART_BITS
from gateway.store.journal.keys import signed
from gateway.store.journal.searching import Order, Plan, order_of, planned
from gateway.store.journal.values import JournalSearch, Passage
from gateway.store.journal.words import Words

if TYPE_CHECKING:
    from gateway.store.journal._postgres_days import Connection

_MOST_AT_ONCE = 2_000
_NEAREST = 5_000
_LOAD = "SELECT id, stamp, frame, body IS NOT NULL FROM passage WHERE id = ANY($1::bigint[])"


class _Asked:
    """Conditions with the values for their parameters."""

    def __init__(self, order: Order, plan: Plan) -> None:
        self.values: list[object] = []
        self.sql = f"id >= {self.value(order.low)} AND id < {self.value(order.high)}"
        if plan.stamps is not None:
            self.sql += f" AND stamp = ANY({self.value(sorted(plan.stamps))}::int[])"

    def value(self, value: object) -> str:
        """Take a value; gives its place in the statement."""
        self.values.append(value)
        return f"${len(self.values)}"


class Finder:
    """Reads on whatever connection it is given; words are kept from one to the next."""

    def __init__(self) -> None:
        self._frames = Frames()
        self._last_word = 0
        self.words = Words()

    async def learn(self, connection: "Connection") -> None:
        """Take in the words that were added: they become visible in the order of their ids (see writing)."""
        rows = await connection.fetch(
            "SELECT id, kind, text FROM passage_word WHERE id > $1 ORDER BY id", self._last_word
        )
        if rows:
            self.words.learn((int(id_), str(kind), str(text)) for id_, kind, text in rows)
            self._last_word = max(self._last_word, int(rows[-1][0]))

    async def find(
        self, connection: "Connection", search: JournalSearch, limit: int, after: int | None, *,
        oldest_first: bool, bodies: bool = False,
    ) -> tuple[list[Passage], set[int]]:  # fmt: skip
        """Give messages in order; with `bodies` also the ids of those whose large body must be read by itself."""
        await self.learn(connection)
        plan = planned(search, self.words)
        order = order_of(search, after, oldest_first=oldest_first)
        found: list[Passage] = []
        large: set[int] = set()
        ask = limit
        while len(found) < limit and not plan.hopeless:
            ids = await self.candidates(connection, plan, order, ask)
            loaded = await self.load(connection, ids, bodies=bodies)
            found += [loaded[id_][0] for id_ in ids if id_ in loaded and plan.accepts(loaded[id_][0])]
            large |= {id_ for id_, (_, is_large) in loaded.items() if is_large}
            if len(ids) < ask:
                break
            order, ask = order.past(ids[-1]), min(ask * 2, _MOST_AT_ONCE)
        return found[:limit], large

    async def load(
        self, connection: "Connection", ids: Collection[int], *, bodies: bool
    ) -> dict[int, tuple[Passage, bool]]:
        """Give messages by their ids, and whether their body is large, which means that it is not with them."""
        rows = await connection.fetch(_LOAD, list(ids)) if ids else []
        if any(row[1] not in self.words.by_id for row in rows):  # written since by another process
            await self.learn(connection)
        stamps, unpack = self.words.by_id, self._frames.unpack
        return {
            id_: (unpack(id_, stamps[stamp], frame, body=bodies), bool(is_large))
            for id_, stamp, frame, is_large in rows
        }

    async def large_body(self, connection: "Connection", id_: int) -> bytes | None:
        """Give a body that is stored by itself; None where there is none any more."""
        stored = await connection.fetchval("SELECT body FROM passage WHERE id = $1", id_)
        return None if stored is None else self._frames.unpack_large(stored)

    async def counts(self, connection: "Connection", search: JournalSearch, per: int) -> list[tuple[int, int, int]]:
        """Give stamp, number of the slot and how many, of a search that stamps and time alone decide."""
        await self.learn(connection)
        asked = _Asked(order_of(search, None, oldest_first=True), planned(search, self.words))
        slot = f"(id >> {PART_BITS}) / {asked.value(per * 1_000_000)}::bigint"
        rows = await connection.fetch(
            f"SELECT stamp, {slot}, count(*) FROM passage WHERE {asked.sql} GROUP BY 1, 2",  # noqa: S608 - our own
            *asked.values,
        )
        return [(int(stamp), int(at), int(messages)) for stamp, at, messages in rows]

    async def candidates(self, connection: "Connection", plan: Plan, order: Order, most: int) -> list[int]:
        """Give ids in order, at most so many, and fewer only where there are no more: all that may be meant."""
        if plan.keys:
            return await self._by_keys(connection, plan, order, most)
        asked = _Asked(order, plan)
        if plan.text is not None:
            reason = f"reason IS NOT NULL AND strpos(reason, {asked.value(plan.text)}) > 0"
            return await _ids(connection, asked, f"SELECT id FROM passage WHERE {asked.sql} AND {reason}", order, most)  # noqa: S608
        if plan.stamps is not None:
            return await self._by_stamp(connection, plan, order, most)
        return await _ids(connection, asked, f"SELECT id FROM passage WHERE {asked.sql}", order, most)  # noqa: S608

    async def _by_keys(self, connection: "Connection", plan: Plan, order: Order, most: int) -> list[int]:
        if plan.events is not None and len(plan.keys) == 1:  # often there are many: look at the nearest first
            asked = _Asked(order, plan)
            nearest = f"SELECT * FROM passage WHERE id >= $1 AND id < $2 ORDER BY id {order.sql} LIMIT {_NEAREST}"  # noqa: S608
            found = await _ids(
                connection,
                asked,
                f"SELECT id FROM ({nearest}) AS nearest WHERE {asked.sql} AND {_keyed(asked, plan)}",  # noqa: S608
                order,
                most,
            )
            if len(found) == most:
                return found
        asked = _Asked(order, plan)
        # By itself: it shall go by the index of keys alone, not through all ids in order hoping for an early hit, nor
        # by the indexes of ids and stamps as well, which are long lists here.
        matched = f"SELECT id, stamp FROM passage WHERE {_keyed(asked, plan)}"  # noqa: S608 - our own
        return await _ids(
            connection,
            asked,
            f"WITH matched AS MATERIALIZED ({matched}) SELECT id FROM matched WHERE {asked.sql}",  # noqa: S608 - our own
            order,
            most,
        )

    async def _by_stamp(self, connection: "Connection", plan: Plan, order: Order, most: int) -> list[int]:
        one = (
            "SELECT id FROM passage WHERE passage.stamp = wanted.stamp AND id >= $1 AND id < $2 "  # noqa: S608 - our own
            f"ORDER BY id {order.sql} LIMIT $4"
        )
        rows = await connection.fetch(
            f"SELECT near.id FROM unnest($3::int[]) AS wanted(stamp) CROSS JOIN LATERAL ({one}) AS near "  # noqa: S608
            f"ORDER BY near.id {order.sql} LIMIT $4",
            order.low, order.high, sorted(plan.stamps or ()), most,
        )  # fmt: skip
        return [int(id_) for (id_,) in rows]


def _keyed(asked: _Asked, plan: Plan) -> str:
    return " AND ".join(f"keys && {asked.value([signed(one) for one in group])}::int[]" for group in plan.keys)


async def _ids(connection: "Connection", asked: _Asked, statement: str, order: Order, most: int) -> list[int]:
    rows = await connection.fetch(f"{statement} ORDER BY id {order.sql} LIMIT {asked.value(most)}", *asked.values)
    return [int(id_) for (id_,) in rows]
