"""The indexes of a SQLite journal are filled some thousand messages at once, in the order of their keys.

Message ids are random, so each row of an ordinary index is written into a page of its own: for a message with five keys
that is more work than all else. So messages are first added at the end of one table alone. When enough are there, their
keys go into a segment of `passage_key`, sorted, and (stamp, id) into `passage_stamp`; the newest stay out, as the tail.
A search asks every segment and looks at each of the tail. All of it is SQL: other threads of Python go on meanwhile.
"""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sealing:
    """How many messages are sealed at once, how many are left, and after how many another segment is begun.

    Some are left so that those that another process gave ids a little earlier, and stores a little later, fit in.
    """

    at_once: int = 4_096
    left: int = 1_024
    segment: int = 32_768

    @property
    def due(self) -> int:
        """The length of the tail from which on some are sealed."""
        return self.at_once + self.left


_KEYS: Final = """
WITH RECURSIVE k(id, stamp, keys, at) AS (
    SELECT id, stamp, keys, 1 FROM passage WHERE {which} AND keys <> x''
    UNION ALL
    SELECT id, stamp, keys, at + 4 FROM k WHERE at + 4 < length(keys)
)"""
_ADD_KEYS: Final = f"""
INSERT OR IGNORE INTO passage_key(segment, key, id, stamp) {_KEYS}
SELECT :segment, substr(keys, at, 4), id, stamp FROM k ORDER BY 2, 3"""  # noqa: S608 - our own
_ADD_STAMPS: Final = (
    "INSERT OR IGNORE INTO passage_stamp(stamp, id) SELECT stamp, id FROM passage WHERE {which} ORDER BY 1, 2"
)
_ADD_SEGMENT: Final = """
INSERT INTO passage_segment(number, first, last, rows)
SELECT :segment, min(id), max(id), count(*) FROM passage WHERE {which} HAVING count(*)
ON CONFLICT DO UPDATE SET
    first = min(first, excluded.first), last = max(last, excluded.last), rows = rows + excluded.rows"""
_GIVEN: Final = "id IN (SELECT value FROM json_each(:ids))"
_NEXT: Final = "id > :sealed AND id <= :upto"
_LAST: Final = "SELECT number, rows FROM passage_segment ORDER BY number DESC LIMIT 1"
_REMOVE_KEYS: Final = f"""
{_KEYS.format(which=_GIVEN)}
DELETE FROM passage_key
WHERE segment = :segment AND key IN (SELECT substr(keys, at, 4) FROM k) AND +{_GIVEN}"""  # noqa: S608 - our own
"""By segment and key, then looking at the ids (`+`): for all three at once SQLite goes through the whole segment."""
_REMOVE_SEGMENTS: Final = """
DELETE FROM passage_segment
WHERE last < (SELECT max(last) FROM passage_segment) AND first <= :highest
AND NOT EXISTS (SELECT 1 FROM passage_key WHERE segment = number)"""
"""The last one stays: it says up to where all is sealed."""
_REMOVALS: Final = (
    f"DELETE FROM passage_stamp WHERE (stamp, id) IN (SELECT stamp, id FROM passage WHERE {_GIVEN})",  # noqa: S608
    f"DELETE FROM passage WHERE {_GIVEN}",  # noqa: S608 - our own
    _REMOVE_SEGMENTS,
)


def sealed_up_to(connection: sqlite3.Connection) -> int:
    """Give the highest id that is sealed, and all below it are."""
    return int(connection.execute("SELECT coalesce(max(last), -1) FROM passage_segment").fetchone()[0])


def tail_length(connection: sqlite3.Connection) -> int:
    """Count what is not sealed."""
    counted = connection.execute("SELECT count(*) FROM passage WHERE id > ?", (sealed_up_to(connection),))
    return int(counted.fetchone()[0])


def seal_given(connection: sqlite3.Connection, sealing: Sealing, ids: Collection[int]) -> None:
    """Seal some that came late, below what is sealed already. In a transaction."""
    _seal(connection, sealing, _GIVEN, {"ids": json.dumps(list(ids))})


def seal_next(connection: sqlite3.Connection, sealing: Sealing) -> int:
    """Seal the oldest of the tail where it is long enough; gives how many. In a transaction."""
    sealed = sealed_up_to(connection)
    oldest = connection.execute(
        "SELECT id FROM passage WHERE id > ? ORDER BY id LIMIT ?", (sealed, sealing.due)
    ).fetchall()
    if len(oldest) < sealing.due:
        return 0
    _seal(connection, sealing, _NEXT, {"sealed": sealed, "upto": oldest[sealing.at_once - 1][0]})
    return sealing.at_once


def remove(connection: sqlite3.Connection, ids: Collection[int]) -> None:
    """Remove messages and all that leads to them. In a transaction."""
    values = {"ids": json.dumps(list(ids)), "lowest": min(ids), "highest": max(ids)}
    holding = "SELECT number FROM passage_segment WHERE first <= :highest AND last >= :lowest"
    for (number,) in connection.execute(holding, values).fetchall():
        connection.execute(_REMOVE_KEYS, {"segment": number, "ids": values["ids"]})
    for statement in _REMOVALS:
        connection.execute(statement, values)


def _seal(connection: sqlite3.Connection, sealing: Sealing, which: str, values: dict[str, object]) -> None:
    last = connection.execute(_LAST).fetchone()
    number, rows = last or (1, 0)
    values["segment"] = number + 1 if rows >= sealing.segment else number
    for statement in (_ADD_KEYS, _ADD_STAMPS, _ADD_SEGMENT):
        connection.execute(statement.format(which=which), values)
