"""Writing a SQLite journal. A message costs one row at the end of one table; a batch is one statement.

One statement, because each lets other threads of Python run and then waits for its turn again: with one for each
message a batch of a hundred would wait a hundred times.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gateway.store.journal._sqlite_finding import Finder
from gateway.store.journal._sqlite_sealing import (
    Sealing,
    remove,
    seal_given,
    seal_next,
    sealed_up_to,
    tail_length,
)
from gateway.store.journal.frames import Frames
from gateway.store.journal.ids import END
from gateway.store.journal.keys import KEY_BYTES, keys_of, packed
from gateway.store.journal.searching import Order, folded, planned
from gateway.store.journal.values import JournalSearch, Passage
from gateway.store.journal.words import stamp_of

_ADD_WORD = "INSERT OR IGNORE INTO passage_word(kind, digest, text) VALUES (?, ?, ?)"
_ADD = """
INSERT INTO passage(id, stamp, keys, frame, reason, body)
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'),
    coalesce(substr(:keys, json_extract(value, '$[2]'), json_extract(value, '$[3]')), x''),
    substr(:frames, json_extract(value, '$[4]'), json_extract(value, '$[5]')),
    json_extract(value, '$[6]'),
    CASE WHEN json_extract(value, '$[8]')
        THEN substr(:large, json_extract(value, '$[7]'), json_extract(value, '$[8]')) END
FROM json_each(:rows)
WHERE true
ON CONFLICT(id) DO NOTHING"""
_FREE_AT_MOST = 4
"""A file of which more than one page in so many is free gives some back."""
_GIVEN_BACK = 1_000
_Values = dict[str, str | bytes]
_encode = json.JSONEncoder(separators=(",", ":")).encode
_Row = tuple[int, int, int, int, int, int, str | None, int, int]


class Writer:
    """Writes on one connection."""

    def __init__(self, connection: sqlite3.Connection, sealing: Sealing) -> None:
        self._connection = connection
        self._sealing = sealing
        self._finder = Finder(connection)
        self._frames = Frames()
        self._tail = tail_length(connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def write(self, passages: Sequence[Passage]) -> bool:
        """Add messages in one transaction; those whose ids are there stay as they are.

        Gives whether the tail is long enough to be sealed, as far as this process knows.
        """
        frames = self._frames.pack(passages)
        self._add_words(passages)
        values = self._values(passages, frames)
        with self._transaction():
            self._connection.execute(_ADD, values)
            sealed = sealed_up_to(self._connection)
            if late := [passage.id for passage in passages if passage.id <= sealed]:
                seal_given(self._connection, self._sealing, late)
        self._tail += len(passages)
        return self._tail >= self._sealing.due

    def seal(self) -> None:
        """Put the oldest of the tail into the indexes."""
        with self._transaction():
            sealed = seal_next(self._connection, self._sealing)
        self._tail = self._tail - sealed if sealed else tail_length(self._connection)

    def purge(self, search: JournalSearch, before: int, limit: int) -> int:
        """Remove the oldest messages that stamps and time alone decide; gives how many."""
        with self._transaction():
            self._finder.learn()
            plan = planned(search, self._finder.words)
            order = Order(0, min(before, END), oldest_first=True)
            ids = [] if plan.hopeless else self._finder.candidates(plan, order, limit)
            if ids:
                remove(self._connection, ids)
        self._give_back()
        return len(ids)

    def size(self) -> int:
        """Give the bytes in use."""
        pages, free, page = (self._pragma(name) for name in ("page_count", "freelist_count", "page_size"))
        return (pages - free) * page

    def _add_words(self, passages: Sequence[Passage]) -> None:
        if self._finder.words.unknown(passages):
            self._finder.learn()
            words = self._finder.words.unknown(passages)
            with self._transaction():
                self._connection.executemany(_ADD_WORD, words)
            self._finder.learn()

    def _values(self, passages: Sequence[Passage], frames: Sequence[tuple[bytes, bytes | None]]) -> _Values:
        stamps = self._finder.words.stamps
        rows: list[_Row] = []
        keys: list[int] = []
        large: list[bytes] = []
        frame_at = large_at = 1  # SQLite counts from 1
        for passage, (frame, body) in zip(passages, frames, strict=True):
            own = keys_of(passage)
            reason = folded(passage.reason) if passage.reason else None
            body_size = 0
            if body is not None:
                body_size = len(body)
                large.append(body)
            rows.append(
                (
                    passage.id, stamps[stamp_of(passage)], len(keys) * KEY_BYTES + 1, len(own) * KEY_BYTES,
                    frame_at, len(frame), reason, large_at, body_size,
                )
            )  # fmt: skip
            keys += own
            frame_at += len(frame)
            large_at += body_size
        joined = b"".join([frame for frame, _ in frames])
        return {"rows": _encode(rows), "keys": packed(keys), "frames": joined, "large": b"".join(large)}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _give_back(self) -> None:
        if self._pragma("freelist_count") * _FREE_AT_MOST > self._pragma("page_count"):
            self._connection.execute(f"PRAGMA incremental_vacuum({_GIVEN_BACK})").fetchall()

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
