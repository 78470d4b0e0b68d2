"""Files of events: each a whole line or record, on the disk when the call returns, begun anew by day or size."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.broker import Delivery, _wire
from gateway.message import DEFAULT_LIMITS
from gateway.outages import OutageCodes
from gateway.pipeline.sinks import Sink
from gateway.subscriptions import ToFile
from gateway.traffic import Reader, Record
from tests.e2e.traffic import parts

NOON = int(datetime(2026, 3, 17, 12, tzinfo=UTC).timestamp())
DAY = 86_400


def delivery(*, at: int = NOON, redelivered: bool = False, body: bytes | None = None) -> Delivery:
    properties = _wire.properties(
        message_id="p-1", timestamp=at, content_type="application/xml", message_type="created.EndDeviceEvents",
        app_id="GEN", headers={"cim-message-id": "m-1"},
    )  # fmt: skip
    body = parts("EndDeviceEvents", "created").xml() if body is None else body
    header = b"\x00\x3c\x00\x00" + len(body).to_bytes(8, "big") + properties
    return Delivery(
        1, body, redelivered=redelivered, exchange="cim.events", routing_key="TESTING.EVENTS.EndDeviceEvents.created",
        unbound=False, content_header=header,
    )  # fmt: skip


@pytest.fixture(params=["events.jsonl", "events.cimlog"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def written(path: Path) -> Iterator[tuple[bytes, bool]]:
    """The bodies in a file, and whether each is marked as repeated."""
    if path.suffix == ".cimlog":
        with path.open("rb") as file:
            for record in Reader(file).records():
                yield record.body or b"", record.headers.get("cim-redelivered") is True
    else:
        assert path.read_bytes()[-1:] in (b"", b"\n")
        for line in path.read_text().splitlines():
            document = json.loads(line)
            yield document["body"].encode(), document.get("repeated", False)


def sink(path: Path, *, daily: bool = False, most_bytes: int = 0) -> Sink:
    opened = Sink(ToFile(str(path), daily, most_bytes), "outages", OutageCodes(), DEFAULT_LIMITS)
    opened.open()
    return opened


def test_events_are_there_when_the_call_returns_and_later_ones_follow(path: Path) -> None:
    first, second, third = delivery(), delivery(redelivered=True), delivery()
    one = sink(path)
    one.write([first, second])
    assert list(written(path)) == [(first.body, False), (second.body, True)]
    one.close()
    again = sink(path)
    again.write([third])
    again.close()
    assert [body for body, _ in written(path)] == [first.body, second.body, third.body]


@pytest.mark.parametrize("left", [1, 10, 100])
def test_what_a_crash_left_half_written_is_cut_off(path: Path, left: int) -> None:
    one = sink(path)
    one.write([delivery()])
    whole = path.read_bytes()
    one.write([delivery()])
    one.close()
    path.write_bytes(path.read_bytes()[: len(whole) + left])
    again = sink(path)
    again.write([last := delivery()])
    again.close()
    assert [body for body, _ in written(path)][1:] == [last.body]
    assert path.read_bytes().startswith(whole)


def test_a_new_file_is_begun_every_day_and_the_old_one_has_its_day_in_its_name(path: Path) -> None:
    one = sink(path, daily=True)
    first, second, third = delivery(), delivery(at=NOON + DAY), delivery(at=NOON + 2 * DAY)
    one.write([first])
    one.write([second, third])
    one.close()
    old = sorted(path.parent.glob(f"events.2026*{path.suffix}"))
    assert [file.stem for file in old] == ["events.2026-03-17", "events.2026-03-18"]
    assert [[body for body, _ in written(file)] for file in (*old, path)] == [
        [first.body], [second.body], [third.body],
    ]  # fmt: skip


def test_no_file_but_of_a_single_event_is_larger_than_it_may_be(path: Path) -> None:
    one = sink(path, most_bytes=3_000)
    sent = [delivery() for _ in range(20)]
    one.write(sent[:5])
    one.write(sent[5:])
    one.close()
    numbered = sorted(path.parent.glob(f"events.2026*{path.suffix}"), key=lambda file: (len(file.name), file.name))
    files = [*numbered, path]
    assert len(files) > 2
    assert all(file.stat().st_size <= 3_000 for file in files)
    assert [body for file in files for body, _ in written(file)] == [one.body for one in sent]


def test_a_file_that_was_taken_away_is_begun_anew(path: Path) -> None:
    one = sink(path)
    one.write([first := delivery()])
    path.rename(kept := path.with_name(f"kept{path.suffix}"))
    one.write([second := delivery()])
    one.close()
    assert [body for body, _ in written(kept)] == [first.body]
    assert [body for body, _ in written(path)] == [second.body]


def test_two_never_write_the_same_file(path: Path) -> None:
    one = sink(path)
    with pytest.raises(OSError, match="another process writes"):
        sink(path)
    one.close()
    sink(path).close()


def test_a_disk_that_is_full_leaves_whole_events_and_none_of_those_that_were_refused(path: Path) -> None:
    resource = pytest.importorskip("resource")
    import signal  # noqa: PLC0415

    one = sink(path)
    one.write([first := delivery()])
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            one.write([delivery(body=os.urandom(5_000)), delivery()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [body for body, _ in written(path)] == [first.body]
    one.write([second := delivery()])
    one.close()
    assert [body for body, _ in written(path)] == [first.body, second.body]


def test_an_event_that_is_no_text_of_unicode_loses_nothing(tmp_path: Path) -> None:
    one = sink(tmp_path / "events.jsonl")
    one.write([delivery(body=b"\xff\xfe<")])
    one.close()
    document = json.loads((tmp_path / "events.jsonl").read_text())
    assert (document["verb"], document["noun"], document["body_base64"]) == ("created", "EndDeviceEvents", "//48")


def test_a_record_says_of_an_event_what_the_broker_said(tmp_path: Path) -> None:
    one = sink(tmp_path / "events.cimlog")
    one.write([delivery()])
    one.close()
    with (tmp_path / "events.cimlog").open("rb") as file:
        [record] = Reader(file).records()
    assert isinstance(record, Record)
    assert (record.at, record.system, record.source) == (datetime.fromtimestamp(NOON, UTC), "outages", "GEN")
    assert (record.verb, record.noun, record.message_id) == ("created", "EndDeviceEvents", "m-1")
