"""A storm: very many meters lose power at once; what becomes of it in a gateway with an OMS and twenty subscribers."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TypeVar

import aio_pika
import psutil

from gateway.broker.partner import Partner
from gateway.broker.session import Access
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

_SOURCES = ("HES-1", "HES-2", "HES-3", "HES-4")
_SEVERITIES = ("high", "low")
_CODES = (GASP, RESTORED)
_PATIENCE = 3_600.0
_MESSAGE_ID = re.compile(rb"<MessageID>(.+?)</MessageID>")
T = TypeVar("T")
Headers = Mapping[str, str | bool]


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the storm, and the headers by which it can be chosen."""

    id: str
    body: bytes
    headers: Headers


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


def subscriptions() -> list[Headers]:
    """Twenty ways to choose events by their headers."""
    chosen: list[Headers] = [{"cim-noun": "EndDeviceEvents"}, {"cim-domain:26": True}]
    chosen += [{f"cim-event:{code}": True} for code in _CODES]
    chosen += [{"cim-source": source} for source in _SOURCES]
    chosen += [{"cim-severity": severity} for severity in _SEVERITIES]
    chosen += [{"cim-source": one, "cim-severity": other} for one, other in product(_SOURCES, _SEVERITIES)]
    chosen += [{f"cim-event:{GASP}": True, "cim-severity": severity} for severity in _SEVERITIES]
    return chosen


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
            facts: Headers = {
                "cim-noun": "EndDeviceEvents", "cim-domain:26": True, f"cim-event:{code}": True, "cim-source": source,
                "cim-severity": severity,
            }  # fmt: skip
            yield Sent(id_, body, facts)
            number += 1


async def weather(url: str, folder: Path, store: str, devices: int, per_message: int, *, view: str = ON) -> Weathered:
    """Fill the gateway's queue with a storm, let the gateway work it off, and hold that all has come to its place."""
    wanted = subscriptions()
    sent = list(traffic(devices, per_message))
    oms_without_power_events(folder)
    await prepare(url)
    await _subscribe(url, wanted)
    await _fill(url, sent)
    expected = {f"sub.{number}": _taken(sent, chosen) for number, chosen in enumerate(wanted)}
    gateway = GatewayProcess(url, folder, outages=view, store=store, log_level="warning")
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


async def _subscribe(url: str, wanted: Sequence[Headers]) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for number, headers in enumerate(wanted):
            queue = await channel.declare_queue(f"sub.{number}", durable=True, arguments={"x-queue-type": "quorum"})
            await queue.bind("cim.events", arguments={"x-match": "all", **headers})


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
    for number, chosen in enumerate(subscriptions()):
        arrived = await _ids(url, f"sub.{number}")
        if arrived != Counter(one.id for one in sent if _matches(one, chosen)):
            problems.append(f"the subscription to {dict(chosen)} has {arrived.total()} messages, not its own")
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


def _matches(one: Sent, chosen: Headers) -> bool:
    return all(one.headers.get(name) == value for name, value in chosen.items())


def _taken(sent: Sequence[Sent], chosen: Headers) -> int:
    return sum(_matches(one, chosen) for one in sent)


def _peak(process: psutil.Process) -> float:
    """The most memory it ever had, in MiB."""
    [line] = [one for one in Path(f"/proc/{process.pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
