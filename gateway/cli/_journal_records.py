"""Messages of the journal as records of a `.cimlog` file, and back. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.cli._journal_filters import IMPORTED, OF_IMPORTED
from gateway.cli._journal_words import is_masked
from gateway.cli._replies import message_of
from gateway.codes import CodeKind
from gateway.message import Header
from gateway.message.subjects import NOTHING, subjects_of
from gateway.store.journal import Handover, Passage, id_at
from gateway.store.journal.ids import END, PARTS
from gateway.traffic import BadRecord, Direction, Record
from gateway.traffic.record import Json, encode

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Delivery(BaseModel):
    model_config = ConfigDict(strict=True)

    place: str
    system: str = ""
    route: str = ""
    attempts: int = 1
    seconds: float | None = None


class _Facts(BaseModel):
    """What the journal knows beyond the fields of a record; a file of others may lack all of it."""

    model_config = ConfigDict(strict=True)

    kind: str = ""
    context: str = ""
    events: list[str] = []
    devices: list[str] = []
    checked: str = ""
    rule: str = ""
    code: str = ""
    reason: str = ""
    routes: list[str] = []
    deliveries: list[_Delivery] = []
    redelivered: int = 0
    seconds: float | None = None
    conversation: str | None = None
    bytes: int = 0


def record_of(passage: Passage) -> Record:
    """Give the record of a message. `verdict` is its outcome; what else the journal knows is in `more`."""
    facts: dict[str, Json] = {
        "id": str(passage.id),  # as text: programs take numbers of this length for approximate ones
        "kind": passage.kind,
        "context": passage.context,
        "events": list(passage.events),
        "devices": list(passage.devices),
        "checked": passage.verdict,
        "rule": passage.rule,
        "code": passage.code,
        "reason": passage.reason,
        "routes": list(passage.routes),
        "deliveries": [asdict(one) for one in passage.deliveries],
        "redelivered": passage.redelivered,
        "seconds": passage.seconds,
        "conversation": passage.conversation,
        "keep": passage.keep,
        "bytes": passage.size,
    }
    return Record(
        _EPOCH + timedelta(microseconds=round(passage.at * 1_000_000)),
        Direction(passage.direction),
        passage.body,
        routing_key=passage.routing_key,
        correlation_id=passage.correlation_id or "",
        source=passage.source,
        system=passage.system,
        noun=passage.noun,
        verb=passage.verb,
        message_id=passage.message_id or "",
        verdict=passage.outcome,
        masked=passage.body is not None and is_masked(passage.body),
        more={name: value for name, value in facts.items() if value not in ("", None, [], 0)},
    )


def imported(record: Record) -> Passage:
    """Give a record as a message of a journal that it did not pass: marked, and still without an id (see `ids_of`).

    What a file of others does not tell is read from the message. Raises `BadRecord`.
    """
    try:
        facts = _Facts.model_validate({name: record.more[name] for name in _Facts.model_fields if name in record.more})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRecord(f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error
    message = message_of(record.body) if record.body is not None and not (record.noun or record.verb) else None
    header = message.header if message is not None else Header("", "")
    subjects = subjects_of(message) if message is not None else NOTHING
    return Passage(
        id=0,
        direction=record.direction.value,
        source=record.source or header.source or record.app_id,
        system=record.system,
        kind=facts.kind or (message.kind.value if message is not None else ""),
        verb=record.verb or header.verb,
        noun=record.noun or header.noun,
        message_id=record.message_id or header.message_id,
        correlation_id=record.correlation_id or header.correlation_id,
        context=facts.context or header.context or "",
        events=tuple(facts.events) or tuple(sorted(code for kind, code in subjects.codes if kind is CodeKind.EVENT)),
        devices=tuple(facts.devices) or subjects.names,
        verdict=facts.checked,
        rule=facts.rule,
        code=facts.code,
        outcome=OF_IMPORTED + record.verdict.removeprefix(OF_IMPORTED),
        reason=facts.reason,
        routes=tuple(facts.routes),
        deliveries=tuple(
            Handover(one.place, one.system, one.route, one.attempts, _rounded(one.seconds)) for one in facts.deliveries
        ),
        redelivered=facts.redelivered,
        seconds=_rounded(facts.seconds),
        conversation=facts.conversation,
        routing_key=record.routing_key,
        size=facts.bytes or len(record.body or b""),
        keep=IMPORTED,
        body=record.body,
    )


def ids_of(record: Record) -> Iterator[int]:
    """Give the ids that a record may have in a journal, in the order of trying: they hold its time.

    They are the same each time that it is imported. The second and later ones are for where another message, of the
    same microsecond, has the first. Raises `BadRecord`.
    """
    start = id_at((record.at - _EPOCH) / timedelta(seconds=1))
    if start >= END:
        raise BadRecord("its time is later than a journal can hold")
    first = int.from_bytes(blake2b(encode(record), digest_size=4).digest(), "big")
    return (start | (first + step) % PARTS for step in range(PARTS))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)  # what a journal keeps, so that it compares equal
