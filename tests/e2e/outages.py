"""Power events by the thousand, what an outage management system gets of them, and how devices stand then."""

import asyncio
import re
import signal
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from gateway.broker import Access, connect, topology_of
from gateway.broker.outage_queue import OUTAGES, outage_bindings
from gateway.broker.partner import Arrival, Partner
from gateway.broker.topology import apply
from gateway.endpoints import AmqpAddress
from gateway.outages import OutageCodes
from gateway.store import StoreUnavailable
from gateway.store.outages import OutageStore
from gateway.store.outages.opening import open_outages
from tests.e2e.harness import GatewayProcess, drain, store_of, until

M = "http://iec.ch/TC57/2011/schema/message"
N = "http://iec.ch/TC57/2011/EndDeviceEvents#"
KEY = "TESTING.EVENTS.EndDeviceEvents.created"
GASP, RESTORED = "3.26.0.85", "3.26.0.216"
QUEUE, OMS = "cim.outages", "cim.OMS"
ON = '{"on": true}'
_opening = asyncio.Lock()
"""Alembic keeps what it works on in globals, so that one process can make one store at a time."""

_POINTS = (r"^crash point \d+ (.+)$", r"^crash points passed (\d+)$")
METERS = [f"M-{number}" for number in range(20)]
LOST, BACK = "2026-03-17T14:03:00Z", "2026-03-17T14:33:00Z"


def oms_without_power_events(folder: Path) -> None:
    """A routing table by which the OMS gets nothing but what the outage view tells it."""
    (folder / "routes").mkdir(parents=True)
    (folder / "routes" / "oms.toml").write_text('[system]\nname = "OMS"\n[[route]]\nnoun = "EndDeviceEvents"\n'
                                                'verbs = ["created"]\nevents = ["*.7.*.*"]\n')  # fmt: skip


def events(
    code: str, devices: Iterable[str], clock: str, *, source: str = "HES", severity: str = "", message_id: str = ""
) -> bytes:
    """One message with an event of each device, at a time."""
    severe = f"<severity>{severity}</severity>" if severity else ""
    told = "".join(
        f"<EndDeviceEvent><mRID>{device} {clock}</mRID><createdDateTime>{clock}</createdDateTime>{severe}"
        f"<Assets><Names><name>{device}</name></Names></Assets>"
        f'<EndDeviceEventType ref="{code}"/></EndDeviceEvent>'
        for device in devices
    )
    return (
        f'<EventMessage xmlns="{M}"><Header><Verb>created</Verb><Noun>EndDeviceEvents</Noun><Source>{source}</Source>'
        f"<MessageID>{message_id or f'{code} {clock}'}</MessageID></Header>"
        f'<Payload><EndDeviceEvents xmlns="{N}">{told}</EndDeviceEvents></Payload></EventMessage>'
    ).encode()


async def send(url: str, *bodies: bytes) -> None:
    async with await Partner.open(Access(url, "HES")) as partner:
        for body in bodies:
            await partner.send(body, KEY)


@dataclass(slots=True)
class Heard:
    """What the OMS was told: by message, and of each device, in order; `copies` of a message beyond its first."""

    messages: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    copies: int = 0
    problems: list[str] = field(default_factory=list)


def heard(arrivals: Sequence[Arrival]) -> Heard:
    """Read what arrived; a message may come again where it is marked and the same."""
    found = Heard()
    unmarked: dict[str, int] = defaultdict(int)
    bodies: dict[str, bytes] = {}
    for arrival in arrivals:
        root = etree.fromstring(arrival.body)
        id_ = root.findtext("{*}Header/{*}MessageID") or ""
        unmarked[id_] += arrival.headers.get("cim-redelivered") is not True
        if id_ in bodies:
            found.copies += 1
            if bodies[id_] != arrival.body:
                found.problems.append(f"{id_} came again and was another message")
            continue
        bodies[id_] = arrival.body
        told = found.messages[id_] = []
        for event in root.iter(f"{{{N}}}EndDeviceEvent"):
            kind = event.find("{*}EndDeviceEventType")
            told.append(
                (event.findtext("{*}Assets/{*}Names/{*}name") or "", "" if kind is None else kind.get("ref", ""))
            )
        for device, code in told:
            found.of[device].append(code)
    found.problems += [f"{id_} came {count} times without the mark" for id_, count in unmarked.items() if count > 1]
    return found


@dataclass(frozen=True, slots=True)
class Killed:
    """One run with one kill: the point (empty where it was not reached), how many a run without one has, copies."""

    point: str
    passed: int
    copies: int
    problems: list[str]


async def prepare(url: str) -> None:
    """Declare the topology, as the first start of a gateway does."""
    view = (OUTAGES, outage_bindings(OutageCodes(), OUTAGES.name))
    connection = await connect(Access(url, "maker"), "topology")
    try:
        await apply(connection, topology_of("TESTING", [("OMS", AmqpAddress("", OMS))], views=[view]))
    finally:
        await connection.close()


async def killed(url: str, folder: Path, crash: str, store: str = "") -> Killed:
    """Twenty meters lose power and ten get it back, in a gateway that is killed at a point and started anew.

    `folder` is empty, and so are the queues.
    """
    oms_without_power_events(folder)
    settings = {"store": store} if store else {}
    store = store or store_of(folder)
    gateway = GatewayProcess(url, folder, outages='{"on": true, "calm": 1, "seconds": 0.3}', **settings)
    gateway.environment["CIMGATE_CRASH"] = crash
    problems: list[str] = []
    await prepare(url)
    await gateway.start(wait=False)
    try:
        await send(url, events(GASP, METERS, LOST), events(RESTORED, METERS[:10], BACK))
        ended = asyncio.ensure_future(gateway.process.wait() if gateway.process else asyncio.sleep(0))
        done = asyncio.ensure_future(all_told(store, on=10, out=10))
        await asyncio.wait({ended, done}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await gateway.stop()
        if await ended == -signal.SIGKILL:
            del gateway.environment["CIMGATE_CRASH"]
            await gateway.start()
            await done
            await gateway.stop()
        await done
        if await ended not in (0, -signal.SIGKILL) or (gateway.process and gateway.process.returncode):
            problems.append(f"the gateway ended badly; its log ends: {gateway.log()[-2000:]}")
    finally:
        await gateway.kill()
    left = await drain(url, ["cim.in.TESTING", "cim.in.unbound", QUEUE, "cim.dead"])
    problems += [f"{len(arrivals)} left in {queue}" for queue, arrivals in left.items()]
    found = await told(url)
    wanted = {meter: [GASP, RESTORED] if meter in METERS[:10] else [GASP] for meter in METERS}
    problems += found.problems
    if dict(found.of) != wanted:
        problems.append(f"the OMS was told {dict(found.of)}")
    stand = await standing(store)
    if stand != {meter: "on" if meter in METERS[:10] else "out" for meter in METERS}:
        problems.append(f"the devices stand {stand}")
    problems += [f"in the log: {line['event']}" for line in gateway.lines() if line.get("level") == "error"]
    points, passed = (re.findall(pattern, gateway.log(), re.MULTILINE) for pattern in _POINTS)
    return Killed(points[-1] if points else "", int(passed[-1]) if passed else 0, found.copies, problems)


async def opened(url: str) -> OutageStore:
    """Open the outages of a store, which a gateway may be making at this moment."""
    while True:
        try:
            async with _opening:
                return await open_outages(url)
        except StoreUnavailable:
            await asyncio.sleep(0.1)


async def standing(url: str) -> dict[str, str]:
    """How the devices stand, by name, as the store has it."""
    store = await opened(url)
    try:
        return {one.shown: one.power for one in await store.listed(["out", "partly", "on"], limit=1_000_000)}
    finally:
        await store.close()


async def all_told(url: str, **devices: int) -> None:
    """Wait until so many devices stand so (`out=3, on=1`), and nothing is left to be told."""
    store = await opened(url)
    try:

        async def done() -> bool:
            now = await store.standing()
            return now.devices == devices and not now.reports and not now.batches

        await until(done, f"{devices} and all of it told", patience=120)
    finally:
        await store.close()


async def told(url: str) -> Heard:
    """Take what is in the queue of the OMS."""
    return heard((await drain(url, [OMS]))[OMS])
