"""`cimgate replay` as a person meets it: what would be sent, what is refused, files, the list."""

import asyncio
import fcntl
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import Result

from gateway.message import read
from gateway.message.instants import instant
from gateway.player.documents import Plan, Progress, plan_to_json, progress_to_json
from gateway.replay import Changes, Selection
from gateway.store.journal import JournalSearch, Passage
from gateway.store.journal.opening import open_journal
from gateway.store.replays import ReplayState, StoredReplay
from gateway.store.replays.opening import open_replays
from gateway.traffic import Direction, Reader, Record, Writer
from tests.e2e.replaying import PERIOD, passage, record
from tests.e2e.traffic import Sample, key_of, parts

Run = Callable[..., Result]
SHORT = ("--from", "2h")


def sample(noun: str, verb: str, context: str = "PRODUCTION") -> Sample:
    made = parts(noun, verb)
    made.context = context
    return Sample(f"{verb}({noun})", made.id, made.xml(), key_of(made).replace("TESTING", context))


OUTAGE, READINGS, GET = (
    sample("EndDeviceEvents", "created"),
    sample("MeterReadings", "created"),
    sample("MeterReadings", "get"),
)
ANSWER = parts("MeterReadings", "reply")
ANSWER.kind, ANSWER.reply = "ResponseMessage", "<Reply><Result>OK</Result></Reply>"


@pytest.fixture
def store(cimgate: Run, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> str:
    """A store whose journal has three messages, a quarter of an hour apart."""
    assert cimgate is not None  # it clears the settings first
    monkeypatch.setenv("CIMGATE_STORE", sqlite_url)
    monkeypatch.setenv("CIMGATE_AMQP_URL", "amqp://nobody@127.0.0.1:1/")
    asyncio.run(record(sqlite_url, [OUTAGE, READINGS, GET], spacing=600))
    return sqlite_url


def add(store: str, *passages: Callable[[int], Passage]) -> None:
    async def write() -> None:
        journal = await open_journal(store)
        at = time.time() - 3_000
        await journal.write([make(journal.new_id(at + number / 10)) for number, make in enumerate(passages)])
        await journal.close()

    asyncio.run(write())


def words(result: Result) -> str:
    return " ".join(result.stdout.split())


@pytest.mark.usefixtures("store")
def test_a_dry_run_shows_what_would_be_sent_and_when(cimgate: Run) -> None:
    result = cimgate("replay", *PERIOD, "--target", "dry-run", "--speed", "10x")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()[:3]] == [
        ["+", "0.000", "s", "TESTING", "created(EndDeviceEvents)", "from", "GEN,", OUTAGE.id],
        ["+", "60.000", "s", "TESTING", "created(MeterReadings)", "from", "GEN,", READINGS.id],
        ["+", "120.000", "s", "TESTING", "get(MeterReadings)", "from", "GEN,", GET.id],
    ]
    assert "Nothing was sent: 3 messages would be sent to the gateway (cim.in) in 2 min." in result.stdout
    assert "3: Context rewritten from PRODUCTION to TESTING" in words(result)
    assert cimgate("replay", "list").stdout == "Nothing was replayed yet.\n"


@pytest.mark.usefixtures("store")
def test_a_dry_run_can_be_read_by_programs(cimgate: Run) -> None:
    result = cimgate("replay", *PERIOD, "--target", "OMS", "--dry-run", "--json")
    *steps, told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [step["to"] for step in steps] == ["queue:cim.OMS"] * 3
    assert (told["state"], told["sent"], told["total"]) == ("dry-run", 3, 3)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--noun", "EndDevice*"), [OUTAGE.id]),
        (("--verb", "get"), [GET.id]),
        (("--source", "nobody"), []),
        (("--where", f"message-id={READINGS.id}"), [READINGS.id]),
        (("--where", "kind=EventMessage", "--where", "context=PROD*"), [OUTAGE.id, READINGS.id]),
        (("--to", "55m"), [OUTAGE.id]),
    ],
)
@pytest.mark.usefixtures("store")
def test_some_of_it_is_replayed(cimgate: Run, options: tuple[str, ...], expected: list[str]) -> None:
    result = cimgate("replay", "--from", "2h", *options, "--target", "dry-run", "--json")
    found = [json.loads(line)["message_id"] for line in result.stdout.splitlines()[:-1]]
    assert found == expected
    assert result.exit_code == (0 if expected else 1)
    assert bool(expected) or "Nothing is found" in result.stderr


def test_what_is_left_out_is_told_with_how_to_send_it(cimgate: Run, store: str) -> None:
    bare, dead = sample("MeterReadings", "changed"), sample("EndDeviceEvents", "changed")
    answer = Sample("answer", ANSWER.id, ANSWER.xml(), "TESTING.REPLY.CIS.x")
    add(
        store,
        lambda id_: _without_body(passage(id_, bare)),
        lambda id_: passage(id_, dead, "dead:invalid"),
        lambda id_: _as_answer(passage(id_, answer)),
        lambda id_: Passage(id_, "in", source="op", kind="operator", outcome="discarded"),
    )
    result = cimgate("replay", *PERIOD, "--target", "dry-run")
    for told in (
        "1: without a body",
        "1: went to the dead letters (--dead sends them too)",
        "1: answers, which systems give by themselves (--replies sends them too)",
    ):
        assert told in words(result), told
    assert "operators" not in words(result)
    more = cimgate("replay", *PERIOD, "--target", "dry-run", "--dead", "--replies", "--json")
    assert json.loads(more.stdout.splitlines()[-1])["sent"] == 5


def _without_body(one: Passage) -> Passage:
    return Passage(one.id, one.direction, one.source, kind=one.kind, verb=one.verb, noun=one.noun, size=one.size)


def _as_answer(one: Passage) -> Passage:
    return Passage(one.id, "in", "MDM", kind="ResponseMessage", verb="reply", noun=one.noun, body=one.body)


@pytest.mark.usefixtures("store")
def test_nothing_goes_into_production_without_a_word_for_it(cimgate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for written in ("PRODUCTION", "production"):
        result = cimgate("replay", *PERIOD, "--target", "in", "--context", written)
        assert result.exit_code == 2
        assert "This would replay into PRODUCTION." in result.stderr
        assert "--yes-production" in result.stderr
    monkeypatch.setenv("CIMGATE_CONTEXT", "PRODUCTION")
    for target in ("in", "OMS", "queue:cim.MDM"):
        refused = cimgate("replay", *PERIOD, "--target", target, "--context", "PRODUCTION")
        assert refused.exit_code == 2, target
    by_another_name = cimgate("replay", *PERIOD, "--target", "queue:cim.MDM", "--context", "TESTING")
    assert "a gateway that serves PRODUCTION" in by_another_name.stderr
    allowed = cimgate("replay", *PERIOD, "--target", "in", "--yes-production")
    assert allowed.exit_code == 3  # nobody answers at the broker of these settings


def test_what_was_begun_elsewhere_does_not_go_on_into_production(
    cimgate: Run, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    plan = Plan(target="queue:other", changes=Changes("20260317-1", context="TESTING"), selection=Selection())
    asyncio.run(_begun(store, plan))
    monkeypatch.setenv("CIMGATE_CONTEXT", "PRODUCTION")
    result = cimgate("replay", "--resume", "20260317-1")
    assert result.exit_code == 2
    assert "queue:other is a place of a gateway that serves PRODUCTION." in result.stderr
    assert "begun without --yes-production" in result.stderr


async def _begun(store: str, plan: Plan) -> None:
    replays = await open_replays(store)
    progress = progress_to_json(Progress())
    id_, now = plan.changes.replay, time.time()
    await replays.add(StoredReplay(id_, "me", ReplayState.STOPPED, now, now, plan_to_json(plan), progress))
    await replays.close()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("amqp://other/in", "no place on the broker of the settings"),
        ("https://partner.example/in", "no place on the broker of the settings"),
        ("queue:", "no address"),
        ("queue:cim.dead", "a queue of the gateway's own"),
        ("queue:cim.in.TESTING", "a queue of the gateway's own"),
        ("queue:cim.in.PRODUCTION", "a place of PRODUCTION by its name"),
        ("topic:production.EVENTS.x.y", "a place of PRODUCTION by its name"),
        ("SCADA", "No system and no route is named 'SCADA'"),
        ("route:MDM", "No system and no route is named 'MDM'"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_target_that_is_none_is_refused_with_those_that_are(cimgate: Run, target: str, told: str) -> None:
    result = cimgate("replay", *PERIOD, "--target", target)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((*SHORT,), "Whereto is to be replayed?"),
        (("--target", "in"), "From when on"),
        ((*SHORT, "--target", "in", "--speed", "fast"), "'fast' is no speed"),
        ((*SHORT, "--target", "in", "--rate", "0"), "'0' is no rate"),
        ((*SHORT, "--target", "in", "--where", "colour=red"), "names no field with a value"),
        ((*SHORT, "--target", "in", "--where", "code=1.1", "--where", "code=1.2"), "names code twice"),
        ((*SHORT, "--target", "in", "--direction", "up"), "It is in, out or both."),
        ((*SHORT, "--target", "in", "--ids", "none"), "It is original or new."),
        ((*SHORT, "--target", "in", "--reply-to", "me"), "--reply-to 'me' is no address"),
        ((*SHORT, "--to", "3h", "--target", "in"), "--from is not before --to"),
        ((*SHORT, "--target", "x.cimlog", "--speed", "2x"), "A file is written at once"),
        (("--resume", "x", "--target", "in", "--to", "1h"), "with what was begun: --target, --to cannot"),
        (("--resume", "2026"), "No replay has the id '2026'"),
        (("--file", "missing.cimlog", "--target", "dry-run"), "missing.cimlog cannot be read"),
        (("--file", "missing.cimlog", "--target", "in", "--where", "device=M-1"), "does not tell device"),
    ],
)
@pytest.mark.usefixtures("store")
def test_what_cannot_be_asked_is_refused_with_what_to_write(cimgate: Run, options: tuple[str, ...], told: str) -> None:
    result = cimgate("replay", *options)
    assert result.exit_code in (1, 2)
    assert told in " ".join(result.stderr.split())


def test_a_thousand_and_more_want_a_yes(cimgate: Run, store: str) -> None:
    add(store, *[lambda id_: passage(id_, OUTAGE)] * 1_000)
    result = cimgate("replay", *PERIOD, "--target", "in")
    assert result.exit_code == 2
    assert "1,003 messages would be sent to the gateway (cim.in)." in result.stderr
    assert "--yes" in result.stderr
    assert cimgate("replay", "list").stdout == "Nothing was replayed yet.\n"


def records(file: Path) -> list[Record]:
    with file.open("rb") as opened:
        return list(Reader(opened).records())


def test_a_replay_into_a_file_is_traffic_that_can_be_replayed(cimgate: Run, store: str, tmp_path: Path) -> None:
    file = tmp_path / "hour.cimlog"
    result = cimgate("replay", *PERIOD, "--target", file, "--context", "TESTING", "--ids", "new", "--note", "for Ann")
    assert result.exit_code == 0, result.stderr
    assert "3 messages written to" in words(result)
    written = records(file)
    assert [one.routing_key for one in written] == [
        "TESTING.EVENTS.EndDeviceEvents.created",
        "TESTING.EVENTS.MeterReadings.created",
        "TESTING.REQUESTS.MeterReadings.get",
    ]
    assert [read(one.body or b"").header.context for one in written] == ["TESTING"] * 3
    assert all(one.message_id not in (OUTAGE.id, READINGS.id, GET.id) for one in written)
    assert [round((one.at - written[0].at).total_seconds()) for one in written] == [0, 600, 1200]
    again = cimgate("replay", "--file", file, "--target", "dry-run", "--noun", "MeterReadings", "--json")
    assert [json.loads(line)["message_id"] for line in again.stdout.splitlines()[:-1]] == [
        one.message_id for one in written[1:]
    ]
    [told] = [one for one in everything(store) if one.kind == "operator"]
    assert told.outcome == "replayed"
    assert "for Ann" in told.reason


def everything(store: str) -> list[Passage]:
    async def found() -> list[Passage]:
        journal = await open_journal(store)
        try:
            return await journal.find(JournalSearch())
        finally:
            await journal.close()

    return asyncio.run(found())


def test_timestamps_move_by_what_lies_between_then_and_now(cimgate: Run, store: str, tmp_path: Path) -> None:
    file = tmp_path / "hour.cimlog"
    assert cimgate("replay", *PERIOD, "--target", file, "--timestamps", "shifted").exit_code == 0
    before = {one.message_id: one for one in everything(store) if one.message_id}
    moved = {round(_seconds(one.body) - _seconds(OUTAGE.body)) for one in records(file) if before[one.message_id].id}
    [by] = moved
    assert round(records(file)[0].at.timestamp() - before[OUTAGE.id].at) == by > 3_000


def _seconds(body: bytes | None) -> float:
    at = instant(read(body or b"").header.timestamp or "")
    assert at is not None
    return at.timestamp()


@pytest.mark.usefixtures("store")
def test_a_file_that_is_there_is_not_written_over(cimgate: Run, tmp_path: Path) -> None:
    file = tmp_path / "hour.cimlog"
    file.write_text("notes")
    result = cimgate("replay", *PERIOD, "--target", file)
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert file.read_text() == "notes"


def test_a_file_that_another_run_writes_is_left_alone(cimgate: Run, store: str, tmp_path: Path) -> None:
    file = tmp_path / "day.cimlog"
    asyncio.run(_begun(store, Plan(target=str(file), changes=Changes("20260317-1"), selection=Selection())))
    with file.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = cimgate("replay", "--resume", "20260317-1")
    assert result.exit_code == 1
    assert f"Another run writes {file}" in result.stderr
    assert not file.read_bytes()


@pytest.mark.usefixtures("store")
def test_a_file_that_is_no_traffic_is_refused(cimgate: Run, tmp_path: Path) -> None:
    file = tmp_path / "notes.cimlog"
    file.write_text("notes")
    result = cimgate("replay", "--file", file, "--target", "dry-run")
    assert result.exit_code == 1
    assert "This is no .cimlog file" in result.stderr


@pytest.mark.usefixtures("store")
def test_personal_data_that_was_masked_is_told_of(cimgate: Run, tmp_path: Path) -> None:
    file = tmp_path / "masked.cimlog"
    with file.open("wb") as opened, Writer(opened) as writer:
        at = datetime(2026, 3, 17, 12, tzinfo=UTC)
        writer.write(Record(at, Direction.IN, OUTAGE.body, routing_key=OUTAGE.key, masked=True))
    result = cimgate("replay", "--file", file, "--target", "dry-run")
    assert "1: recorded with personal data masked (***), and sent like that" in words(result)


@pytest.mark.usefixtures("store")
def test_the_list_shows_how_far_each_has_come(cimgate: Run, tmp_path: Path) -> None:
    cimgate("replay", *PERIOD, "--target", tmp_path / "one.cimlog", "--noun", "MeterReadings")
    assert (tmp_path / "one.cimlog").stat().st_mode & 0o077 == 0, "personal data may be in it"
    result = cimgate("replay", "list")
    head, line = result.stdout.splitlines()
    assert head.split() == ["begun", "id", "state", "sent", "from", "to"]
    assert line.split()[2:6] == ["done", "2", "of", "2"]
    [told] = [json.loads(one) for one in cimgate("replay", "list", "--json").stdout.splitlines()]
    assert (told["state"], told["sent"], told["id"]) == ("done", 2, line.split()[1])
    refused = cimgate("replay", "--resume", told["id"][:6])
    assert refused.exit_code == 1
    assert "is done" in refused.stderr


@pytest.mark.usefixtures("store")
def test_a_broker_that_is_not_there_ends_in_3_and_nothing_is_begun(cimgate: Run) -> None:
    result = cimgate("replay", *PERIOD, "--target", "in")
    assert result.exit_code == 3
    assert "No broker answers" in result.stderr
    assert cimgate("replay", "list").stdout == "Nothing was replayed yet.\n"


def test_a_store_that_is_not_there_is_not_made(cimgate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIMGATE_STORE", f"sqlite:///{tmp_path}/wrong/place.db")
    for arguments in ((*SHORT, "--target", "in"), ("list",), ("--resume", "x")):
        result = cimgate("replay", *arguments)
        assert result.exit_code == 2
        assert "wrong/place.db does not exist" in result.stderr
    assert not (tmp_path / "wrong").exists()
