import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import Result

from gateway.conversations import Mode
from tests.cli.scenes import ACK, MORE, Scene, Stage

Run = Callable[..., Result]


@pytest.fixture
def stage(cimgate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """A store that the settings name."""
    assert cimgate is not None  # it clears the settings first
    made = Stage(tmp_path / "conversations.db")
    monkeypatch.setenv("CIMGATE_STORE", made.url)
    return made


async def answered(scene: Scene) -> None:
    await scene.ask("MDM", "MS")
    await scene.confirm(0.01)
    await scene.reply(1.2, 0)
    await scene.reply(1.6, 0, number=1)
    await scene.reply(2.4, 1, "PARTIAL", MORE, source="HES-NORTH")
    await scene.reply(3.5, 1, "FAILED", "5.7", reason="meter M-17 is silent", source="HES-NORTH")
    await scene.confirm(3.6)
    await scene.reply(9, 1, source="HES-NORTH")


async def expired(scene: Scene) -> None:
    await scene.ask("MDM", limit=30, source="OMS", verb="create", noun="EndDeviceControls")
    await scene.confirm(0.01)
    await scene.time_passes(30.1)
    await scene.confirm(31)


async def waiting(scene: Scene) -> None:
    await scene.ask("MDM", "MS", limit=90_000, asynchronous=True)
    await scene.reply(0.5, 0, "OK", ACK)
    await scene.confirm(0.6)


async def alarmed(scene: Scene) -> None:
    await scene.execute((1, "create", "MeterConfig", "MDM"), (2, "create", "MasterDataLinkageConfig", "MDM"))
    await scene.reply(0.4, 0)
    await scene.reply(0.8, 1, "FAILED", "2.29")
    await scene.reply(1.2, 2, "FAILED", "5.3")
    await scene.confirm(1.3)


async def asked(scene: Scene) -> None:
    await scene.ask("MDM", limit=86_400 * 30)
    await scene.confirm(0.01)


def words(result: Result) -> str:
    return " ".join(result.stdout.split())


def test_a_store_that_is_not_there_is_not_made(cimgate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIMGATE_STORE", f"sqlite:///{tmp_path}/wrong/place.db")
    result = cimgate("conversations", "stuck")
    assert result.exit_code == 2
    assert "wrong/place.db does not exist" in result.stderr
    assert "CIMGATE_STORE" in result.stderr
    assert not (tmp_path / "wrong").exists()


def test_a_store_that_cannot_be_used_ends_in_3(cimgate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database, but a text that is long enough to be taken for its head" * 20)
    monkeypatch.setenv("CIMGATE_STORE", f"sqlite:///{tmp_path}/notes.txt")
    result = cimgate("conversations", "list")
    assert result.exit_code == 3
    assert "file is not a database" in result.stderr


@pytest.mark.parametrize("columns", [80, 100])
def test_the_list_shows_the_latest_first_within_the_screen(
    cimgate: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    now = time.time()
    first = stage.play("first", now - 300, answered)
    second = stage.play("second", now - 200, expired)
    third = stage.play("third", now - 100, waiting)
    lines = cimgate("conversations", "list").output.splitlines()
    assert max(map(len, lines)) <= columns
    ids = [line.split()[1] for line in lines if line[:2].isdigit()]
    assert ids == [third[:8], second[:8], first[:8]]


def test_the_list_tells_how_each_stands(cimgate: Run, stage: Stage) -> None:
    now = time.time()
    stage.play("first", now - 300, answered)
    stage.play("second", now - 200, expired)
    stage.play("third", now - 100, waiting)
    third, second, first = cimgate("conversations", "list").stdout.splitlines()[1:]
    assert "get(MeterReadings) 0/2 MDM MS" in " ".join(third.split())
    assert "acknowledged" in third
    assert second.split()[2:] == ["OMS", "create(EndDeviceControls)", "1/1", "MDM", "timed", "out", "30.1", "s"]
    assert first.split()[2:] == [
        "CIS", "get(MeterReadings)", "2/2", "MDM", "MS,", "3", "parts", "done", "PARTIAL", "3.5", "s",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--source", "OMS"], ["second"]),
        (["--noun", "EndDeviceControls"], ["second"]),
        (["--verb", "get"], ["third", "first"]),
        (["--state", "timed-out"], ["second"]),
        (["--system", "MS"], ["third", "first"]),
        (["--open"], ["third"]),
        (["--since", "250s"], ["third", "second"]),
        (["--since", "250s", "--until", "2m"], ["second"]),
        (["--message-id", "first-c"], ["first"]),
        (["--limit", "1"], ["third"]),
        (["--source", "NOBODY"], []),
    ],
)
def test_the_list_is_narrowed(cimgate: Run, stage: Stage, filters: list[str], found: list[str]) -> None:
    now = time.time()
    stage.play("first", now - 280, answered)
    stage.play("second", now - 200, expired)
    stage.play("third", now - 100, waiting)
    lines = cimgate("conversations", "list", "--json", *filters).stdout.splitlines()
    assert [json.loads(line)["message_id"] for line in lines] == [f"{name}-m" for name in found]


def test_what_is_no_time_or_state_is_refused_with_what_would_be(cimgate: Run, stage: Stage) -> None:
    stage.empty()
    late = cimgate("conversations", "list", "--since", "last week")
    assert (late.exit_code, "2026-03-17T10:30" in late.stderr) == (2, True)
    odd = cimgate("conversations", "list", "--state", "sleeping")
    assert (odd.exit_code, "acknowledged" in odd.stderr) == (2, True)


def test_a_conversation_is_told_with_who_said_what_when(cimgate: Run, stage: Stage) -> None:
    id_ = stage.play("first", time.time() - 60, answered)
    result = cimgate("conversations", "show", id_[:6])
    assert result.exit_code == 0
    told = words(result)
    assert f"get(MeterReadings) asked by CIS {id_}" in told
    assert "state done: answered, but something is missing, after 3.500 s" in told
    assert "MessageID first-m, CorrelationID first-c" in told
    diagram = result.stdout.partition("CIS    cimgate    MDM      MS\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split("\N{BOX DRAWINGS LIGHT VERTICAL}")[-1].strip() for line in diagram[:9]] == [
        "get(MeterReadings)",
        "get(MeterReadings)",
        "get(MeterReadings)",
        "reply(MeterReadings) OK after 1.200 s",
        "reply(MeterReadings) PARTIAL 0.1",
        "reply(MeterReadings) OK after 1.600 s; duplicate: not",
        "handed on",
        "reply(MeterReadings) PARTIAL 0.1 after 2.400 s; its",
        "Source is HES-NORTH",
    ]
    assert "late: not handed on" in told
    assert "5.7 requested data unavailable HES-NORTH: meter M-17 is silent" in told
    assert "Not settled" not in told


@pytest.mark.parametrize("name", ["first-m", "first-c"])
def test_a_conversation_is_found_by_the_ids_that_its_asker_knows(cimgate: Run, stage: Stage, name: str) -> None:
    id_ = stage.play("first", time.time(), answered)
    assert json.loads(cimgate("conversations", "show", name, "--json").stdout)["id"] == id_


def test_what_is_not_there_or_not_unique_is_said(cimgate: Run, stage: Stage) -> None:
    ids = [stage.play(f"scene {number}", time.time(), asked) for number in range(17)]
    first = next(id_ for id_ in ids if sum(other[0] == id_[0] for other in ids) > 1)
    several = cimgate("conversations", "show", first[0])
    assert (several.exit_code, first in several.stderr) == (2, True)
    nothing = cimgate("conversations", "show", "zzz")
    assert (nothing.exit_code, "'zzz'" in nothing.stderr) == (1, True)


def test_an_open_conversation_says_who_has_not_answered_and_how_long_that_may_take(cimgate: Run, stage: Stage) -> None:
    stage.play("third", time.time(), waiting)
    told = words(cimgate("conversations", "show", "third-m"))
    assert "MDM has acknowledged the request, but not answered it; the deadline is in" in told
    assert "MS has not answered; the deadline is in" in told
    assert "reply(MeterReadings) OK 0.3" in told


def test_an_answer_that_the_broker_has_not_confirmed_is_marked(cimgate: Run, stage: Stage) -> None:
    async def unconfirmed(scene: Scene) -> None:
        await scene.ask("MDM")
        await scene.reply(0.5)

    stage.play("first", time.time(), unconfirmed)
    told = words(cimgate("conversations", "show", "first-m"))
    assert "The answer to CIS is not confirmed by the broker; unless that happens it is sent again" in told


def test_a_repeated_request_and_its_answer_are_marked(cimgate: Run, stage: Stage) -> None:
    async def repeated(scene: Scene) -> None:
        await scene.ask("MDM", mode=Mode.AGGREGATE)
        await scene.reply(0.5)
        await scene.confirm(0.6)
        await scene.ask_again(5)

    stage.play("first", time.time() - 10, repeated)
    happenings = json.loads(cimgate("conversations", "show", "first-m", "--json").stdout)["happenings"]
    assert [(one["from"], one["to"], one["notes"]) for one in happenings[-2:]] == [
        ("CIS", "cimgate", ["the request again: not carried out twice"]),
        ("cimgate", "CIS", ["sent again, marked as repeated"]),
    ]


def test_a_fault_message_without_ids_is_put_to_the_system_that_sent_it(cimgate: Run, stage: Stage) -> None:
    async def faulty(scene: Scene) -> None:
        await scene.ask("MDM", "MS")
        await scene.reply(0.5, 1, "FAILED", fault=True)

    stage.play("first", time.time(), faulty)
    happenings = json.loads(cimgate("conversations", "show", "first-m", "--json").stdout)["happenings"]
    fault = next(one for one in happenings if one["what"] == "FaultMessage")
    assert (fault["from"], fault["to"]) == ("MS", "cimgate")
    assert fault["after"] == pytest.approx(0.5)


def test_the_event_that_follows_and_a_consequent_one_are_drawn(cimgate: Run, stage: Stage) -> None:
    async def switched(scene: Scene) -> None:
        await scene.ask("MS", verb="create", noun="EndDeviceControls", publish=True)
        await scene.reply(0.8)
        await scene.event(4.5, "created", "EndDeviceEvents")

    stage.play("first", time.time() - 60, switched)
    happenings = json.loads(cimgate("conversations", "show", "first-m", "--json").stdout)["happenings"]
    told = [(one["from"], one["to"], one["what"]) for one in happenings if one["what"].startswith("created")]
    assert told == [
        ("cimgate", "events", "created(EndDeviceControls)"),
        ("MS", "cimgate", "created(EndDeviceEvents)"),
    ]


def test_the_deadline_is_drawn_where_it_was_reached(cimgate: Run, stage: Stage) -> None:
    stage.play("second", time.time() - 60, expired)
    told = cimgate("conversations", "show", "second-m", "--json").stdout
    happenings = json.loads(told)["happenings"]
    assert [one.get("moment") or one["result"] for one in happenings[-2:]] == ["deadline", "FAILED"]
    assert happenings[-1]["codes"] == ["4.1"]


def test_the_steps_of_a_set_that_is_rolled_back_are_named(cimgate: Run, stage: Stage) -> None:
    stage.play("set", time.time() - 60, alarmed)
    told = words(cimgate("conversations", "show", "set-m"))
    assert "delete(MeterConfig); undoes operation 1" in told
    assert "undoing operation 1, delete(MeterConfig): FAILED" in told
    assert "ALARM: An OperationSet could not be rolled back" in told


def test_the_picture_has_the_words_of_the_diagram_and_nothing_is_printed_of_it(
    cimgate: Run, stage: Stage, tmp_path: Path
) -> None:
    stage.play("first", time.time() - 60, answered)
    result = cimgate("conversations", "show", "first-m", "--svg", tmp_path / "first.svg")
    assert result.stdout.splitlines() == [f"{tmp_path}/first.svg written."]
    texts = [text.text for text in etree.parse(tmp_path / "first.svg").iter("{*}text")]
    assert {"CIS", "cimgate", "MDM", "MS", "reply(MeterReadings) FAILED 5.7", "late: not handed on"} <= set(texts)


def test_a_screen_without_unicode_gets_lines_of_ascii(stage: Stage) -> None:
    stage.play("first", time.time() - 60, answered)
    shown = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "conversations", "show", "first-m"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    ).stdout.decode("ascii")
    assert "|------->|" in shown
    assert "\\u" not in shown


def test_nothing_stuck_ends_in_0(cimgate: Run, stage: Stage) -> None:
    stage.play("first", time.time() - 60, answered)
    stage.play("third", time.time() - 60, waiting)
    result = cimgate("conversations", "stuck")
    assert (result.exit_code, result.stdout) == (0, "Nothing is stuck.\n")


def test_stuck_ones_are_listed_the_gravest_first_and_end_in_1(cimgate: Run, stage: Stage) -> None:
    now = time.time()
    silent = stage.play("silent", now - 3_600, asked)
    overdue = stage.play("overdue", now - 600, _forgotten)
    alarm = stage.play("alarm", now - 60, alarmed)
    stage.play("fine", now - 60, answered)
    result = cimgate("conversations", "stuck")
    assert result.exit_code == 1
    heads = [line.split()[:2] for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert heads == [["ALARM", alarm[:8]], ["OVERDUE", overdue[:8]], ["SILENT", silent[:8]]]
    assert "MDM has not answered; the deadline passed 9 min" in words(result)
    assert "Nothing has happened for 1 h" in words(result)


def test_a_long_job_that_was_acknowledged_may_be_silent(cimgate: Run, stage: Stage) -> None:
    async def long_job(scene: Scene) -> None:
        await scene.ask("MDM", limit=86_400 * 30, asynchronous=True)
        await scene.reply(0.5, 0, "OK", ACK)
        await scene.confirm(0.6)

    stage.play("job", time.time() - 86_400, long_job)
    result = cimgate("conversations", "stuck")
    assert (result.exit_code, result.stdout) == (0, "Nothing is stuck.\n")


def test_a_closed_alarm_is_stuck_no_longer_and_the_note_stays(cimgate: Run, stage: Stage) -> None:
    id_ = stage.play("alarm", time.time() - 60, alarmed)
    closed = cimgate("conversations", "close", id_[:8], "--note", "deleted meter by hand")
    assert (closed.exit_code, closed.stdout) == (0, f"The alarm of {id_} is closed.\n")
    assert cimgate("conversations", "stuck").exit_code == 0
    told = words(cimgate("conversations", "show", id_))
    assert "ALARM" not in told
    assert "deleted meter by hand" in json.dumps(json.loads(cimgate("conversations", "show", id_, "--json").stdout))
    again = cimgate("conversations", "close", id_)
    assert (again.exit_code, "has no alarm" in again.stderr) == (1, True)


async def _forgotten(scene: Scene) -> None:
    await scene.ask("MDM", limit=30)
    await scene.confirm(0.01)
