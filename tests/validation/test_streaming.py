import random
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.message import DEFAULT_LIMITS, EnvelopeVersion, Finding, Limits, Unreadable, read
from gateway.message.places import local_name
from gateway.validation import Checker, SchemaSet
from gateway.validation.instances import instance_of
from gateway.validation.streaming import stream_check
from tests.validation.mutations import AtRandom, Mutator

Write = Callable[..., bytes]
Root = Callable[..., str]
Findings = Callable[..., list[Finding]]

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_SOAP = b"http://www.w3.org/2003/05/soap-envelope"
_TEXTS = ["", " ", "true", "created", "2024-03-01", "2024-03-01T24:00:00", "\u00e9{}'", "x>y"]
_CODE = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
_READING = (
    f'<Readings><timeStamp>2024-03-01T00:00:00Z</timeStamp><value>1</value><ReadingType ref="{_CODE}"/></Readings>'
)
_METER = f"<MeterReading><Meter><mRID>m</mRID></Meter>{_READING}\n{_READING}</MeterReading>\n"
_TYPE = "<ReadingType><mRID>rt</mRID></ReadingType>\n"
_EVENT = (
    "<EndDeviceEvent><mRID>e</mRID><createdDateTime>2024-03-01T00:00:00Z</createdDateTime>"
    '<EndDeviceEventType ref="3.26.0.85"/></EndDeviceEvent>'
)


@pytest.fixture(scope="module")
def checker(schemas: SchemaSet) -> Checker:
    return Checker(schemas, context="TESTING")


@pytest.fixture(scope="module")
def whole(checker: Checker) -> Findings:
    """Judge a document as a tree in memory."""

    def whole(raw: bytes) -> list[Finding]:
        try:
            return [*checker.check(read(raw)).findings]
        except Unreadable as unreadable:
            return [unreadable.finding]

    return whole


@pytest.fixture(scope="module")
def streamed(checker: Checker) -> Findings:
    """Judge a document in a stream."""

    def streamed(raw: bytes, limits: Limits = DEFAULT_LIMITS, chunk: int = 10_000) -> list[Finding]:
        chunks = [raw[start : start + chunk] for start in range(0, len(raw), chunk)]
        try:
            return [*stream_check(checker, lambda: chunks, limits).verdict.findings]
        except Unreadable as unreadable:
            return [unreadable.finding]

    return streamed


def _damage(root: etree._Element, chance: random.Random) -> None:
    """Change a few things anywhere in a message, mostly in what stands around its records."""
    elements = list(root.iter())
    for _ in range(chance.randint(1, 4)):
        element = chance.choice(elements[:14] if chance.random() < 0.3 else elements)
        other, parent = chance.choice(elements), element.getparent()
        match chance.randrange(9):
            case 0 if parent is not None:
                parent.remove(element)
            case 1 if parent is not None:
                parent.insert(chance.randrange(len(parent) + 1), deepcopy(element))
            case 2:
                element.tag = other.tag
            case 3:
                element.text = chance.choice(_TEXTS)
            case 4:
                name = chance.choice(["kind", "ref", "{urn:x}y", _XSI + "type", _XSI + "nil"])
                element.set(name, chance.choice(_TEXTS))
            case 5:
                element.tag = chance.choice(["", "{urn:x}"]) + local_name(element)
            case 6 if parent is not None:
                element.tail = chance.choice(_TEXTS)
            case 7 if parent is not None:
                parent.insert(chance.randrange(len(parent) + 1), element)
            case _:
                element.insert(chance.randrange(len(element) + 1), deepcopy(other))


def _messages(write: Write, root: Root, count: int) -> list[bytes]:
    operation = f"<Operation><operationId>1</operationId><verb>create</verb>{root('MeterReadings')}</Operation>"
    return [
        raw
        for version in EnvelopeVersion
        for raw in (
            write(payload=root("MeterReadings", _METER * count + _TYPE), version=version),
            write(
                "ResponseMessage",
                "reply",
                reply="<Result>OK</Result>",
                payload=root("MeterReadings", _TYPE + _METER * count),
                version=version,
            ),
            write(
                noun="EndDeviceEvents",
                payload=root("EndDeviceEvents", _EVENT * count) + "<Format>XML</Format>",
                version=version,
            ),
            write(
                "RequestMessage",
                "create",
                noun="EndDeviceControls",
                payload=root("EndDeviceControls", "<EndDeviceControl/>" * count),
                version=version,
            ),
            write("RequestMessage", "execute", "OperationSet", payload=f"<OperationSet>{operation}</OperationSet>"),
        )
    ]


@given(chance=st.randoms(use_true_random=False), chunk=st.sampled_from([1, 1000, 1_000_000]))
@settings(max_examples=300, deadline=None)
def test_the_same_is_found_in_a_stream_as_in_a_tree(
    chance: random.Random, chunk: int, write: Write, root: Root, whole: Findings, streamed: Findings
) -> None:
    document = etree.fromstring(chance.choice(_messages(write, root, 3)))
    _damage(document, chance)
    raw = etree.tostring(document)
    assert streamed(raw, chunk=chunk) == whole(raw)


@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_same_is_found_where_the_document_comes_in_many_blocks(
    chance: random.Random, write: Write, root: Root, whole: Findings, streamed: Findings
) -> None:
    document = etree.fromstring(chance.choice(_messages(write, root, 800)))
    _damage(document, chance)
    raw = etree.tostring(document)
    assert streamed(raw) == whole(raw)


def test_the_same_is_found_in_the_payloads_of_all_nouns(
    schemas: SchemaSet, write: Write, whole: Findings, streamed: Findings
) -> None:
    refused = 0
    for noun in sorted(schemas.nouns):
        chance = random.Random(noun)  # noqa: S311 - the same each time
        space = schemas.namespace_of(noun) or ""
        model = schemas.model(space)
        declared = None if model is None else model.element([f"{{{space}}}{noun}"])
        assert declared is not None
        instance = instance_of(declared, AtRandom(chance))
        for mutant in Mutator(declared).mutants(instance, chance):
            etree.indent(mutant.root)
            raw = write(noun=noun, payload=etree.tostring(mutant.root, encoding="unicode"))
            findings = streamed(raw)
            assert findings == whole(raw)
            refused += bool(findings)
    assert refused > len(schemas.nouns)


def test_a_record_of_many_megabytes_is_judged_part_by_part_and_its_faults_are_told_alike(
    write: Write, root: Root, whole: Findings, streamed: Findings
) -> None:
    strangers = "".join(f"<stranger{number % 3}/>" for number in range(40))
    faults = (
        f"{_READING * 9_000}<Readings><timeStamp>now</timeStamp><ReadingType/></Readings>{_READING * 9_000}"
        f"<Meter/>{_READING}{strangers}{_READING * 5_000}<Readings/>text"
    )
    for content in (
        f"<MeterReading><Meter/>{_READING * 20_000}</MeterReading>",
        f"<MeterReading><Meter/>{faults}</MeterReading>",
        f"{_METER}<MeterReading>{faults}</MeterReading>{_METER}{_TYPE}{_METER}",
        f"<stray>{_READING * 20_000}</stray><stray/>{_METER * 3}",
    ):
        raw = write(payload=root("MeterReadings", content))
        assert streamed(raw) == whole(raw)


@pytest.mark.parametrize("count", [10, 1_000])
def test_at_most_a_hundred_faults_are_told_and_the_first_ones(
    count: int, write: Write, root: Root, streamed: Findings, whole: Findings
) -> None:
    bad = "<MeterReading><Readings/><wrong/></MeterReading>\n<MeterReading/>"
    raw = write(payload=root("MeterReadings", bad * 150 + _METER * count))
    findings = streamed(raw)
    assert len(findings) == 100
    assert findings == whole(raw)


def test_lines_beyond_65535_are_right_in_a_stream_and_in_a_tree(
    write: Write, root: Root, streamed: Findings, whole: Findings
) -> None:
    bad = '<MeterReading>\n<Readings>\n\n<timeStamp>now</timeStamp><ReadingType\n ref="1"\n/></Readings>\n<Readings/>'
    raw = write(payload=root("MeterReadings", (_METER + "\n\n") * 30_000 + bad + "</MeterReading>"))
    for findings in (streamed(raw), whole(raw)):
        lines = raw.decode().split("\n")
        shown = [(finding.element, lines[(finding.line or 0) - 1]) for finding in findings]
        assert [element for element, line in shown if f"<{element}" not in line] == []
        assert min(finding.line or 0 for finding in findings) > 65_535
        assert {element for element, _ in shown} == {"timeStamp", "Readings", "ReadingType"}


def test_a_message_in_utf_16_is_judged_alike(write: Write, root: Root, streamed: Findings, whole: Findings) -> None:
    bad = "<MeterReading><Readings><timeStamp>now</timeStamp></Readings>\u0e3e</MeterReading>"  # with the byte of >
    text = write(payload=root("MeterReadings", _METER * 500 + bad + _METER)).decode()
    raw = ('<?xml version="1.0" encoding="UTF-16"?>' + text).encode("utf-16")
    assert len(streamed(raw)) == 3
    assert streamed(raw) == whole(raw)


def _edge_cases(good: bytes) -> dict[str, bytes]:
    crowd = b" ".join(b'a%d="1"' % number for number in range(70))
    return {
        "doctype": b"<!DOCTYPE EventMessage>" + good,
        "entities": b'<!DOCTYPE a [<!ENTITY x "y">]>' + good.replace(b"<value>1", b"<value>&x;"),
        "undeclared entity": good.replace(b"<value>1", b"<value>&x;", 400),
        "undeclared entity late": good[:-300] + good[-300:].replace(b"<value>1", b"<value>&x;"),
        "undeclared prefix": good.replace(b"<value>1</value>", b"<p:value>1</p:value>", 1),
        "deep": good.replace(b"<value>1", b"<value>" + b"<a>" * 300 + b"</a>" * 300 + b"1", 1),
        "crowded": good.replace(b"<value>", b"<value %s>" % crowd, 1),
        "crowded root": good.replace(b"<MeterReadings", b"<MeterReadings %s" % crowd),
        "torn": good[:-200],
        "torn in a tag": good[:-3],
        "invalid and torn": good.replace(b"<value>1</value>", b"<wrong/>", 1)[:-200],
        "hundreds of faults and torn": good.replace(b"<value>1</value>", b"<wrong/>")[:-200],
        "more behind the end": good + b"<more/>",
        "two documents": good + good,
        "empty": b"",
        "blank": b" \n" * 100,
        "no XML": b"MeterReadings",
        "no message": b"<MeterReadings/>",
        "SOAP": b'<E:Envelope xmlns:E="%s"><E:Body>%s</E:Body></E:Envelope>' % (_SOAP, good),
        "header without verb": good.replace(b"<Verb>created</Verb>", b""),
        "header behind": good.replace(b"<Header>", b"<Payload/><Header>"),
        "type of the payload": good.replace(
            b"<Payload>",
            b'<Payload xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            b'xmlns:m="http://iec.ch/TC57/2011/schema/message" xsi:type="m:PayloadType">',
        ).replace(b"<value>1</value>", b"<wrong/>", 1),
        "root of an unknown namespace": good.replace(b"MeterReadings#", b"Others#"),
        "root that no schema declares": good.replace(b"MeterReadings", b"MeterReading2"),
        "noun of an unknown schema": good.replace(b"MeterReadings", b"ReadingOfMeters"),
        "two roots": good.replace(b"</MeterReadings>", b'</MeterReadings><a xmlns="urn:x"/>'),
        "a root behind the format": good.replace(b"</MeterReadings>", b'</MeterReadings><Format/><a xmlns="urn:x"/>'),
        "compressed": good[: good.index(b"<MeterReadings")] + b"<Compressed>!</Compressed></Payload></EventMessage>",
    }  # fmt: skip


@pytest.fixture(scope="module")
def edge_cases(write: Write, root: Root) -> dict[str, bytes]:
    return _edge_cases(write(payload=root("MeterReadings", _METER * 800)))


@pytest.mark.parametrize("case", list(_edge_cases(b"<MeterReadings")))
def test_hostile_and_broken_documents_are_refused_as_in_memory(
    case: str, edge_cases: dict[str, bytes], streamed: Findings, whole: Findings
) -> None:
    raw = edge_cases[case]
    findings = whole(raw)
    assert streamed(raw) == findings
    assert findings


def test_a_document_of_any_size_is_judged_with_the_limit_of_a_message(
    write: Write, root: Root, checker: Checker
) -> None:
    raw = write(payload=root("MeterReadings", _METER * 3_000))
    streamed = stream_check(checker, lambda: (raw,), Limits(message_bytes=100_000))
    assert not streamed.as_tree
    assert streamed.verdict.ok
    assert streamed.message.header.noun == "MeterReadings"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("<MeterReadings xmlns='http://iec.ch/TC57/2011/MeterReadings#'><a>{}</a></MeterReadings>", "in one piece"),
        ("<Compressed>{}</Compressed>", "Only a payload with a single root of a noun"),
        ("<a xmlns='urn:x'/><b xmlns='urn:x'>{}</b>", "Only a payload with a single root of a noun"),
    ],
)
def test_what_can_only_be_judged_as_a_whole_must_keep_to_the_limit(
    payload: str, said: str, write: Write, streamed: Findings
) -> None:
    [finding] = streamed(write(payload=payload.format("x" * 300_000)), Limits(message_bytes=100_000))
    assert finding.rule == "message-too-large"
    assert said in finding.text + finding.advice


_MEMORY = """
import sys
from pathlib import Path
from gateway.resources import schema_sources
from gateway.validation import Checker, SchemaSet
from gateway.validation.streaming import stream_check

head, part, tail = (text.encode() for text in sys.argv[1:4])
def chunks(count):
    yield head
    for _ in range(count):
        yield part * 100
    yield tail

def peak():  # that of getrusage is inherited from whoever started the process
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

checker = Checker(SchemaSet(schema_sources()))
count = 30_000_000 // (len(part) * 100)
stream_check(checker, lambda: chunks(1))  # loads what explains faults, where there are any
before = peak()
streamed = stream_check(checker, lambda: chunks(count))
assert not streamed.as_tree
print(streamed.verdict.ok, peak() - before)
"""


@pytest.mark.parametrize(
    ("head", "part", "tail", "ok"),
    [
        ("", _METER, "", True),
        ("<MeterReading>", _READING, "</MeterReading>", True),
        ("", "<MeterReading><Meter/></MeterReading>", "", True),
        ("<wrong/>", _METER, "<MeterReading><wrong/></MeterReading>", False),
    ],
    ids=["records", "one record", "small records", "faults"],
)
def test_memory_stays_flat(head: str, part: str, tail: str, *, ok: bool, write: Write, root: Root) -> None:
    start, _, end = write(payload=root("MeterReadings", "(here)")).decode().partition("(here)")
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, start + head, part, tail + end],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    verdict, grown = done.stdout.split()
    assert verdict == str(ok)
    assert int(grown) < 40 * 1024 * 1024
