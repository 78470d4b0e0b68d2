"""The statements that find conversations. Keys go over as one JSON text: one round trip, one plan for any number."""

import json
from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import JSON, ColumnElement, Select, Text, bindparam, cast, func, select
from sqlalchemy.sql.selectable import TableValuedAlias

from gateway.store.tables import conversation, leg, tie
from gateway.store.values import Key

S = TypeVar("S", bound=Select[Any])

GIVEN = "given"
"""The parameter that takes the keys."""


def given(keys: Collection[str] | Collection[Key]) -> dict[str, str]:
    """Give the parameter for some keys; those that no database can hold (NUL, half a character) cannot be found."""
    return {GIVEN: json.dumps([key for key in keys if _storable(key)], ensure_ascii=False)}


def _storable(key: str | Key) -> bool:
    text = key if isinstance(key, str) else "".join(key)
    return ("\0" not in text) if text.isascii() else _is_unicode(text)


def _is_unicode(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


class Lookups:
    """Selects by key, for one dialect; `lock` keeps what they find for the transaction (PostgreSQL; SQLite has one)."""

    def __init__(self, dialect: str, *, lock: bool) -> None:
        self._lock = lock
        columns = conversation.c
        keys, (one,) = keys_given(dialect, 1)
        self.by_id = self._locked(select(one, conversation).join_from(keys, conversation, columns.id == one))
        self.versions = self._locked(
            select(columns.id, columns.version, columns.final, columns.deadline).join_from(
                keys, conversation, columns.id == one
            )
        )
        self.by_leg = self._locked(
            select(one, conversation)
            .join_from(keys, leg, leg.c.id == one)
            .join(conversation, columns.id == leg.c.conversation_id)
        )
        last = conversation.alias("last")
        tied = (
            select(last.c.id)
            .join_from(tie, last, last.c.id == tie.c.conversation_id)
            .where(tie.c.key == one)
            .order_by(last.c.opened.desc())
            .limit(1)
            .correlate(keys)
            .scalar_subquery()
        )
        self.by_tie = self._locked(select(one, conversation).join_from(keys, conversation, columns.id == tied))
        keys, (source, sent) = keys_given(dialect, 2)
        self.by_request = self._locked(
            select(source, sent, conversation).join_from(
                keys, conversation, (columns.source == source) & (columns.message_id == sent)
            )
        )
        other = conversation.alias("other")
        newest = (
            select(other.c.id)
            .where(other.c.source == source, other.c.echoed_id == sent)
            .order_by(other.c.opened.desc())
            .limit(1)
            .correlate(keys)
            .scalar_subquery()
        )
        self.by_echoed = self._locked(
            select(source, sent, conversation).join_from(keys, conversation, columns.id == newest)
        )

    def _locked(self, statement: S) -> S:
        """All lock in the same order, so that two units cannot wait for each other within one call."""
        if not self._lock:
            return statement
        return statement.order_by(conversation.c.id).with_for_update(of=conversation)


def keys_given(dialect: str, width: int = 1) -> tuple[TableValuedAlias, list[ColumnElement[str]]]:
    """Give the keys that go over in `given` as a relation, and the columns of it."""
    parameter = bindparam(GIVEN, type_=Text)
    if dialect == "sqlite":
        table = func.json_each(parameter).table_valued("value", name="key")
        value: ColumnElement[Any] = table.c.value
        if width == 1:
            return table, [cast(value, Text)]
        return table, [func.json_extract(value, f"$[{at}]", type_=Text) for at in range(width)]
    if width == 1:
        table = func.json_array_elements_text(cast(parameter, JSON)).table_valued("value", name="key")
        return table, [cast(table.c.value, Text)]
    table = func.json_array_elements(cast(parameter, JSON)).table_valued("value", name="key")
    return table, [table.c.value.op("->>")(at) for at in range(width)]
