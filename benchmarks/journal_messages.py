"""Messages in any number, for the journal's dictionary and benchmark: our own examples with other ids and values.

Each is one of the examples (examples/day, and what `cimgate example` prints for every noun and verb, short and full),
indented or not, with its UUIDs, meters, times and numbers replaced.
"""

import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.cli._envelopes import kind_of, verbs_of
from gateway.cli._shared import CommandError
from gateway.cli.example import written
from gateway.message import MessageKind, Verb
from gateway.resources import schema_sources
from gateway.store.journal import Handover, Passage
from gateway.validation import SchemaSet

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_VARIED: Final = re.compile(
    rf"(?P<mrid>(?<=<mRID>){_UUID})|(?P<uuid>{_UUID})|(?P<meter>NTH-\d+)|(?P<time>\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d)|(?P<number>(?<=>)\d+\.\d+(?=<))"
    r"|(?P<whole>(?<=-)\d{6,}(?=<))|(?P<event>(?<=EndDeviceEventType ref=\")[\d.]+)|(?P<source>(?<=<Source>)[^<]+)"
)
_FIELD: Final = re.compile(r"<(Verb|Noun|Context|Source|MessageID|CorrelationID)>([^<]*)<")
_EVENT: Final = re.compile(r'EndDeviceEventType ref="([\d.]+)"')
_EVENTS: Final = ("3.26.0.85", "3.26.0.216", "3.26.38.37", "3.33.1.257", "3.2.0.139", "3.12.93.219", "3.21.43.79")
_MOST_DEVICES: Final = 3
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SOURCES: Final = {"HES": tuple(f"HES-{part}" for part in ("NORTH", "SOUTH", "EAST", "WEST")), "CIS": ("CIS", "MDM")}
_RECEIVERS: Final = ("MDM", "CIS", "OMS", "MS")


@dataclass(frozen=True, slots=True)
class Template:
    """An example, cut into what stays and what varies."""

    name: str
    noun: str
    kind: MessageKind
    parts: tuple[str, ...]
    sorts: tuple[tuple[str, str], ...]


@cache
def templates() -> tuple[Template, ...]:
    """Give all examples below 8 KB, each indented and not."""
    schemas = SchemaSet(schema_sources())
    found: dict[str, bytes] = {path.name: path.read_bytes() for path in sorted(Path("examples/day").glob("*.xml"))}
    for noun in sorted(schemas.nouns):
        for verb in verbs_of(noun):
            for full in (False, True):
                try:
                    raw = written(schemas, verb, noun, full=full, draft=False, context="PRODUCTION", source="")
                except CommandError:
                    continue
                found[f"{verb} {noun} {'full' if full else 'short'}"] = raw
    return tuple(
        _template(f"{name} {form}", raw.decode())
        for name, indented in found.items()
        for form, raw in (("indented", indented), ("compact", _compact(indented)))
        if len(raw) < 8_000
    )


class Messages:
    """Makes messages of the templates, of 200,000 meters, a time of 300 microseconds after each other."""

    def __init__(self, seed: int, chosen: tuple[Template, ...], begin: float, meters: int = 200_000) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same messages each time
        self._chosen = chosen
        self._begin = begin
        self._meters = meters
        self._made = 0

    def body(self, template: Template) -> tuple[str, list[str]]:
        """Give a message, and the meters in it."""
        chance = self._random
        devices: list[str] = []
        given: dict[str, str] = {}
        pieces = [template.parts[0]]
        for (sort, old), rest in zip(template.sorts, template.parts[1:], strict=True):
            if old not in given:
                given[old] = self._varied(sort, old, chance, devices)
            pieces += (given[old], rest)
        return "".join(pieces), devices

    def passages(self, number: int) -> Iterator[Passage]:
        """Give messages as the journal takes them."""
        chance = self._random
        for _ in range(number):
            template = chance.choice(self._chosen)
            body, devices = self.body(template)
            raw = body.encode()
            head = dict(_FIELD.findall(body))
            self._made += 1
            micro = round(self._begin * 1e6) + self._made * 300
            system = _RECEIVERS[len(head["Noun"]) % len(_RECEIVERS)]
            dead = chance.random() < 0.02
            outcome = "dead:invalid" if dead else "delivered" if template.kind is MessageKind.EVENT else "conversation"
            key = f"{head['Context']}.{template.kind.name}S.{head['Noun']}.{head['Verb']}"
            yield Passage(
                id=micro << 11, direction="in", source=head["Source"], kind=template.kind.name.lower(),
                verb=head["Verb"], noun=head["Noun"], message_id=head.get("MessageID"),
                correlation_id=head.get("CorrelationID"), context=head["Context"],
                events=tuple(dict.fromkeys(_EVENT.findall(body))), devices=tuple(devices),
                verdict="invalid" if dead else "valid", rule="schema" if dead else "", code="1.5" if dead else "0.0",
                outcome=outcome, reason=f"line {chance.randrange(80)}: element Nme is not expected" if dead else "",
                routes=() if dead else (f"{system.lower()}.toml:1",),
                deliveries=() if dead else (
                    Handover(f"queue:{system}", system, f"{system.lower()}.toml:1", 1, chance.randrange(2_000) / 1e6),
                ),
                seconds=chance.randrange(5_000) / 1e6,
                conversation=None if template.kind is MessageKind.EVENT else self._uuid(chance), routing_key=key,
                size=len(raw), body=raw,
            )  # fmt: skip

    def _varied(self, sort: str, old: str, chance: random.Random, devices: list[str]) -> str:
        if sort == "uuid":
            return self._uuid(chance)
        if sort in ("meter", "mrid"):
            number = chance.randrange(self._meters)
            name = f"NTH-{40_000_000 + number}" if sort == "meter" else _mrid(number)
            if len(devices) < _MOST_DEVICES:
                devices.append(name)
            return name
        if sort == "time":
            return f"{_START + timedelta(seconds=chance.randrange(31_000_000)):%Y-%m-%dT%H:%M:%S}"
        if sort == "number":
            return f"{chance.randrange(10**6) / 100}"
        if sort == "whole":
            return f"{chance.randrange(10 ** len(old)):0{len(old)}}"
        if sort == "event":
            return chance.choice(_EVENTS)
        return chance.choice(_SOURCES["HES" if old.startswith("HES") else "CIS"])

    def _uuid(self, chance: random.Random) -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _mrid(number: int) -> str:
    """Give the mRID of a meter: as random as any UUID, the same each time."""
    return str(uuid.UUID(bytes=blake2b(number.to_bytes(8, "big"), digest_size=16).digest(), version=4))


def of_size(every: tuple[Template, ...], mean: int) -> tuple[Template, ...]:
    """Give templates in such numbers that the mean size of a message comes near `mean`: the longer ones more often."""
    sizes = {template: sum(map(len, template.parts)) for template in every}
    chosen = [template for template in every if mean // 3 < sizes[template] < mean * 3]
    longer = [template for template in chosen if sizes[template] > mean]
    while longer and sum(sizes[template] for template in chosen) / len(chosen) < mean:
        chosen += longer
    return tuple(chosen)


def _template(name: str, text: str) -> Template:
    parts, sorts, last = [], [], 0
    for match in _VARIED.finditer(text):
        parts.append(text[last : match.start()])
        sorts.append((str(match.lastgroup), match.group()))
        last = match.end()
    head = dict(_FIELD.findall(text))
    return Template(name, head["Noun"], kind_of(Verb(head["Verb"])), (*parts, text[last:]), tuple(sorts))


def _compact(raw: bytes) -> bytes:
    root = etree.fromstring(raw, etree.XMLParser(remove_blank_text=True, remove_comments=True))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
