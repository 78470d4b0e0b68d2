"""Finding messages in a SQLite journal: what was sealed by its indexes, the newest some thousands by looking at each.

Up to the highest `last` of the segments all is sealed (see _sqlite_sealing), beyond it nothing is: the tail.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from heapq import nlargest, nsmallest

from gateway.store.journal._sqlite_sealing import sealed_up_to
from gateway.store.journal.frames import Frames
from gateway.store.journal.ids import PART_BITS
from gateway.store.journal.keys import packed
from gateway.store.journal.searching import Order, Plan, order_of, planned
from gateway.store.journal.values import JournalSearch, Passage
from gateway.store.journal.words import Words

_MOST_AT_ONCE = 2_000
_FEW_KEYS = 8
_MOST_KEYS = 500
_STAMPED = "stamp IN (SELECT value FROM json_each(?))"
_Values = list[object]
_ByIndex = Callable[[Plan, Order, int], list[int]]


class Finder:
    """Reads on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._frames = Frames()
        self._last_word = 0
        self.words = Words()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the journal until the end."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def learn(self) -> None:
        """Take in the words that were added."""
        rows = self._connection.execute(
            "SELECT id, kind, text FROM passage_word WHERE id > ? ORDER BY id", (self._last_word,)
        ).fetchall()
        if rows:
            self.words.learn(rows)
            self._last_word = rows[-1][0]

    def find(
        self, search: JournalSearch, limit: int, after: int | None, *, oldest_first: bool, bodies: bool = False
    ) -> tuple[list[Passage], set[int]]:
        """Give messages in order; with `bodies` also the ids of those whose large body must be read by itself."""
        found: list[Passage] = []
        large: set[int] = set()
        with self.snapshot():
            self.learn()
            plan = planned(search, self.words)
            order = order_of(search, after, oldest_first=oldest_first)
            ask = limit
            while len(found) < limit and not plan.hopeless:
                ids = self.candidates(plan, order, ask)
                loaded = self.load(ids, bodies=bodies)
                found += [loaded[id_][0] for id_ in ids if id_ in loaded and plan.accepts(loaded[id_][0])]
                large |= {id_ for id_, (_, is_large) in loaded.items() if is_large}
                if len(ids) < ask:
                    break
                order, ask = order.past(ids[-1]), min(ask * 2, _MOST_AT_ONCE)
        return found[:limit], large

    def get(self, id_: int) -> Passage | None:
        """Give a message with its body."""
        with self.snapshot():
            self.learn()
            passage, is_large = self.load([id_], bodies=True).get(id_, (None, False))
            if passage is not None and is_large:
                return replace(passage, body=self.large_body(id_))
        return passage

    def load(self, ids: Collection[int], *, bodies: bool) -> dict[int, tuple[Passage, bool]]:
        """Give messages by their ids, and whether their body is large, which means that it is not with them."""
        rows = self._connection.execute(
            "SELECT id, stamp, frame, body IS NOT NULL FROM passage WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        ).fetchall()
        stamps, unpack = self.words.by_id, self._frames.unpack
        return {
            id_: (unpack(id_, stamps[stamp], frame, body=bodies), bool(is_large))
            for id_, stamp, frame, is_large in rows
        }

    def large_body(self, id_: int) -> bytes | None:
        """Give a body that is stored by itself; None where there is none any more."""
        row = self._connection.execute("SELECT body FROM passage WHERE id = ?", (id_,)).fetchone()
        return None if row is None or row[0] is None else self._frames.unpack_large(row[0])

    def bodies(self, ids: Collection[int]) -> dict[int, bytes]:
        """Give the bodies of those that have one."""
        with self.snapshot():
            self.learn()
            found = self.load(ids, bodies=True)
            read = {id_: self.large_body(id_) if large else one.body for id_, (one, large) in found.items()}
        return {id_: body for id_, body in read.items() if body is not None}

    def counts(self, search: JournalSearch, per: int) -> list[tuple[int, int, int]]:
        """Give stamp, number of the slot and how many, of a search that stamps and time alone decide."""
        with self.snapshot():
            self.learn()
            plan = planned(search, self.words)
            order = order_of(search, None, oldest_first=True)
            sealed = sealed_up_to(self._connection)
            slot = f"(id >> {PART_BITS}) / ?"
            rows: list[tuple[int, int, int]] = []
            for table, part in (("passage_stamp", order), ("passage", _above(order, sealed))):
                where, values = _where(part, plan)
                rows += self._connection.execute(
                    f"SELECT stamp, {slot}, count(*) FROM {table} WHERE {where} GROUP BY 1, 2",  # noqa: S608 - our own
                    [per * 1_000_000, *values],
                ).fetchall()
        return rows

    def candidates(self, plan: Plan, order: Order, most: int) -> list[int]:
        """Give ids in order, at most so many, and fewer only where there are no more: all that may be meant."""
        if plan.keys:
            return self._in_two(plan, order, most, self._by_key)
        if plan.text is not None:
            where, values = _where(order, plan)
            return self._ids(
                f"SELECT id FROM passage INDEXED BY passage_reason WHERE reason IS NOT NULL AND {where} "  # noqa: S608
                f"AND instr(reason, ?) ORDER BY id {order.sql} LIMIT ?",
                [*values, plan.text, most],
            )
        if plan.stamps is not None:
            return self._in_two(plan, order, most, self._by_stamp)
        where, values = _where(order, plan)
        return self._ids(
            f"SELECT id FROM passage WHERE {where} ORDER BY id {order.sql} LIMIT ?",  # noqa: S608 - our own
            [*values, most],
        )

    def _in_two(self, plan: Plan, order: Order, most: int, by_index: _ByIndex) -> list[int]:
        sealed = sealed_up_to(self._connection)
        below = Order(order.low, min(order.high, sealed + 1), order.oldest_first)
        if order.oldest_first:
            found = by_index(plan, below, most)
            return found if len(found) >= most else found + self._tail(plan, _above(order, sealed), most - len(found))
        found = self._tail(plan, _above(order, sealed), most)
        return found if len(found) >= most else found + by_index(plan, below, most - len(found))

    def _tail(self, plan: Plan, order: Order, most: int) -> list[int]:
        where, values = _where(order, plan)
        keys = plan.keys[0] if plan.keys else ()
        if keys and len(keys) <= _FEW_KEYS:
            where += f" AND ({' OR '.join(['instr(keys, ?)'] * len(keys))})"
            values += [packed((one,)) for one in keys]
        ordered = f"FROM passage WHERE {where} ORDER BY id {order.sql}"
        if len(keys) <= _FEW_KEYS:
            return self._ids(f"SELECT id {ordered} LIMIT ?", [*values, most])
        wanted = {packed((one,)) for one in keys}
        found = []
        for id_, own in self._connection.execute(f"SELECT id, keys {ordered}", values):
            if not wanted.isdisjoint(own[at : at + 4] for at in range(0, len(own), 4)):
                found.append(id_)
                if len(found) == most:
                    break
        return found

    def _by_key(self, plan: Plan, order: Order, most: int) -> list[int]:
        """Look into one segment after the other, and stop where no other can hold something nearer."""
        segments = self._connection.execute(
            "SELECT number, first, last FROM passage_segment WHERE last >= ? AND first < ?", (order.low, order.high)
        ).fetchall()
        segments.sort(key=lambda one: one[1] if order.oldest_first else -one[2])
        where, values = _where(order, plan)
        keys = [packed((one,)) for one in plan.keys[0]]
        found: list[int] = []
        for number, first, last in segments:
            if len(found) == most and (found[-1] < first if order.oldest_first else found[-1] > last):
                break
            new = set(found)
            for at in range(0, len(keys), _MOST_KEYS):
                some = keys[at : at + _MOST_KEYS]
                new.update(
                    self._ids(
                        f"SELECT DISTINCT id FROM passage_key WHERE segment = ? AND key IN ({_marks(some)}) "  # noqa: S608
                        f"AND {where} ORDER BY id {order.sql} LIMIT ?",
                        [number, *some, *values, most],
                    )
                )
            found = sorted(new, reverse=not order.oldest_first)[:most]
        return found

    def _by_stamp(self, plan: Plan, order: Order, most: int) -> list[int]:
        """Take the nearest of each stamp; what is farther than those found already need not be read."""
        nearest = nsmallest if order.oldest_first else nlargest
        statement = (
            f"SELECT id FROM passage_stamp WHERE stamp = ? AND id >= ? AND id < ? ORDER BY id {order.sql} LIMIT ?"  # noqa: S608
        )
        found: list[int] = []
        for stamp in plan.stamps or ():
            new = self._ids(statement, [stamp, order.low, order.high, most])
            if new:
                found = nearest(most, found + new)
                if len(found) == most and order.oldest_first:
                    order = Order(order.low, found[-1] + 1, oldest_first=True)
                elif len(found) == most:
                    order = Order(found[-1], order.high, oldest_first=False)
        return found

    def _ids(self, statement: str, values: Sequence[object]) -> list[int]:
        return [id_ for (id_,) in self._connection.execute(statement, values).fetchall()]


def _where(order: Order, plan: Plan) -> tuple[str, _Values]:
    where, values = "id >= ? AND id < ?", _Values((order.low, order.high))
    if plan.stamps is not None:
        where += f" AND {_STAMPED}"
        values.append(json.dumps(sorted(plan.stamps)))
    return where, values


def _above(order: Order, sealed: int) -> Order:
    return Order(max(order.low, sealed + 1), order.high, order.oldest_first)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
