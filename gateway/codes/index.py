"""Everything that has a name, in one list for search: whole codes, numbers of their parts, words of messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, get_args

from gateway.codes.device_codes import meaning_of, with_device
from gateway.codes.dotted import spoken
from gateway.codes.patterns import CodeKind
from gateway.codes.reading_types import ReadingType
from gateway.codes.reply_codes import ReplyCode, reply_sentence
from gateway.codes.tables import NONE, PAIR_TABLES, PART_TABLES, Entry, table

Registry = Literal["reading", "quality", "event", "control", "reply", "word"]
REGISTRIES: Final[tuple[Registry, ...]] = get_args(Registry)
_PARTS_OF: Final[dict[str, Registry]] = {"reading": "reading", "quality": "quality", "event": "event"}
_ELECTRIC_METER: Final = "3"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that can be found. `whole` tells a code from a number of a part; `code` is what `explain` takes.

    `shown` is the code as an example: events and controls, open in their device, as those of an electric meter.
    `own_words` is a meaning of ours that the name does not say.
    """

    registry: Registry
    code: str
    shown: str
    name: str
    meaning: str
    confidence: str
    remark: str = ""
    whole: bool = True
    own_words: bool = False


@cache
def items() -> tuple[Item, ...]:
    """Give all items: whole codes first, by registry and in the order of the tables."""
    events, controls = _device_codes("event", CodeKind.EVENT), _device_codes("control", CodeKind.CONTROL)
    return (*events, *controls, *_qualities(), *_readings(), *_replies(), *_words(), *_parts())


def _device_codes(registry: Registry, kind: CodeKind) -> Iterator[Item]:
    for key, entry in table("events" if kind is CodeKind.EVENT else "controls").items():
        meaning = meaning_of(kind, tuple(key.split(".")))
        own = bool(entry.columns["meaning"])
        shown = with_device(key, _ELECTRIC_METER)
        yield Item(registry, key, shown, entry.name, meaning, entry.confidence, entry.remark, own_words=own)


def _qualities() -> Iterator[Item]:
    for key, entry in table("quality_codes").items():
        group = table("quality_category")[key.partition(".")[0]]
        meaning = f"{entry.label} (category {group.label})"
        yield Item("quality", f"*.{key}", f"*.{key}", entry.name, meaning, entry.confidence, entry.remark)


def _readings() -> Iterator[Item]:
    for key, entry in table("reading_examples").items():
        code = ReadingType.parse(key)
        yield Item("reading", key, key, code.alias(), code.explain(), entry.confidence, entry.remark)


def _replies() -> Iterator[Item]:
    for key, entry in table("reply_codes").items():
        meaning = reply_sentence(ReplyCode(key)).partition(": ")[2].rstrip(".")
        yield Item("reply", key, key, entry.name, meaning, entry.confidence, entry.remark)


def _words() -> Iterator[Item]:
    for row in table("words").values():
        for entry in (row, *row.others):
            columns = entry.columns
            remark = "; ".join(filter(None, (columns["status"], entry.remark)))
            meaning = columns["meaning"]
            yield Item("word", entry.key, columns["what"], entry.key, meaning, entry.confidence, remark, whole=False)


def _parts() -> Iterator[Item]:
    for name in (*PART_TABLES, *PAIR_TABLES):
        registry, _, field = name.partition("_")
        for row in table(name).values():
            if row.key not in (NONE, f"{NONE}/{NONE}"):
                for entry in (row, *row.others):
                    yield _part(registry, spoken(field), entry)


def _part(registry: str, field: str, entry: Entry) -> Item:
    where = f"{field} {entry.key}"
    return Item(_PARTS_OF[registry], where, where, entry.name, entry.label, entry.confidence, entry.remark, whole=False)
