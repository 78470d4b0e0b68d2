from collections.abc import Callable

import pytest

from gateway.message import Finding
from gateway.validation import Verdict

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]

_READING_TYPE = '<ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>'
_GOOD = f"<MeterReading>\n<Readings>{_READING_TYPE}</Readings></MeterReading>"
_BAD = "<MeterReading>\n<Readings/></MeterReading>"


@pytest.mark.parametrize("count", [10, 5_000])
def test_a_fault_deep_in_a_document_is_found_at_its_place_whatever_the_size(
    judge: Judge, root: Root, count: int
) -> None:
    payload = root("MeterReadings", _GOOD * count + _BAD + _GOOD)
    [finding] = judge(payload=payload)
    assert finding.text == "Readings lacks ReadingType."
    assert finding.xpath == f"/EventMessage/Payload/MeterReadings/MeterReading[{count + 1}]/Readings"
    assert finding.line == 8 + count + 1


def test_faults_of_every_sort_are_told_alike_in_large_documents(judge: Judge, root: Root) -> None:
    faults = (
        "<MeterReading><isCoincidentTrigger>perhaps</isCoincidentTrigger></MeterReading>"
        "<MeterReading><Meter><Names><nam/></Names></Meter></MeterReading>"
        f'<MeterReading><Readings at="1">{_READING_TYPE}</Readings></MeterReading>'
    )
    small = judge(payload=root("MeterReadings", faults))
    large = judge(payload=root("MeterReadings", faults + _GOOD * 5_000))
    assert [(f.rule, f.text, f.xpath, f.line) for f in small] == [(f.rule, f.text, f.xpath, f.line) for f in large]
    assert len(small) == 3


def test_a_large_good_document_passes(judge: Judge, root: Root) -> None:
    assert judge(payload=root("MeterReadings", _GOOD * 5_000)) == []


@pytest.mark.parametrize("count", [150, 40_000])
def test_at_most_a_hundred_faults_are_told(judge: Judge, root: Root, count: int) -> None:
    findings = judge(payload=root("MeterReadings", _BAD * count))
    assert len(findings) == 100
    assert findings[-1].xpath.endswith("MeterReading[100]/Readings")


def test_a_large_envelope_with_many_faults_is_told_in_part(
    check: Callable[..., Verdict], write: Callable[..., bytes]
) -> None:
    raw = write("RequestMessage", "get", request="<Option><value/></Option>" * 20_000)
    assert len(check(raw).findings) == 100


def test_a_large_payload_does_not_hide_a_fault_of_the_envelope(judge: Judge, root: Root) -> None:
    [finding] = judge(header="<Timestamp>now</Timestamp>", payload=root("MeterReadings", _GOOD * 5_000))
    assert finding.xpath == "/EventMessage/Header/Timestamp"


def test_a_fault_at_the_end_of_more_than_ten_megabytes_is_found(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=root("MeterReadings", _GOOD * 60_000 + "<!-- -->" + "\n" * 7_000_000 + _BAD))
    assert finding.text == "Readings lacks ReadingType."


def test_text_and_elements_where_none_may_be_are_told_of_the_element_around_them_whatever_the_size(
    judge: Judge, root: Root
) -> None:
    faults = (
        "<MeterReading><isCoincidentTrigger>true<a/></isCoincidentTrigger></MeterReading>"
        f"<MeterReading>caf\u00e9<Readings>{_READING_TYPE}</Readings></MeterReading>"
        '<MeterReading><Readings><ReadingType ref="1"><b/></ReadingType></Readings>x</MeterReading>'
    )
    small = judge(payload=root("MeterReadings", faults))
    large = judge(payload=root("MeterReadings", faults + _GOOD * 5_000))
    assert [(f.rule, f.text, f.xpath, f.line) for f in small] == [(f.rule, f.text, f.xpath, f.line) for f in large]
    assert {f.xpath.rpartition("/")[2] for f in small} == {
        "isCoincidentTrigger",
        "MeterReading[2]",
        "ReadingType",
        "MeterReading[3]",
    }


def test_many_faults_of_meaning_are_told_in_part_and_in_bounded_time(judge: Judge, root: Root) -> None:
    reading = "<IntervalReadings><timeStamp>2024-03-01T00:07:00Z</timeStamp></IntervalReadings>"
    kind = '<ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>'
    block = f"<MeterReading><IntervalBlocks>{reading}{kind}</IntervalBlocks></MeterReading>"
    findings = judge(payload=root("MeterReadings", block * 40_000))
    assert [finding.rule for finding in findings] == ["interval-grid"] * 100
    assert "MeterReading[100]" in findings[-1].xpath
