"""Messages a second and CPU a message, end to end, beside a naive aio-pika gateway in the same run.

    python benchmarks/throughput.py [--messages 20000] [--rounds 5] [--write benchmarks/RESULTS.md]

Each round fills the intake queue, starts the gateway as a process of its own, and looks at what arrives in the
receiver's queue between a tenth and nineteen twentieths of all: consume, validate, route, confirmed publish, ack.
Rounds of both kinds alternate, and what is compared are ratios within a round; medians with the spread beside them.
"""

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from gateway.broker.partner import Partner
from gateway.broker.private_node import PrivateNode
from gateway.broker.session import Access, connect
from gateway.broker.topology import apply, topology_of
from gateway.endpoints import AmqpAddress

ROUTES = '[system]\nname = "MDM"\n\n[[route]]\nnoun = "MeterReadings"\nverbs = ["created"]\n'
KEY = "TESTING.EVENTS.MeterReadings.created"
INTAKE, RECEIVER = "cim.in.TESTING", "cim.MDM"
SIZES = {"2 KB": 2_000, "10 KB": 10_000}
KINDS: dict[str, dict[str, str]] = {
    "cimgate": {},
    "journal off": {"CIMGATE_JOURNAL": "off"},
    "journal and cim.out off": {"CIMGATE_JOURNAL": "off", "CIMGATE_PUBLISH_EVENTS": "false"},
    "naive": {},
}
"""Each kind of gateway with its settings, beside the defaults."""
_PATIENCE = 600.0


@dataclass(frozen=True)
class Measured:
    """One round: messages a second, CPU seconds for 1,000 messages, peak memory in MiB."""

    rate: float
    cpu: float
    memory: float


def message(number: int, size: int) -> bytes:
    """Give one created(MeterReadings) of about `size` bytes, each with an id of its own."""
    head = (
        '<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message">\n  <Header>\n    <Verb>created</Verb>\n'
        "    <Noun>MeterReadings</Noun>\n    <Revision>1</Revision>\n    <Context>TESTING</Context>\n"
        "    <Timestamp>2026-03-01T08:00:00Z</Timestamp>\n    <Source>HES</Source>\n"
        f"    <MessageID>m-{number:032d}</MessageID>\n    <CorrelationID>m-{number:032d}</CorrelationID>\n"
        '  </Header>\n  <Payload>\n    <MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#">\n'
        f"      <MeterReading>\n        <Meter>\n          <mRID>METER-{number:08d}</mRID>\n        </Meter>\n"
    )
    tail = "      </MeterReading>\n    </MeterReadings>\n  </Payload>\n</EventMessage>\n"
    readings: list[str] = []
    length = len(head) + len(tail)
    while length < size or not readings:
        hour, quarter = divmod(len(readings), 4)
        readings.append(
            "        <Readings>\n"
            f"          <timeStamp>2026-03-{1 + hour // 24:02d}T{hour % 24:02d}:{quarter * 15:02d}:00Z</timeStamp>\n"
            f"          <value>{len(readings) * 0.25:.3f}</value>\n"
            '          <ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>\n        </Readings>\n'
        )
        length += len(readings[-1])
    return (head + "".join(readings) + tail).encode()


async def fill(url: str, size: int, count: int) -> None:
    """Put `count` messages into the intake queue."""
    async with await Partner.open(Access(url, "bench")) as partner:
        for start in range(0, count, 500):
            numbers = range(start, min(start + 500, count))
            await asyncio.gather(*(partner.send(message(number, size), KEY) for number in numbers))


def start(kind: str, url: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start one gateway."""
    ready = folder / "ready"
    ready.unlink(missing_ok=True)
    if kind == "naive":
        return subprocess.Popen([sys.executable, "-m", "benchmarks.naive", url, str(ready)])
    environment = os.environ | {
        "CIMGATE_AMQP_URL": url,
        "CIMGATE_CONTEXT": "TESTING",
        "CIMGATE_ROUTES": str(folder / "routes"),
        "CIMGATE_READY_FILE": str(ready),
        "CIMGATE_LOG_LEVEL": "warning",
        "CIMGATE_STORE": f"sqlite:///{folder / 'store.db'}",
        **KINDS[kind],
    }
    return subprocess.Popen([sys.executable, "-m", "gateway.cli", "run"], env=environment)


async def arrived(partner: Partner, count: int) -> int:
    """Look at the receiver's queue until `count` messages are in it; gives how many there are."""
    while True:
        depth = (await partner.depth(RECEIVER) or (0, 0))[0]
        if depth >= count:
            return depth
        await asyncio.sleep(0.01)


async def one_round(kind: str, url: str, folder: Path, size: int, count: int) -> Measured:
    """Fill, run, measure, empty."""
    await fill(url, size, count)
    first, last = count // 10, count * 19 // 20
    async with await Partner.open(Access(url, "bench")) as partner:
        gateway = start(kind, url, folder)
        try:
            seen = psutil.Process(gateway.pid)
            marks: list[tuple[int, float, float]] = []
            for mark in (first, last):
                depth = await asyncio.wait_for(arrived(partner, mark), _PATIENCE)
                times = seen.cpu_times()
                marks.append((depth, time.perf_counter(), times.user + times.system))
            memory = seen.memory_info().rss / 2**20
            await arrived(partner, count)
        finally:
            gateway.terminate()
            gateway.wait()
        await partner.purge(RECEIVER)
    for file in folder.glob("store*.db*"):  # noqa: ASYNC240 - between rounds
        file.unlink()
    (done_1, at_1, cpu_1), (done_2, at_2, cpu_2) = marks
    done = done_2 - done_1
    return Measured(done / (at_2 - at_1), (cpu_2 - cpu_1) / done * 1_000, memory)


def spread(values: list[float], digits: int) -> str:
    """Give the median with minimum and maximum."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def report(results: dict[tuple[str, str], list[Measured]], rounds: int, count: int) -> Iterator[str]:
    """Write the page."""
    cpu = platform.processor() or platform.machine()
    yield "# Throughput\n"
    memory = psutil.virtual_memory().total / 2**30
    yield (
        f"Generated by `python benchmarks/throughput.py` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores\n"
        f"({cpu}), {memory:.0f} GiB, Python {platform.python_version()}; RabbitMQ on the same machine, quorum queues.\n"
        f"{rounds} alternating rounds of {count:,} messages; median (least to most). End to end: consume, validate,\n"
        "route, confirmed publish, journal on SQLite (each group flushed to the disk), acknowledge. `cimgate` is as\n"
        "it comes: every event is journaled, and published on cim.out too, where nobody is bound. `naive` is\n"
        "benchmarks/naive.py: aio-pika with a task for each message, publish awaited, prefetch 200.\n"
    )
    yield "| size | gateway | messages/s | CPU seconds per 1,000 | memory MiB |"
    yield "|---|---|---|---|---|"
    for size in SIZES:
        for kind in KINDS:
            rounds_of = results[size, kind]
            yield (
                f"| {size} | {kind} | {spread([r.rate for r in rounds_of], 0)} | "
                f"{spread([r.cpu for r in rounds_of], 3)} | {spread([r.memory for r in rounds_of], 0)} |"
            )
    yield "\n| size | beside | rate of cimgate, to that | CPU of that, to cimgate |"
    yield "|---|---|---|---|"
    for size in SIZES:
        ours = results[size, "cimgate"]
        for kind in list(KINDS)[1:]:
            others = results[size, kind]
            rates = [a.rate / b.rate for a, b in zip(ours, others, strict=True)]
            cpus = [b.cpu / a.cpu for a, b in zip(ours, others, strict=True)]
            yield f"| {size} | {kind} | {spread(rates, 2)} | {spread(cpus, 2)} |"


async def measure(url: str, rounds: int, count: int) -> dict[tuple[str, str], list[Measured]]:
    """Run all rounds."""
    connection = await connect(Access(url, "bench"), "topology")
    await apply(connection, topology_of("TESTING", [("MDM", AmqpAddress("", RECEIVER))]))
    await connection.close()
    results: dict[tuple[str, str], list[Measured]] = {(size, kind): [] for size in SIZES for kind in KINDS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "routes").mkdir()
        (folder / "routes" / "mdm.toml").write_text(ROUTES)
        for number in range(rounds):
            for size, length in SIZES.items():
                # Who goes first alternates, so that a machine that slows down wrongs nobody.
                for kind in KINDS if number % 2 else reversed(KINDS):
                    measured = await one_round(kind, url, folder, length, count)
                    results[size, kind].append(measured)
                    figures = f"{measured.rate:8,.0f}/s {measured.cpu:.3f} CPU s/1,000"
                    print(f"round {number + 1} {size:>5} {kind:<24} {figures}")
    return results


async def main() -> None:
    """Measure and print; write the page where asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    url = os.environ.get("CIMGATE_AMQP_URL")
    if url:
        results = await measure(url, given.rounds, given.messages)
    else:
        with tempfile.TemporaryDirectory() as folder:
            async with PrivateNode(Path(folder) / "rabbitmq") as node:
                results = await measure(node.url, given.rounds, given.messages)
    page = "\n".join(report(results, given.rounds, given.messages)) + "\n"
    print("\n" + page)
    if given.write:
        given.write.write_text(page)


if __name__ == "__main__":
    asyncio.run(main())
