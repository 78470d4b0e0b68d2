"""A gateway that is killed in the middle of something, started anew, and what became of it then."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from gateway.broker import Access, connect, topology_of
from gateway.broker.partner import Arrival, Partner
from gateway.broker.topology import apply
from gateway.endpoints import AmqpAddress
from gateway.store import Search, Store, Stored, StoreUnavailable
from gateway.store.opening import open_store
from tests.e2e.crash_scenarios import SCENARIOS, Scenario
from tests.e2e.harness import GatewayProcess, make_queue, until
from tests.e2e.plain_client import send_plainly
from tests.e2e.registry import Registry

INTAKE = "cim.in.TESTING"
_SOON = 30.0
"""Seconds: what is to be sent again is due before that, and the deadline of the request after it."""
_opening = asyncio.Lock()
"""Alembic keeps what it works on in globals, so that one process can make one store at a time."""


@dataclass(frozen=True, slots=True)
class Run:
    """One request with one kill: the point (empty where it was not reached), and what was seen.

    `passed` is how many points a run without a kill has; `repeated` counts requests that the systems saw again,
    `answers` what the asker read, `events` those that reached somebody; `problems` says what should not be.
    """

    point: str
    passed: int
    repeated: int
    answers: int
    events: int
    problems: tuple[str, ...]


class NotReached(Exception):  # noqa: N818 - says what happened
    """The confirm was noted before the first kill, as it is when the machine is slow: nothing is to be sent again."""


async def prepare(url: str) -> None:
    """Declare the topology for all scenarios, as the first start of a gateway does, and the asker's queue."""
    systems = sorted({name for scenario in SCENARIOS for name in scenario.routes})
    connection = await connect(Access(url, "maker"), "topology")
    try:
        await apply(connection, topology_of("TESTING", [(name, AmqpAddress("", f"cim.{name}")) for name in systems]))
    finally:
        await connection.close()
    await make_queue(url, "replies")


async def run(url: str, folder: Path, scenario: Scenario, crash: str, store_url: str = "") -> Run:
    """Send the request to a gateway that is to be killed at a point, start it anew when it was, and hold what comes.

    `folder` is empty, and so are the queues. Raises `NotReached` where a first kill came too late for the scenario.
    """
    store_url = store_url or f"sqlite:///{folder / 'conversations.db'}"
    registries = scenario.registries()
    gateway = _gateway(url, folder, scenario, store=store_url, resend_after="1")
    problems: list[str] = []
    async with await Partner.open(Access(url, "CIS")) as asker, serving(registries, url):
        for queue in ("replies", *scenario.heard):
            await asker.watch(queue)
        await send_plainly(url, scenario.asked, scenario.key)
        if scenario.first:
            problems += await _killed_before(gateway, scenario, store_url, asker)
        gateway.environment["CIMGATE_CRASH"] = crash
        await gateway.start(wait=False)
        store = await _opened(store_url)
        seen: list[Arrival] = []
        try:
            watch = _Watch(gateway, store, asker, scenario, seen)
            status = await watch.to_the_end(problems)
            if status == -signal.SIGKILL:
                del gateway.environment["CIMGATE_CRASH"]
                await gateway.start()
                status = await watch.to_the_end(problems)
            async with store.look() as reader:
                held = await reader.search(Search())
        finally:
            await gateway.kill()
            await store.close()
        await until(watch.all_read, "the asker has read everything")
        left = {queue: found[0] for queue in _queues(scenario) if (found := await asker.depth(queue)) and found[0]}
        for queue in left:
            await asker.purge(queue)
    answers = [arrival for arrival in seen if arrival.queue == "replies"]
    problems += [*_wrong_answers(answers, scenario), *_wrong_events(seen, scenario), *_wrong_ends(held, scenario)]
    problems += [
        f"meters {sorted(registry.meters)} in {registry.name}, not {sorted(scenario.meters)}"
        for registry in registries
        if registry.meters != scenario.meters
    ]
    if unmarked := sum(registry.unmarked for registry in registries):
        problems.append(f"{unmarked} requests came again without the mark")
    if left:
        problems.append(f"left in queues: {left}")
    if status != 0:
        problems.append(f"exit status {status}; the log ends: {gateway.log()[-2000:]}")
    errors = [event["event"] for event in gateway.lines() if event.get("level") == "error"]
    problems += [f"in the log: {event}" for event in errors if not (scenario.alarm and event == "alarm")]
    return Run(
        point=_last(r"^crash point \d+ (.+)$", gateway.log(), skip=bool(scenario.first)),
        passed=int(_last(r"^crash points passed (\d+)$", gateway.log()) or 0),
        repeated=sum(registry.repeated for registry in registries),
        answers=len(answers),
        events=len(seen) - len(answers),
        problems=tuple(problems),
    )


def _queues(scenario: Scenario) -> list[str]:
    return [INTAKE, "cim.in.unbound", "cim.dead", "replies", *(f"cim.{name}" for name in scenario.routes)]


async def _killed_before(gateway: GatewayProcess, scenario: Scenario, store_url: str, asker: Partner) -> list[str]:
    """Have the gateway killed where the scenario says that one before it was."""
    gateway.environment["CIMGATE_CRASH"] = scenario.first
    await gateway.start(wait=False)
    assert gateway.process is not None
    status = await gateway.process.wait()
    if not await _to_be_sent_again(store_url):
        for queue in _queues(scenario):
            await asker.purge(queue)
        raise NotReached
    return [] if status == -signal.SIGKILL else [f"no kill at {scenario.first}"]


async def _to_be_sent_again(store_url: str) -> bool:
    store = await _opened(store_url)
    try:
        async with store.look() as reader:
            [held] = await reader.search(Search())
    finally:
        await store.close()
    return held.deadline is not None and held.deadline < held.opened + _SOON


def _last(pattern: str, log: str, *, skip: bool = False) -> str:
    found: list[str] = re.findall(pattern, log, re.MULTILINE)[skip:]
    return found[-1] if found else ""


def _wrong_answers(answers: list[Arrival], scenario: Scenario) -> list[str]:
    """Hold that the asker has one answer, the right one; further copies carry its MessageID and the mark."""
    roots = [etree.fromstring(answer.body) for answer in answers]
    results = {root.findtext("{*}Reply/{*}Result") for root in roots}
    codes = {code.text or "" for root in roots for code in root.iter("{*}code")}
    echoed = {root.findtext("{*}Header/{*}CorrelationID") for root in roots}
    problems = _not_one(answers, "answers")
    if results != {scenario.result}:
        problems.append(f"answered {sorted(map(str, results))}, not {scenario.result}")
    if codes != scenario.codes:
        problems.append(f"answered with codes {sorted(codes)}, not {sorted(scenario.codes)}")
    if echoed != {scenario.echoed}:
        problems.append(f"answered for {sorted(map(str, echoed))}, not {scenario.echoed}")
    return problems


def _wrong_events(seen: list[Arrival], scenario: Scenario) -> list[str]:
    problems = []
    for queue, correlation in scenario.heard.items():
        events = [arrival for arrival in seen if arrival.queue == queue]
        problems += _not_one(events, f"events at {queue}")
        echoed = {etree.fromstring(event.body).findtext("{*}Header/{*}CorrelationID") for event in events}
        if echoed != {correlation}:
            problems.append(f"events at {queue} for {sorted(map(str, echoed))}, not {correlation}")
    return problems


def _not_one(arrivals: list[Arrival], what: str) -> list[str]:
    """Hold that something has arrived, and that all of it is one message with repeats of it, which are marked."""
    ids = {etree.fromstring(arrival.body).findtext("{*}Header/{*}MessageID") for arrival in arrivals}
    unmarked = sum(arrival.headers.get("cim-redelivered") is not True for arrival in arrivals)
    problems = [] if len(ids) == 1 else [f"{len(ids)} different {what}"]
    return [*problems, f"{unmarked} {what} without the mark"] if unmarked > 1 else problems


def _wrong_ends(held: list[Stored], scenario: Scenario) -> list[str]:
    ends = [(one.state, one.final, one.alarm) for one in held]
    return [] if ends == [(scenario.state, True, scenario.alarm)] else [f"conversations in the store: {ends}"]


def _gateway(url: str, folder: Path, scenario: Scenario, **settings: str) -> GatewayProcess:
    routes = folder / "routes"
    routes.mkdir(parents=True)
    for name, text in scenario.routes.items():
        (routes / f"{name.lower()}.toml").write_text(text.replace("{limit}", f"{scenario.limit:g}"))
    return GatewayProcess(url, folder, **settings)


async def _opened(url: str) -> Store:
    while True:
        try:
            async with _opening:
                return await open_store(url)
        except StoreUnavailable:  # the gateway is making it at this moment
            await asyncio.sleep(0.1)


@asynccontextmanager
async def serving(registries: Iterable[Registry], url: str) -> AsyncIterator[None]:
    """Let systems answer, for as long as it lasts."""
    tasks = [asyncio.create_task(registry.serve(url)) for registry in registries]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result


@dataclass(frozen=True, slots=True)
class _Watch:
    """Sees whether a scenario has come to its end; `seen` collects what has arrived."""

    gateway: GatewayProcess
    store: Store
    asker: Partner
    scenario: Scenario
    seen: list[Arrival]

    async def to_the_end(self, problems: list[str]) -> int:
        """Wait until all has ended and nothing is left to do, or the gateway was killed; gives its exit status."""
        try:
            await until(self._done, "all has ended")
        except AssertionError as error:
            problems.append(str(error))
        return await self.gateway.stop()

    async def all_read(self) -> bool:
        """Whether nothing waits for the asker."""
        return all([await self._nothing_in(queue) for queue in ("replies", *self.scenario.heard)])

    async def _done(self) -> bool:
        gone = self.gateway.process is None or self.gateway.process.returncode is not None
        return gone or (self._heard() and await self._settled() and await self._nothing_in(INTAKE))

    async def _settled(self) -> bool:
        async with self.store.look() as reader:
            found = await reader.search(Search())
        return bool(found) and all(one.final for one in found)

    def _heard(self) -> bool:
        self._collect()
        return {"replies", *self.scenario.heard} <= {arrival.queue for arrival in self.seen}

    async def _nothing_in(self, queue: str) -> bool:
        found = await self.asker.depth(queue)
        self._collect()
        return found is None or found[0] == 0

    def _collect(self) -> None:
        self.seen.extend(self.asker.arrivals.get_nowait() for _ in range(self.asker.arrivals.qsize()))
