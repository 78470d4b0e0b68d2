import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import Result

from gateway.store.journal import Passage
from gateway.traffic import Direction, Reader, Record, Writer
from tests.cli.passages import OUTAGE, Shelf, conversation, done, outage, refused

Run = Callable[..., Result]


@pytest.fixture
def shelf(cimgate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shelf:
    """A journal that the settings name."""
    assert cimgate is not None  # it clears the settings first
    made = Shelf(f"sqlite:///{tmp_path}/gateway.db")
    monkeypatch.setenv("CIMGATE_STORE", made.url)
    return made


def night() -> list[Passage]:
    now = time.time()
    dead = refused(now - 50, "bad")
    return [
        outage(now - 80, "plain"),
        outage(now - 70, "masked", body=b"<name>***</name>"),
        outage(now - 60, "bare", body=None),
        dead,
        done(now - 40, "retried", dead, note="mended"),
        *conversation(now - 30),
    ]


def records(file: Path) -> list[Record]:
    with file.open("rb") as opened:
        return list(Reader(opened).records())


def listed(result: Result) -> list[str]:
    return [json.loads(line)["message_id"] for line in result.stdout.splitlines()]


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


def test_an_export_holds_each_message_byte_for_byte_and_says_what_may_be_in_it(
    cimgate: Run, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.put(night())
    result = cimgate("journal", "export", "night.cimlog")
    assert result.exit_code == 0
    written = records(tmp_path / "night.cimlog")
    assert [(one.message_id, one.body, one.masked) for one in written[:3]] == [
        ("plain", OUTAGE, False),
        ("masked", b"<name>***</name>", True),
        ("bare", None, False),
    ]
    assert "night.cimlog: 9 records" in said(result)
    assert "6 messages as passed: personal data may be in there" in said(result)
    assert "1 message with masked values (***)" in said(result)
    assert "1 message without the body" in said(result)
    assert "1 act of operators" in said(result)
    assert Path("night.cimlog").stat().st_mode & 0o077 == 0


def test_a_file_that_is_there_is_not_overwritten_unless_that_is_asked_for(
    cimgate: Run, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.put(night())
    (tmp_path / "night.cimlog").write_text("last night")
    refused_ = cimgate("journal", "export", "night.cimlog")
    assert (refused_.exit_code, "--force" in said(refused_)) == (2, True)
    assert (tmp_path / "night.cimlog").read_text() == "last night"
    assert cimgate("journal", "export", "night.cimlog", "--force").exit_code == 0
    assert len(records(tmp_path / "night.cimlog")) == 9


def test_an_export_of_nothing_ends_in_1_and_leaves_no_file(cimgate: Run, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(night())
    assert cimgate("journal", "export", "night.cimlog", "--source", "NOBODY").exit_code == 1
    assert [one.name for one in tmp_path.iterdir() if "night" in one.name] == []


def test_an_export_that_cannot_be_written_says_where(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(night())
    result = cimgate("journal", "export", "no/such/folder/night.cimlog")
    assert (result.exit_code, "no/such/folder/night.cimlog cannot be written" in said(result)) == (2, True)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--outcome", "dead"], ["bad"]),
        (["--id", "c-1-c"], ["c-1-m", "c-1-a"]),
        (["--system", "MDM"], ["plain", "masked", "bare"]),
        (["--since", "35s ago", "--direction", "in"], ["c-1-m", "c-1-r"]),
    ],
)
def test_an_export_is_narrowed_as_the_list_is(
    cimgate: Run, shelf: Shelf, tmp_path: Path, filters: list[str], found: list[str]
) -> None:
    shelf.put(night())
    assert cimgate("journal", "export", "some.cimlog", *filters).exit_code == 0
    assert [one.message_id for one in records(tmp_path / "some.cimlog")] == found


def test_json_lines_and_xml_hold_the_bodies_and_go_to_the_standard_output_too(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(night(), outage(time.time(), "odd", body=b"\xff\x00"))
    lines = [json.loads(line) for line in cimgate("journal", "export", "-", "--format", "json").stdout.splitlines()]
    assert (lines[0]["body"], lines[2]["body"], lines[-1]["body_base64"]) == (OUTAGE.decode(), None, "/wA=")
    assert cimgate("journal", "export", "night.xml").exit_code == 0
    document = etree.parse("night.xml")
    assert [one.get("message_id") for one in document.iterfind("message")][:3] == ["plain", "masked", "bare"]
    assert document.findtext("message/body") == OUTAGE.decode()


def test_what_is_imported_is_all_that_was_exported_marked_and_never_taken_for_own_traffic(
    cimgate: Run, shelf: Shelf
) -> None:
    kept = night()
    shelf.put(kept)
    cimgate("journal", "export", "night.cimlog")
    other = ("--store", "sqlite:///analysis.db")
    result = cimgate("journal", "import", "night.cimlog", *other)
    assert (result.exit_code, "9 imported into sqlite:///analysis.db" in said(result)) == (0, True)
    told = [json.loads(line) for line in cimgate("journal", "list", "--json", *other).stdout.splitlines()]
    own = [json.loads(line) for line in cimgate("journal", "list", "--json").stdout.splitlines()]
    assert [one["imported"] for one in told] == [True] * 9
    changed = ("id", "number", "imported")
    assert [{k: v for k, v in one.items() if k not in changed} for one in told] == [
        {k: v for k, v in one.items() if k not in changed} for one in own
    ]
    assert "imp: imported from a file" in cimgate("journal", "list", *other).stdout
    assert listed(cimgate("journal", "list", "--json", "--outcome", "dead", *other)) == ["bad"]
    assert "retried it: mended" in cimgate("journal", "show", "bad", *other).stdout
    assert "it passed another gateway" in " ".join(cimgate("journal", "show", "bad", *other).stdout.split())
    counted = [json.loads(line) for line in cimgate("journal", "stats", "--json", *other).stdout.splitlines()]
    assert {one["outcome"].partition(":")[0] for one in counted} == {"imported"}


def test_what_was_imported_before_is_not_put_there_again(cimgate: Run, shelf: Shelf) -> None:
    at = time.time() - 5
    shelf.put(night(), [outage(at, "same"), outage(at, "same", id=outage(at, "same").id + 1)])
    cimgate("journal", "export", "night.cimlog")
    other = ("--store", "sqlite:///analysis.db")
    cimgate("journal", "import", "night.cimlog", *other)
    again = cimgate("journal", "import", "night.cimlog", *other)
    assert (again.exit_code, "0 imported" in said(again), "11 were there already" in said(again)) == (0, True, True)
    assert len(listed(cimgate("journal", "list", "--json", *other))) == 11
    cimgate("journal", "export", "second.cimlog", *other)
    twice = cimgate("journal", "import", "second.cimlog", "--store", "sqlite:///third.db")
    assert "11 imported" in said(twice)
    assert len(listed(cimgate("journal", "list", "--json", "--outcome", "dead", "--store", "sqlite:///third.db"))) == 1


def test_an_import_beside_own_traffic_of_the_same_moment_keeps_both(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(night())
    cimgate("journal", "export", "night.cimlog")
    assert cimgate("journal", "import", "night.cimlog").exit_code == 0
    assert len(listed(cimgate("journal", "list", "--json"))) == 18
    assert len(listed(cimgate("journal", "list", "--json", "--imported"))) == 9


def test_a_file_of_others_is_imported_with_what_its_messages_say(cimgate: Run, event: str, tmp_path: Path) -> None:
    with (tmp_path / "partner.cimlog").open("wb") as opened, Writer(opened) as writer:
        at = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
        writer.write(Record(at, Direction.IN, event.encode()))
        writer.write(Record(at, Direction.IN, b"no message", more={"devices": "none"}))
        writer.write(Record(datetime(9999, 1, 1, tzinfo=UTC), Direction.IN, b"late"))
    result = cimgate("journal", "import", "partner.cimlog", "--store", "sqlite:///analysis.db")
    assert result.exit_code == 1
    assert "left out: `devices`" in said(result)
    assert "later than a journal can hold" in said(result)
    [line] = cimgate("journal", "list", "--json", "--store", "sqlite:///analysis.db").stdout.splitlines()
    one = json.loads(line)
    assert (one["source"], one["verb"], one["noun"]) == ("MS", "created", "EndDeviceEvents")
    assert (one["events"], one["devices"]) == (["3.26.0.85"], ["9a5e2f52-6d3a-4a2f-9f39-6a86c3f6f0c1"])


def test_of_a_file_that_is_cut_or_damaged_what_is_whole_is_imported(cimgate: Run, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(night())
    cimgate("journal", "export", "night.cimlog")
    whole = (tmp_path / "night.cimlog").read_bytes()
    (tmp_path / "cut.cimlog").write_bytes(whole + whole[:-5])
    cut = cimgate("journal", "import", "cut.cimlog", "--store", "sqlite:///one.db")
    assert (cut.exit_code, "9 imported" in said(cut), "ends within a frame" in said(cut)) == (1, True, True)
    (tmp_path / "damaged.cimlog").write_bytes(whole + whole[:-5] + b"other")
    damaged = cimgate("journal", "import", "damaged.cimlog", "--store", "sqlite:///two.db")
    assert (damaged.exit_code, "9 imported" in said(damaged), "is damaged" in said(damaged)) == (1, True, True)


@pytest.mark.parametrize(("content", "advice"), [(b"<xml/>", "no .cimlog"), (None, "cannot be read")])
def test_what_is_no_such_file_is_said(cimgate: Run, tmp_path: Path, content: bytes | None, advice: str) -> None:
    if content is not None:
        (tmp_path / "some.cimlog").write_bytes(content)
    result = cimgate("journal", "import", "some.cimlog", "--store", "sqlite:///one.db")
    assert (result.exit_code, advice in said(result)) == (2, True)


async def test_on_postgresql_the_same_is_found_counted_exported_and_imported(
    cimgate: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIMGATE_STORE", postgres_url)
    await Shelf(postgres_url).write(night())

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(cimgate, "journal", *arguments)

    assert listed(await run("list", "--json", "--outcome", "dead")) == ["bad"]
    assert listed(await run("list", "--json", "--system", "MDM")) == ["bare", "masked", "plain"]
    assert "anna retried it: mended" in (await run("show", "bad")).stdout
    assert "dead:invalid" in (await run("stats")).stdout
    assert (await run("export", "night.cimlog")).exit_code == 0
    assert "9 imported" in said(await run("import", "night.cimlog"))
    assert "9 were there already" in said(await run("import", "night.cimlog"))
    assert len(listed(await run("list", "--json", "--imported"))) == 9
