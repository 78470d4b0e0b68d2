"""A gateway that is killed in the middle of an OperationSet, started anew, and what became of the set then."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from gateway.broker.partner import Arrival, Partner
from gateway.broker.session import Access
from gateway.store import Search, Store, StoreUnavailable
from gateway.store.opening import open_store
from tests.e2e.harness import GatewayProcess, make_queue, until
from tests.e2e.registry import KEY, ROUTES, Registry, execute, operation

SET = tuple(operation(number, "create", mrid) for number, mrid in enumerate("abc", 1))
QUEUES = ("cim.in.TESTING", "cim.MDM", "cim.dead", "replies")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A set of three operations with integrity and sequence; and how it must end, whatever happens to the gateway."""

    name: str
    failures: Mapping[tuple[str, str], str]
    result: str
    meters: frozenset[str]


SCENARIOS = (
    Scenario("all succeed", {}, "OK", frozenset("abc")),
    Scenario("the last fails", {("create", "c"): "2.12"}, "FAILED", frozenset()),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One set with one kill: the point (empty where it was not reached), and what was seen.

    `passed` is how many points a run without a kill has; `repeated` counts requests that the receiver saw again,
    `answers` what the asker read; `problems` says what should not be.
    """

    point: str
    passed: int
    repeated: int
    answers: int
    problems: tuple[str, ...]


async def prepare(url: str, folder: Path) -> None:
    """Declare the topology, as the first start of a gateway does, and the asker's queue."""
    gateway = await _gateway(url, folder)
    await gateway.start()
    await gateway.stop()
    await make_queue(url, "replies")


async def run(url: str, folder: Path, scenario: Scenario, crash: str, store_url: str = "") -> Run:
    """Send the set to a gateway that is to be killed at a point, start it anew when it was, and hold what comes of it.

    `folder` is empty, and so are the queues.
    """
    store_url = store_url or f"sqlite:///{folder / 'conversations.db'}"
    registry = Registry("MDM", scenario.failures)
    gateway = await _gateway(url, folder, store=store_url, resend_after="1", crash=crash)
    async with await Partner.open(Access(url, "CIS")) as asker, _serving(registry, url):
        await asker.watch("replies")
        await asker.send(execute(*SET, sequence=True, integrity=True), KEY)
        await gateway.start(wait=False)
        store = await _opened(store_url)
        try:
            status = await _to_the_end(gateway, store, asker)
            if status == -signal.SIGKILL:
                del gateway.environment["CIMGATE_CRASH"]
                await gateway.start()
                status = await _to_the_end(gateway, store, asker)
        finally:
            await gateway.kill()
            await store.close()
        await until(lambda: _nothing_in(asker, "replies"), "the asker has read everything")
        left = {queue: found[0] for queue in QUEUES if (found := await asker.depth(queue)) and found[0]}
        for queue in left:
            await asker.purge(queue)
    answers = [asker.arrivals.get_nowait() for _ in range(asker.arrivals.qsize())]
    problems = [*_wrong_answers(answers, scenario.result)]
    if registry.meters != scenario.meters:
        problems.append(f"meters {sorted(registry.meters)}, not {sorted(scenario.meters)}")
    if registry.unmarked:
        problems.append(f"{registry.unmarked} requests came again without the mark")
    if left:
        problems.append(f"left in queues: {left}")
    if status != 0:
        problems.append(f"exit status {status}")
    problems += [f"in the log: {event['event']}" for event in gateway.lines() if event.get("level") == "error"]
    point = re.search(r"^crash point \d+ (.+)$", gateway.log(), re.MULTILINE)
    passed = re.search(r"^crash points passed (\d+)$", gateway.log(), re.MULTILINE)
    return Run(
        point[1] if point else "", int(passed[1]) if passed else 0, registry.repeated, len(answers), tuple(problems)
    )


def _wrong_answers(answers: list[Arrival], result: str) -> list[str]:
    """Hold that the asker has one answer; further copies carry its MessageID and the mark."""
    roots = [etree.fromstring(answer.body) for answer in answers]
    results = {root.findtext("{*}Reply/{*}Result") for root in roots}
    ids = {root.findtext("{*}Header/{*}MessageID") for root in roots}
    unmarked = sum(answer.headers.get("cim-redelivered") is not True for answer in answers)
    problems = []
    if results != {result}:
        problems.append(f"answered {sorted(map(str, results))}, not {result}")
    if len(ids) > 1:
        problems.append(f"{len(ids)} different answers")
    if unmarked > 1:
        problems.append(f"{unmarked} answers without the mark")
    return problems


async def _gateway(url: str, folder: Path, **settings: str) -> GatewayProcess:
    routes = folder / "routes"
    routes.mkdir(parents=True, exist_ok=True)
    (routes / "mdm.toml").write_text(ROUTES.format(name="MDM", more=""))
    return GatewayProcess(url, folder, **settings)


async def _opened(url: str) -> Store:
    while True:
        try:
            return await open_store(url)
        except StoreUnavailable:  # the gateway is making it at this moment
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _serving(registry: Registry, url: str) -> AsyncIterator[None]:
    task = asyncio.create_task(registry.serve(url))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _to_the_end(gateway: GatewayProcess, store: Store, asker: Partner) -> int:
    """Wait until the set has ended and nothing is left to do, or the gateway was killed; gives its exit status."""

    async def settled() -> bool:
        async with store.look() as reader:
            return any(one.final for one in await reader.search(Search()))

    async def done() -> bool:
        gone = gateway.process is None or gateway.process.returncode is not None
        return gone or (await settled() and await _nothing_in(asker, "cim.in.TESTING"))

    try:
        await until(done, "the set has ended")
    except AssertionError as error:
        raise AssertionError(f"{error}; the gateway's log: {gateway.log()}") from None
    return await gateway.stop()


async def _nothing_in(partner: Partner, queue: str) -> bool:
    found = await partner.depth(queue)
    return found is None or found[0] == 0
