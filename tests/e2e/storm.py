"""A storm: very many meters lose power at once; what becomes of it in a gateway with an OMS and twenty subscribers."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aio_pika
import psutil

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from gateway.subscriptions import queue_of
from tests.e2e.harness import GatewayProcess, drain, until
from tests.e2e.outages import (
    BACK,
    GASP,
    KEY,
    LOST,
    OMS,
    ON,
    QUEUE,
    RESTORED,
    events,
    heard,
    oms_without_power_events,
    opened,
    prepare,
    standing,
)
from tests.e2e.subscribing import create

_POWER = "*.26.*.*"
_GASPS = "*.26.0.85"
_SOURCES = ("HES-1", "HES-2", "HES-3", "HES-4")
_SEVERITIES = ("high", "low")
_CODES = (GASP, RESTORED)
_PATIENCE = 3_600.0
_MESSAGE_ID = re.compile(rb"<MessageID>(.+?)</MessageID>")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the storm, and that by which it can be chosen."""

    id: str
    body: bytes
    code: str
    source: str
    severity: str
    devices: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subscription of the storm: options of `cimgate subscriptions create`; what is empty takes all."""

    events: str = ""
    source: str = ""
    severity: str = ""
    device: str = ""

    @property
    def options(self) -> list[str]:
        """Options of the command."""
        given = {"event": self.events, "source": self.source, "severity": self.severity, "device": self.device}
        return ["--noun", "EndDeviceEvents", *(word for name, value in given.items() if value
                                               for word in (f"--{name}", value))]  # fmt: skip

    def takes(self, one: Sent) -> bool:
        """Whether it is to get a message."""
        return (
            self.events in ("", _POWER, one.code, one.code.replace("3", "*", 1))
            and self.source in ("", one.source)
            and self.severity in ("", one.severity)
            and (not self.device or self.device in one.devices)
        )


@dataclass(frozen=True, slots=True)
class Weathered:
    """What became of a storm. Seconds since the gateway was ready until all messages were handed on, until the OMS was
    told of everything, and of processor time; memory in MiB, at its most."""

    devices: int
    events: int
    messages: int
    per_message: int
    handed_on: float
    told: float
    processor: float
    memory: float
    copies: int
    oms_messages: int
    oms_largest: int
    problems: tuple[str, ...]


def chosen() -> dict[str, Wanted]:
    """Twenty subscriptions by name; the broker selects for most, the gateway judges six (`_GASPS`, devices)."""
    ways = [Wanted(), Wanted(events=_POWER), *(Wanted(events=code) for code in _CODES)]
    ways += [Wanted(source=source) for source in _SOURCES]
    ways += [Wanted(severity=severity) for severity in _SEVERITIES]
    ways += [Wanted(source=source, severity="high") for source in _SOURCES]
    ways += [Wanted(events=GASP, severity=severity) for severity in _SEVERITIES]
    ways += [Wanted(events=_GASPS), *(Wanted(events=_GASPS, severity=severity) for severity in _SEVERITIES)]
    ways += [Wanted(device=f"M-{number:06d}") for number in (7, 20, 410)]
    return {f"storm-{number}": way for number, way in enumerate(ways)}


def traffic(devices: int, per_message: int) -> Iterator[Sent]:
    """All devices lose power, every twentieth says so once more, and every tenth has it back half an hour later."""
    meters = [f"M-{number:06d}" for number in range(devices)]
    told = [(GASP, LOST, meters), (GASP, LOST, meters[::20]), (RESTORED, BACK, meters[::10])]
    number = 0
    for code, clock, those in told:
        for some in _in_parts(those, per_message):
            source, severity = _SOURCES[number % 4], _SEVERITIES[number // 4 % 2]
            id_ = f"storm-{number}"
            body = events(code, some, clock, source=source, severity=severity, message_id=id_)
            yield Sent(id_, body, code, source, severity, frozenset(some))
            number += 1


async def weather(url: str, folder: Path, store: str, devices: int, per_message: int, *, view: str = ON) -> Weathered:
    """Fill the gateway's queue with a storm, let the gateway work it off, and hold that all has come to its place."""
    wanted = chosen()
    sent = list(traffic(devices, per_message))
    oms_without_power_events(folder)
    await prepare(url)
    gateway = GatewayProcess(url, folder, outages=view, store=store, log_level="warning")
    await _subscribe(gateway, wanted)
    await _fill(url, sent)
    expected = {queue_of(name): sum(map(one.takes, sent)) for name, one in wanted.items()}
    await gateway.start()
    try:
        assert gateway.process is not None
        watched = psutil.Process(gateway.process.pid)
        began = time.perf_counter()
        handed_on, told = await _to_the_end(url, store, expected, {"out": devices - devices // 10, "on": devices // 10})
        times, memory = watched.cpu_times(), _peak(watched)
        assert await gateway.stop() == 0, gateway.log()[-2000:]
    finally:
        await gateway.kill()
    found = heard((await drain(url, [OMS]))[OMS])
    problems = [*found.problems, *await _wrong(url, store, sent, devices, found.of)]
    problems += [f"in the log: {line['event']}" for line in gateway.lines()]
    total = sum(body.count(b"<EndDeviceEvent>") for body in (one.body for one in sent))
    sizes = [len(message) for message in found.messages.values()]
    return Weathered(
        devices, total, len(sent), per_message, handed_on - began, told - began, times.user + times.system, memory,
        found.copies, len(sizes), max(sizes), tuple(problems),
    )  # fmt: skip


async def _subscribe(gateway: GatewayProcess, wanted: Mapping[str, Wanted]) -> None:
    """Create the subscriptions while the gateway runs, as an operator does, and stop it."""
    await gateway.start()
    try:
        for name, one in wanted.items():
            await create(gateway, name, *one.options)
        assert await gateway.stop() == 0, gateway.log()[-2000:]
    finally:
        await gateway.kill()


async def _fill(url: str, sent: Sequence[Sent]) -> None:
    async with await Partner.open(Access(url, "storm")) as partner:
        for some in _in_parts(sent, 200):
            await asyncio.gather(*(partner.send(one.body, KEY) for one in some))


async def _to_the_end(
    url: str, store: str, expected: Mapping[str, int], devices: Mapping[str, int]
) -> tuple[float, float]:
    """Give when all was handed on, and when the OMS was told of all."""
    outages = await opened(store)
    try:
        async with await Partner.open(Access(url, "looker")) as partner:

            async def depth(queue: str) -> int:
                return (await partner.depth(queue) or (0, 0))[0]

            async def handed_on() -> bool:
                if await depth("cim.in.TESTING"):
                    await asyncio.sleep(0.2)
                    return False
                return all([await depth(queue) >= count for queue, count in expected.items()])

            await until(handed_on, "all is handed on", _PATIENCE)
            then = time.perf_counter()

            async def told() -> bool:
                if await depth(QUEUE) or await outages.left():
                    await asyncio.sleep(0.1)
                    return False
                return (await outages.standing()).devices == devices and not await outages.left()

            await until(told, "the OMS is told of all", _PATIENCE)
            return then, time.perf_counter()
    finally:
        await outages.close()


async def _wrong(
    url: str, store: str, sent: Sequence[Sent], devices: int, of: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    problems = []
    back = {f"M-{number:06d}" for number in range(0, devices, 10)}
    meters = {f"M-{number:06d}" for number in range(devices)}
    told = {meter: [GASP, RESTORED] if meter in back else [GASP] for meter in meters}
    if of != told:
        wrong = [meter for meter in meters | set(of) if list(of.get(meter, ())) != told.get(meter)]
        problems.append(f"the OMS was told otherwise of {len(wrong)} devices, such as {wrong[:3]}")
    stand = await standing(store)
    if stand != {meter: "on" if meter in back else "out" for meter in meters}:
        problems.append("not every device stands as it should")
    for name, wanted in chosen().items():
        arrived = await _ids(url, queue_of(name))
        if arrived != Counter(one.id for one in sent if wanted.takes(one)):
            problems.append(f"the subscription {wanted} has {arrived.total()} messages, not its own")
    if dead := (await drain(url, ["cim.dead"]))["cim.dead"]:
        problems.append(f"{len(dead)} dead letters, such as {dead[0].headers}")
    return iter(problems)


async def _ids(url: str, name: str) -> Counter[str]:
    """Take all that is in a queue, and give the MessageIDs."""
    found: Counter[str] = Counter()
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue(name, ensure=True)
        count = queue.declaration_result.message_count or 0
        all_there = asyncio.Event()

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            found.update(id_.decode() for id_ in _MESSAGE_ID.findall(message.body))
            if found.total() >= count:
                all_there.set()

        if count:
            await queue.consume(take, no_ack=True)  # a hundred thousand acknowledgements would take their time
            await asyncio.wait_for(all_there.wait(), _PATIENCE)
    return found


def _in_parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _peak(process: psutil.Process) -> float:
    """The most memory it ever had, in MiB."""
    [line] = [one for one in Path(f"/proc/{process.pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
