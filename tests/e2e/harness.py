"""A gateway as a process of its own, and a partner that sees where messages arrive."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.broker.partner import Arrival, Partner
from gateway.broker.session import Access
from tests.e2e.traffic import ROUTES, Sample

PATIENCE = 60.0
SYSTEMS = {"cim.MDM": "MDM", "cim.CIS": "CIS", "cim.OMS": "OMS", "cim.MS": "MS"}


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, patience: float = PATIENCE) -> None:
    """Wait for a condition, asked again and again; fails with what was waited for."""
    try:
        async with asyncio.timeout(patience):
            while True:
                answer = condition()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {patience:g} s: {what}") from None


class GatewayProcess:
    """`cimgate run` with a folder of its own: settings by environment, log as JSON lines."""

    def __init__(self, url: str, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.log_file = folder / "gateway.log"
        self.ready_file = folder / "ready"
        routes = folder / "routes"
        if not routes.exists():
            routes.mkdir(parents=True)
            for name, text in ROUTES.items():
                (routes / name).write_text(text)
        self.environment = {
            **os.environ,
            "CIMGATE_AMQP_URL": url,
            "CIMGATE_ROUTES": str(routes),
            "CIMGATE_READY_FILE": str(self.ready_file),
            "CIMGATE_STORE": store_of(folder),
            "CIMGATE_LOG_FORMAT": "json",
            "CIMGATE_RECONNECT_FIRST": "0.1",
            "CIMGATE_RECONNECT_MOST": "0.5",
            **{f"CIMGATE_{name.upper()}": value for name, value in settings.items()},
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *, wait: bool = True, through: Sequence[str] = ()) -> None:
        """Start it; `through` is a command that becomes `cimgate run` in surroundings of its own."""
        self.ready_file.unlink(missing_ok=True)
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(through or (sys.executable, "-m", "gateway.cli", "run")),
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        if wait:
            await until(self._up, f"the gateway is ready; its log: {self.log()[-2000:]}")

    def _up(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, f"the gateway ended: {self.log()}"
        return self.ready_file.exists()

    async def stop(self) -> int:
        """End it as an operator would; gives the exit status."""
        assert self.process is not None
        self._signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def kill(self) -> None:
        assert self.process is not None
        self._signal(signal.SIGKILL)
        await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process; its own method would take the exit status of one that ends just now away from asyncio."""
        assert self.process is not None
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of this event."""
        return [line for line in self.lines() if line.get("event") == name]

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]


def store_of(folder: Path) -> str:
    """Where a gateway of a test keeps its conversations, unless it asks for another store."""
    return f"sqlite:///{folder / 'conversations.db'}"


@contextlib.asynccontextmanager
async def running(url: str, folder: Path, **settings: str) -> AsyncIterator[GatewayProcess]:
    """A gateway for the length of a test; it must end by itself with status 0 when asked to."""
    gateway = GatewayProcess(url, folder, **settings)
    await gateway.start()
    try:
        yield gateway
        assert await gateway.stop() == 0, gateway.log()[-2000:]
    finally:
        await gateway.kill()


async def send_all(url: str, samples: Iterable[Sample]) -> None:
    async with await Partner.open(Access(url, "sender")) as partner:
        pending: list[Sample] = list(samples)
        for start in range(0, len(pending), 200):
            await asyncio.gather(
                *(partner.send(s.body, s.key, reply_to="replies") for s in pending[start : start + 200])
            )


async def make_queue(url: str, name: str, arguments: dict[str, Any] | None = None) -> None:
    async with await Partner.open(Access(url, "maker")) as partner:
        await partner.make_queue(name, arguments)


async def depth(url: str, queue: str) -> int:
    async with await Partner.open(Access(url, "looker")) as partner:
        found = await partner.depth(queue)
        return -1 if found is None else found[0]


async def take(url: str, queue: str, count: int) -> list[Arrival]:
    """Read a queue until so many have arrived."""
    async with await Partner.open(Access(url, "receiver")) as partner:
        await partner.watch(queue)
        return [await asyncio.wait_for(partner.arrivals.get(), PATIENCE) for _ in range(count)]


async def drain(url: str, queues: Iterable[str]) -> dict[str, list[Arrival]]:
    """Take everything that is in these queues now."""
    wanted = list(queues)
    taken: dict[str, list[Arrival]] = defaultdict(list)
    async with await Partner.open(Access(url, "drain")) as partner:
        for queue in wanted:
            found = await partner.depth(queue)
            if found is None:
                continue
            await partner.watch(queue)
            for _ in range(found[0]):
                arrival = await asyncio.wait_for(partner.arrivals.get(), PATIENCE)
                taken[arrival.queue].append(arrival)
    return taken


def mark_of(body: bytes) -> str:
    """By what a message of the traffic is known, whatever ids it has on this leg of its way."""
    found = re.search(rb"<Comment>(.+?)</Comment>", body)
    return found[1].decode() if found else ""


def _same(body: bytes, sample: Sample) -> bool:
    """Whether a body is that of the sample; a request has other ids and another reply address on its way."""
    if body == sample.body:
        return True
    return b"<RequestMessage" in sample.body and bool(sample.to) and _content(body) == _content(sample.body)


def _content(body: bytes) -> bytes:
    root = etree.fromstring(body, etree.XMLParser(remove_blank_text=True))
    for name in ("ReplyAddress", "MessageID", "CorrelationID"):
        for element in root.findall(f"{{*}}Header/{{*}}{name}"):
            element.getparent().remove(element)  # type: ignore[union-attr]
    return etree.tostring(root, method="c14n")


def account(samples: Iterable[Sample], taken: dict[str, list[Arrival]], *, repeats: bool = False) -> None:
    """Hold what arrived against what should have: each sample in exactly its places, nothing else anywhere.

    With `repeats` a message may arrive more than once, if every further copy carries the mark.
    """
    by_body = {sample.body: sample for sample in samples}
    by_mark = {mark_of(sample.body): sample for sample in by_body.values() if mark_of(sample.body)}
    places: dict[str, list[str]] = defaultdict(list)
    copies: dict[tuple[str, str], int] = defaultdict(int)
    for queue, arrivals in taken.items():
        for arrival in arrivals:
            sample = by_body.get(arrival.body) or by_mark.get(mark_of(arrival.body))
            assert sample is not None, f"invented in {queue}: {arrival.body[:300]!r}"
            assert _same(arrival.body, sample), f"changed on its way to {queue}: {arrival.body!r}"
            place = f"dead {arrival.headers['code']}" if queue == "cim.dead" else SYSTEMS[queue]
            if arrival.headers.get("cim-redelivered") is not True:
                copies[sample.id, place] += 1
            places[sample.id].append(place)
    wrong = []
    for sample in by_body.values():
        expected = {f"dead {sample.dead}"} if sample.dead else set(sample.to)
        seen = places[sample.id]
        if set(seen) != expected or (not repeats and len(seen) != len(expected)):
            wrong.append(f"{sample.name}: expected {sorted(expected)}, saw {sorted(seen)}")
    assert not wrong, "\n".join(wrong)
    unmarked = [key for key, count in copies.items() if count > 1]
    assert not unmarked, f"repeated without the mark: {unmarked[:5]}"
