"""What a verdict costs: small messages beside bare lxml, a large one in a stream, and the loading of the schemas.

    python -m benchmarks.validation [--rounds 50] [--megabytes 100] [--write benchmarks/VALIDATION.md]

What is compared runs in the same process, turn by turn, or in fresh processes that alternate; ratios are those within
one round, medians with the spread beside them.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from lxml import etree

from benchmarks.throughput import message, spread
from gateway import resources
from gateway.dialects import Dialects, Interpreter
from gateway.message import EnvelopeVersion
from gateway.pipeline.examination import examine
from gateway.validation import Checker, SchemaSet

_ENVELOPE = EnvelopeVersion.FINAL.namespace
_NOUNS = ("MeterReadings", "EndDeviceEvents")
_A_TURN = 100
_MIB = 2**20

Judge = Callable[[bytes], bool]


def events(number: int, size: int) -> bytes:
    """Give one created(EndDeviceEvents) of about `size` bytes."""
    head = message(number, 0).partition(b"<MeterReadings")[0].replace(b"MeterReadings", b"EndDeviceEvents")
    parts = [head + b'<EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#">\n']
    tail = b"    </EndDeviceEvents>\n  </Payload>\n</EventMessage>\n"
    length = len(parts[0]) + len(tail)
    while length < size:
        event = (
            f"      <EndDeviceEvent>\n        <mRID>EVENT-{number:08d}-{len(parts)}</mRID>\n"
            "        <createdDateTime>2026-03-01T09:59:58Z</createdDateTime>\n"
            f"        <Assets>\n          <mRID>METER-{number:08d}</mRID>\n        </Assets>\n"
            '        <EndDeviceEventType ref="3.26.0.85"/>\n      </EndDeviceEvent>\n'
        )
        parts.append(event.encode())
        length += len(parts[-1])
    return b"".join((*parts, tail))


def joined(noun: str) -> etree._Element:
    """Give one schema that judges the envelope and the payload at once, as somebody with lxml alone would."""
    folder = resources.shipped("schemas")
    envelope = etree.parse(folder / "message-2011.xsd").getroot()
    space = "http://www.w3.org/2001/XMLSchema"
    for wildcard in envelope.iter(f"{{{space}}}any"):
        wildcard.set("processContents", "lax")
    location = (folder / f"{noun}.xsd").as_uri()
    envelope.insert(
        0, etree.Element(f"{{{space}}}import", namespace=f"http://iec.ch/TC57/2011/{noun}#", schemaLocation=location)
    )
    return envelope


def judges(noun: str) -> dict[str, Judge]:
    """Give the ways to judge a message; each says whether it is good."""
    schemas = SchemaSet(resources.schema_sources())
    checker = Checker(schemas)
    interpreter = Interpreter(Dialects(), checker.site)
    folder = resources.shipped("schemas")
    one = etree.XMLSchema(joined(noun))
    envelope, payload = (etree.XMLSchema(file=folder / f"{name}.xsd") for name in ("message-2011", noun))
    path = f".//{{http://iec.ch/TC57/2011/{noun}#}}{noun}"

    def in_two(raw: bytes) -> bool:
        root = etree.fromstring(raw)
        inside = root.find(path)
        return envelope.validate(root) and inside is not None and payload.validate(inside)

    return {
        "cimgate": lambda raw: not examine(raw, interpreter, checker).errors,
        "bare, one schema": lambda raw: one.validate(etree.fromstring(raw)),
        "bare, two schemas": in_two,
    }


@dataclass(frozen=True)
class Small:
    """Microseconds of CPU a message, round by round, for each way to judge it."""

    noun: str
    size: int
    taken: dict[str, list[float]]


def small(noun: str, size: int, rounds: int) -> Small:
    """Judge small messages, in turns; no message comes twice in a turn."""
    write = message if noun == "MeterReadings" else events
    documents = [write(number, size) for number in range(_A_TURN)]
    ways = judges(noun)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-2, rounds):
        # Who goes first alternates; two rounds warm up.
        for name in list(ways) if number % 2 else list(reversed(ways)):
            judge = ways[name]
            start = time.process_time()  # other work on the machine is no part of it
            good = all(map(judge, documents))
            seconds = time.process_time() - start
            if not good:
                raise RuntimeError(f"{name} refuses a good message.")
            if number >= 0:
                taken[name].append(seconds / len(documents) * 1e6)
    print(f"{noun} {size}: " + ", ".join(f"{name} {statistics.median(times):.1f} us" for name, times in taken.items()))
    return Small(noun, statistics.mean(map(len, documents)).__trunc__(), taken)


_PEAK = """
import sys, time
from pathlib import Path
def peak():  # that of getrusage is inherited from whoever started the process
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
path = Path(sys.argv[1])
"""
_CIMGATE = """
from gateway.resources import schema_sources
from gateway.validation import Checker, SchemaSet
from gateway.validation.streaming import stream_check
checker = Checker(SchemaSet(schema_sources()))
def judge(document):
    streamed = stream_check(checker, document)
    assert streamed.verdict.ok and not streamed.verdict.findings and not streamed.as_tree
"""
_LXML = """
from lxml import etree
schema = etree.XMLSchema(file=sys.argv[2])
class File:
    def __init__(self, chunks):
        self.chunks = chunks
    def read(self, _size):
        return next(self.chunks, b"")
def judge(document):
    for _, part in etree.iterparse(File(iter(document())), events=("end",), tag="{*}MeterReading", schema=schema):
        part.clear()
        while part.getprevious() is not None:
            del part.getparent()[0]
"""
_BYTES = """
raw = path.read_bytes()
document = lambda: (raw[start : start + 65536] for start in range(0, len(raw), 65536))
"""
_FILE = """
def document():
    with path.open("rb") as file:
        while chunk := file.read(65536):
            yield chunk
"""
_RUN = """
before = peak()
start = time.process_time()
judge(document)
print(time.process_time() - start, before, peak())
"""


@dataclass(frozen=True)
class Large:
    """One large document judged in a fresh process: CPU seconds, and the peak of memory before and after, in bytes."""

    seconds: float
    before: int
    after: int


def in_a_process(*parts: str, file: Path, schema: Path) -> Large:
    """Run the parts as one program, on a file."""
    program = "\n".join((_PEAK, *parts, _RUN))
    done = subprocess.run(
        [sys.executable, "-c", program, str(file), str(schema)], check=True, capture_output=True, text=True
    )
    seconds, before, after = done.stdout.split()
    return Large(float(seconds), int(before), int(after))


WAYS = {
    ("cimgate", "file"): (_CIMGATE, _FILE),
    ("cimgate", "bytes"): (_CIMGATE, _BYTES),
    ("lxml alone", "file"): (_LXML, _FILE),
    ("lxml alone", "bytes"): (_LXML, _BYTES),
}


def large_file(path: Path, megabytes: int, readings: int) -> int:
    """Write a good MeterReadings of so many millions of bytes, with so many readings a meter; gives its size."""
    one = message(1, 0)
    head, _, rest = one.partition(b"      <MeterReading>\n")
    body, _, tail = rest.partition(b"      </MeterReading>\n")
    start, _, _ = body.partition(b"        <Readings>\n")
    size = 0
    with path.open("wb") as file:
        size += file.write(head)
        number = 0
        while size < megabytes * 1_000_000:
            number += 1
            size += file.write(b"      <MeterReading>\n" + start.replace(b"00000001", b"%08d" % number))
            for count in range(readings):
                minute = b"T%02d:%02d:00Z" % (count // 4 % 24, count % 4 * 15)
                day = b"2026-03-%02d" % (1 + count // 96 % 28)
                size += file.write(body[len(start) :].replace(b"2026-03-01T00:00:00Z", day + minute))
                if size > megabytes * 1_000_000:
                    break
            size += file.write(b"      </MeterReading>\n")
        size += file.write(tail)
    return size


_LOADING = """
import time
from gateway import resources
from gateway.message import EnvelopeVersion
from gateway.validation import SchemaSet
started = time.process_time()
schemas = SchemaSet(resources.schema_sources())
loaded = time.process_time()
schemas.envelope(EnvelopeVersion.FINAL), schemas.of("{http://iec.ch/TC57/2011/MeterReadings#}MeterReadings")
one = time.process_time()
schemas.compile_all()
print(*(1000 * (at - started) for at in (loaded, one, time.process_time())))
"""


def loading(rounds: int) -> list[tuple[float, float, float]]:
    """Load the schemas in fresh processes: CPU milliseconds until they are there, one is compiled, all are."""
    taken = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", _LOADING], check=True, capture_output=True, text=True)
        loaded, one, everything = map(float, done.stdout.split())
        taken.append((loaded, one, everything))
    return taken


def commands(rounds: int, file: Path) -> dict[str, list[float]]:
    """Run whole commands, in turns: CPU milliseconds."""
    cimgate = [sys.executable, "-m", "gateway.cli"]
    programs = {
        "cimgate validate small.xml": [*cimgate, "validate", str(file)],
        "cimgate --version": [*cimgate, "--version"],
        'python -c "import lxml.etree"': [sys.executable, "-c", "import lxml.etree"],
    }
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(-1, rounds):
        for name, program in programs.items():
            start = _children()
            subprocess.run(program, check=True, capture_output=True)
            if number >= 0:
                taken[name].append((_children() - start) * 1000)
    return taken


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def report(
    rounds: int,
    smalls: list[Small],
    larges: dict[str, tuple[int, dict[tuple[str, str], list[Large]]]],
    loads: list[tuple[float, float, float]],
    runs: dict[str, list[float]],
) -> Iterator[str]:
    """Write the page."""
    memory = psutil.virtual_memory().total / 2**30
    yield "# Validation\n"
    yield (
        f"Generated by `python -m benchmarks.validation` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores\n"
        f"({platform.processor() or platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}, lxml "
        f"{etree.__version__}, libxml2 {'.'.join(map(str, etree.LIBXML_VERSION))}.\nMedian (least to most); ratios are "
        "those within one round. All times\nare those of the CPU: other work on the machine is no part of them.\n"
    )
    yield "## Small messages\n"
    yield (
        f"{rounds * 2} rounds of {_A_TURN} different messages each, in turns in one process. `cimgate` is what the "
        "gateway does with\nevery message: parse within limits, read the header, envelope schema, payload schema, "
        "semantic checks, rules. Bare is\n`etree.fromstring` and `XMLSchema.validate`, nothing else: with one schema "
        "that judges envelope and payload at once, or with\nthe two, one after the other.\n"
    )
    yield "| message | way | microseconds of CPU | cimgate to this |"
    yield "|---|---|---|---|"
    for measured in smalls:
        ours = measured.taken["cimgate"]
        for name, times in measured.taken.items():
            ratio = spread([a / b for a, b in zip(ours, times, strict=True)], 2) if name != "cimgate" else ""
            yield f"| {measured.noun}, {measured.size:,} bytes | {name} | {spread(times, 1)} | {ratio} |"
    yield "\n## A large message\n"
    yield (
        "Each line a fresh process, in turns. Growth is the peak of resident memory after judging less that before it; "
        "with bytes, the\ndocument is in memory before. The peak is that of the whole process, Python and all "
        "libraries included. `lxml alone` is\n`iterparse(schema=)` with every MeterReading cleared: no limits, no "
        "rules, no semantic checks.\n"
    )
    yield "| document | way | given as | seconds of CPU | MB/s | growth MiB | peak MiB | peak less document MiB |"
    yield "|---|---|---|---|---|---|---|---|"
    for what, (size, by_way) in larges.items():
        for (name, given), runs_of in by_way.items():
            columns = (
                spread([run.seconds for run in runs_of], 2),
                spread([size / run.seconds / 1e6 for run in runs_of], 1),
                spread([(run.after - run.before) / _MIB for run in runs_of], 1),
                spread([run.after / _MIB for run in runs_of], 0),
                spread([(run.after - size) / _MIB for run in runs_of], 0),
            )
            yield f"| {what}, {size:,} bytes | {name} | {given} | {' | '.join(columns)} |"
    yield "\n## Loading\n"
    yield (
        f"{len(loads)} fresh processes. Schemas are compiled when they are first needed: the first line is what every "
        "command waits for.\n"
    )
    yield "| what | milliseconds of CPU |"
    yield "|---|---|"
    count = len(resources.schema_sources())
    names = (
        f"{count} schemas loaded, none compiled",
        "with the envelope's and that of MeterReadings compiled",
        "with all compiled",
    )
    for number, name in enumerate(names):
        yield f"| {name} | {spread([load[number] for load in loads], 1)} |"
    for name, spent in runs.items():
        yield f"| whole process: `{name}` | {spread(spent, 0)} |"


def main() -> None:
    """Measure and print; write the page where asked to."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=50)
    options.add_argument("--large-rounds", type=int, default=3)
    options.add_argument("--megabytes", type=int, default=100)
    options.add_argument("--write", type=Path)
    given = options.parse_args()
    smalls = [small(noun, size, given.rounds * 2) for noun in _NOUNS for size in (2_000, 10_000)]
    larges: dict[str, tuple[int, dict[tuple[str, str], list[Large]]]] = {}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "message.xml"
        schema = Path(name) / "joined.xsd"
        schema.write_bytes(etree.tostring(joined("MeterReadings")))
        file.write_bytes(message(1, 2_000))
        loads, runs = loading(given.rounds // 2), commands(given.rounds // 2, file)
        for what, readings in (("MeterReadings, 96 readings a meter", 96), ("MeterReadings, one meter", 10**9)):
            size = large_file(file, given.megabytes, readings)
            by_way: dict[tuple[str, str], list[Large]] = {way: [] for way in WAYS}
            for _ in range(given.large_rounds):
                for way, parts in WAYS.items():
                    if way[0] == "cimgate" or readings < 10**9:
                        by_way[way].append(in_a_process(*parts, file=file, schema=schema))
                        print(what, *way, by_way[way][-1])
            larges[what] = size, {way: times for way, times in by_way.items() if times}
    page = "\n".join(report(given.rounds, smalls, larges, loads, runs)) + "\n"
    print("\n" + page)
    if given.write:
        given.write.write_text(page)


if __name__ == "__main__":
    main()
