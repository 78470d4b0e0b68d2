"""A file of recorded traffic gives back what was written, as far as it is whole, and never anything else."""

import io
import json
import re
import struct
import tracemalloc
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic import (
    BadRecord,
    Damaged,
    Direction,
    NotTraffic,
    OverLimits,
    Reader,
    Record,
    TrafficLimits,
    Writer,
    append,
    survey,
)
from gateway.traffic.layout import FRAME_HEADER, FrameHeader

NOON = datetime(2026, 3, 17, 12, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.builds(
    Record,
    at=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    direction=st.sampled_from(Direction),
    body=st.none() | st.binary(max_size=300),
    routing_key=TEXT,
    reply_to=TEXT,
    correlation_id=TEXT,
    headers=st.dictionaries(TEXT, JSON, max_size=3),
    source=TEXT,
    system=TEXT,
    verdict=TEXT,
    message_id=TEXT,
    masked=st.booleans(),
    more=st.dictionaries(TEXT.map(lambda text: f"x-{text}"), JSON, max_size=2),
)
GROUPS = st.lists(st.lists(RECORDS, max_size=4), max_size=4)


def one(number: int = 0, **more: object) -> Record:
    body = f"<EventMessage>{number}</EventMessage>".encode()
    return replace(Record(NOON + timedelta(seconds=number), Direction.IN, body), **more)  # type: ignore[arg-type]


def written(groups: list[list[Record]], about: dict[str, str] | None = None) -> bytes:
    """Write each group as a frame of its own."""
    file = io.BytesIO()
    with Writer(file, about) as writer:
        for group in groups:
            for record in group:
                writer.write(record)
            writer.flush()
    return file.getvalue()


def flat(groups: list[list[Record]]) -> list[Record]:
    return [record for group in groups for record in group]


def all_of(raw: bytes) -> list[Record]:
    return list(Reader(io.BytesIO(raw)).records())


@given(GROUPS)
def test_what_was_written_is_read_again(groups: list[list[Record]]) -> None:
    reader = Reader(io.BytesIO(written(groups, {"by": "a test"})))
    assert list(reader.records()) == [record for group in groups for record in group]
    assert reader.about == {"by": "a test"}
    assert not reader.cut


@given(GROUPS, GROUPS)
def test_a_file_can_be_appended_to(before: list[list[Record]], after: list[list[Record]]) -> None:
    file = io.BytesIO(written(before))
    with append(file) as writer:
        for record in flat(after):
            writer.write(record)
    assert all_of(file.getvalue()) == flat(before + after)


@given(GROUPS, st.data())
def test_a_file_cut_at_any_byte_gives_its_whole_frames_and_can_be_gone_on_with(
    groups: list[list[Record]], data: st.DataObject
) -> None:
    whole = [group for group in groups if group]
    ends = [len(written(whole[:count])) for count in range(len(whole) + 1)]
    raw = written(whole)
    place = data.draw(st.integers(0, len(raw)))
    if place < ends[0]:
        with pytest.raises(NotTraffic):
            Reader(io.BytesIO(raw[:place]))
        return
    count = max(number for number, end in enumerate(ends) if end <= place)
    reader = Reader(io.BytesIO(raw[:place]))
    assert list(reader.records()) == flat(whole[:count])
    assert (reader.end, reader.cut) == (ends[count], place != ends[count])
    file = io.BytesIO(raw[:place])
    with append(file) as writer:
        writer.write(one())
    assert all_of(file.getvalue()) == [*flat(whole[:count]), one()]


@given(GROUPS, st.data())
def test_a_byte_that_changed_is_noticed_and_what_stands_before_it_is_read(
    groups: list[list[Record]], data: st.DataObject
) -> None:
    raw = bytearray(written(groups))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    good: list[Record] = []
    try:
        reader = Reader(io.BytesIO(bytes(raw)))
        good.extend(reader.records())
        noticed = reader.cut
    except (NotTraffic, Damaged, OverLimits):
        noticed = True
    assert noticed
    wanted = flat(groups)
    assert good == wanted[: len(good)]


def test_the_file_is_a_zstd_stream_that_shows_the_messages_as_text() -> None:
    raw = written([[one(1)], [one(2)]])
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw), read_across_frames=True) as stream:
        text = stream.read().decode()
    assert text == (
        '{"at":"2026-03-17T12:00:01.000000Z","direction":"in","size":30}\n<EventMessage>1</EventMessage>\n'
        '{"at":"2026-03-17T12:00:02.000000Z","direction":"in","size":30}\n<EventMessage>2</EventMessage>\n'
    )


def test_files_that_were_put_together_are_read_as_one() -> None:
    assert all_of(written([[one(1)]]) + written([[one(2)], [one(3)]])) == [one(1), one(2), one(3)]


def test_a_period_is_read_without_unpacking_what_lies_outside() -> None:
    raw = bytearray(written([[one(0), one(9)], [one(10), one(11)], [one(20)]]))
    since, until = NOON + timedelta(seconds=9), NOON + timedelta(seconds=11)
    reader = Reader(io.BytesIO(bytes(raw)))
    assert list(reader.records(since, until)) == [one(9), one(10)]


def test_a_survey_tells_what_is_there() -> None:
    found = survey(io.BytesIO(written([[one(5), one(3)], [one(4)]], {"by": "cimgate"})))
    assert (found.records, found.cut, found.about) == (3, False, {"by": "cimgate"})
    assert found.earliest == (NOON + timedelta(seconds=3)).timestamp() * 1_000_000
    assert found.latest == (NOON + timedelta(seconds=5)).timestamp() * 1_000_000


def test_times_are_written_in_utc() -> None:
    local = one(at=datetime(2026, 3, 17, 13, 0, 0, 7, tzinfo=timezone(timedelta(hours=1))))
    assert all_of(written([[local]]))[0].at.isoformat() == "2026-03-17T12:00:00.000007+00:00"


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (one(at=datetime(2026, 3, 17)), "no offset"),  # noqa: DTZ001 - that is the point
        (one(more={"size": 3}), "'size' is a field of its own"),
        (one(more={"source": "x"}), "'source' is a field of its own"),
        (one(headers={"x": float("nan")}), "JSON cannot carry"),
        (one(source="\ud800"), "JSON cannot carry"),
    ],
)
def test_a_record_that_cannot_be_written_is_refused_and_harms_no_other(record: Record, says: str) -> None:
    file = io.BytesIO()
    with Writer(file) as writer:
        writer.write(one(1))
        with pytest.raises(BadRecord, match=re.escape(says)):
            writer.write(record)
        writer.write(one(2))
    assert all_of(file.getvalue()) == [one(1), one(2)]


def test_a_record_over_the_limit_is_refused_when_it_is_written() -> None:
    writer = Writer(io.BytesIO(), limits=TrafficLimits(record_bytes=1_000, line_bytes=200))
    with pytest.raises(OverLimits, match="at most 1,000 and 200"):
        writer.write(one(body=b"x" * 1_000))
    with pytest.raises(OverLimits):
        writer.write(one(source="x" * 200))


def test_a_large_message_that_packs_extremely_well_is_read_again() -> None:
    large = one(body=b" " * 20_000_000)
    assert all_of(written([[one(1), large, one(2)]])) == [one(1), large, one(2)]


def frame(packed: bytes, unpacked: int, records: int = 1) -> bytes:
    return written([]) + FrameHeader(len(packed), unpacked, records, 0, 0, zlib.crc32(packed)).encode() + packed


LINE = b'{"at":"2026-03-17T12:00:00.000000Z","direction":"in"}\n\n'


def pack(block: bytes) -> bytes:
    return zstandard.compress(block)


@pytest.mark.parametrize(
    ("raw", "error", "says"),
    [
        (frame(pack(b" " * 60_000_000), 60_000_000), OverLimits, "1,000 times its size"),
        (frame(b"x", 2**32 - 1), OverLimits, "at most 67,108,864 are read"),
        (frame(pack(b" " * 60_000_000), 1_000), Damaged, "two sizes do not agree"),
        (frame(pack(LINE), len(LINE), records=2), Damaged, "holds 1 records, not 2"),
        (frame(pack(LINE) + pack(LINE), len(LINE)), Damaged, "cannot be unpacked"),
        (frame(b"no zstd", 7), Damaged, "cannot be unpacked"),
        (frame(pack(b"no line"), 7), Damaged, "does not end within"),
        (frame(pack(b"[" * 99_999 + b"\n"), 100_000), Damaged, "is no JSON"),
        (frame(pack(b"7\n\n"), 3), Damaged, "no JSON object"),
        (frame(pack(b"{}\n\n"), 4), Damaged, "`at` is no time"),
        (frame(pack(LINE.replace(b"03-17", b"02-30")), len(LINE)), Damaged, "`at` is no time"),
        (frame(pack(LINE.replace(b'"in"', b'"up"')), len(LINE)), Damaged, "neither 'in' nor 'out'"),
        (frame(pack(LINE.replace(b'"in"', b'"in","size":1e3')), len(LINE) + 11), Damaged, "not a number of bytes"),
        (frame(pack(LINE.replace(b'"in"', b'"in","size":-1')), len(LINE) + 10), Damaged, "not a number of bytes"),
        (frame(pack(LINE.replace(b'"in"', b'"in","size":9')), len(LINE) + 9), Damaged, "no line feed follows"),
        (written([]) + b"something else", Damaged, "does not begin as one"),
        (b"PK\x03\x04 not ours", NotTraffic, "no .cimlog file"),
        (b"", NotTraffic, "no .cimlog file"),
    ],
)
def test_a_hostile_file_is_refused_with_the_reason_in_little_memory(
    raw: bytes, error: type[Exception], says: str
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(error, match=re.escape(says)):
            all_of(raw)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_file_of_another_version_says_so() -> None:
    head = bytearray(written([]))
    head[14] = 2
    head[-4:] = struct.pack("<I", zlib.crc32(bytes(head[:-4])))
    with pytest.raises(NotTraffic, match=r"of version 2\.0; version 1 is read here"):
        Reader(io.BytesIO(bytes(head)))


def test_what_a_later_version_adds_is_passed_over() -> None:
    head, whole = written([]), written([[one(1)]])
    start = bytearray(whole[len(head) : len(head) + FRAME_HEADER - 4])
    start[4:8] = struct.pack("<I", FRAME_HEADER - 8 + 3)
    start += b"new"
    longer = bytes(start) + struct.pack("<I", zlib.crc32(bytes(start))) + whole[len(head) + FRAME_HEADER :]
    unknown = struct.pack("<4sI", b"\x5a\x2a\x4d\x18", 5) + b"index"
    assert all_of(head + unknown + longer + unknown) == [one(1)]


def test_a_long_file_is_written_and_read_in_the_memory_of_a_frame(tmp_path: Path) -> None:
    body = bytes(range(256)) * 8
    path = tmp_path / "long.cimlog"
    tracemalloc.start()
    try:
        with path.open("wb") as file, Writer(file) as writer:
            for number in range(10_000):  # 20 MB
                writer.write(one(number, body=b"%d" % number + body))
        with path.open("rb") as source:
            assert sum(1 for _ in Reader(source).records()) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


class FullDisk(io.BytesIO):
    room = 10_000

    def write(self, given: object, /) -> int:
        data = bytes(given)  # type: ignore[call-overload]  # what BytesIO takes
        if self.tell() + len(data) > self.room:
            super().write(data[: self.room - self.tell()])
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_after_a_full_disk_the_records_that_are_not_written_are_known_and_can_be_appended() -> None:
    file = FullDisk()
    noise = [one(number, body=zlib.compress(str(number).encode()) * 30) for number in range(900)]
    taken = 0
    writer = Writer(file)
    with pytest.raises(OSError, match="No space"):  # noqa: PT012 - which write it is, is not known
        for record in noise:
            writer.write(record)
            taken += 1
            if taken % 50 == 0:
                writer.flush()
    left = writer.unwritten
    with pytest.raises(ValueError, match="open it anew"):
        writer.flush()
    file.room = 10_000_000
    with append(file) as again:
        for record in left:
            again.write(record)
    assert all_of(file.getvalue()) == noise[:taken]


def test_the_reader_that_the_page_shows_reads_what_is_written() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cimlog.md").read_text("utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    found = list(names["records"](io.BytesIO(written([[one(1), one(2, body=None)], [one(3, body=b"")]]))))
    assert [body for _, body in found] == [one(1).body, None, b""]
    assert json.dumps(found[1][0]) == '{"at": "2026-03-17T12:00:02.000000Z", "direction": "in"}'
