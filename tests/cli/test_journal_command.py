import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import Result

from gateway.cli._journals import passage_id, short
from gateway.store.journal import Handover
from tests.cli.passages import METER, OUTAGE, Shelf, conversation, done, outage, refused

Run = Callable[..., Result]


@pytest.fixture
def shelf(cimgate: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shelf:
    """A journal that the settings name."""
    assert cimgate is not None  # it clears the settings first
    made = Shelf(f"sqlite:///{tmp_path}/gateway.db")
    monkeypatch.setenv("CIMGATE_STORE", made.url)
    return made


def words(result: Result) -> str:
    return " ".join(result.stdout.split())


def listed(result: Result) -> list[str | None]:
    return [json.loads(line)["message_id"] for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("shelf")
def test_a_journal_that_is_not_there_is_not_made(cimgate: Run, tmp_path: Path) -> None:
    result = cimgate("journal", "list")
    assert (result.exit_code, "gateway-journal.db does not exist" in result.stderr) == (2, True)
    assert "CIMGATE_STORE" in result.stderr
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.usefixtures("shelf")
def test_a_store_that_cannot_be_used_ends_in_3(cimgate: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway-journal.db").write_text("no database, but long enough to be taken for the head of one" * 20)
    result = cimgate("journal", "list")
    assert (result.exit_code, "file is not a database" in result.stderr) == (3, True)


def test_an_empty_journal_is_told_from_one_in_which_nothing_is_found(cimgate: Run, shelf: Shelf) -> None:
    shelf.put()
    empty = cimgate("journal", "list")
    assert (empty.exit_code, "The journal is empty" in empty.stderr) == (1, True)
    shelf.put(outage(time.time(), "first"))
    other = cimgate("journal", "list", "--noun", "MeterReadings")
    assert (other.exit_code, "Its oldest is of" in other.stderr) == (1, True)


@pytest.mark.parametrize("columns", [80, 100])
def test_the_list_tells_when_which_way_who_to_whom_what_and_how_it_ended_within_the_screen(
    cimgate: Run, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    now = time.time()
    dead = refused(now - 50, "refused", outcome="dead:foreign-context", source="CUSTOMER-INFORMATION-1")
    kept = outage(now - 60, "outage")
    shelf.put(kept, dead, done(now - 40, "retried", dead), conversation(now - 30))
    result = cimgate("journal", "list")
    assert max(map(len, result.stdout.splitlines())) <= columns
    assert f"{short(kept.id)} in HES-NORTH → MDM" in words(result)
    assert f"{short(dead.id)} in CUSTOMER" in words(result)
    for said in ("dead: foreign-", "context", "retried", "hand anna", "passed on", "out → MS", "reply taken", "sent"):
        assert said in words(result), said


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--id", "c-1-c"], ["c-1-a", "c-1-m"]),
        (["--id", "bad"], ["bad", "bad"]),
        (["--device", "NTH-1"], ["good"]),
        (["--device", METER], ["good"]),
        (["--noun", "EndDeviceControls"], ["bad", "bad"]),
        (["--noun", "EndDevice*", "--verb", "created"], ["good"]),
        (["--source", "HES-*"], ["good"]),
        (["--event", "3.26.*"], ["good"]),
        (["--outcome", "dead"], ["bad"]),
        (["--outcome", "dead:unroutable"], []),
        (["--outcome", "retried"], ["bad"]),
        (["--conversation", "c-1", "--direction", "out"], ["c-1-a", "c-1-leg"]),
        (["--text", "no ELEMENT"], ["bad"]),
        (["--system", "OMS"], ["good"]),
        (["--system", "MS"], ["c-1-leg"]),
        (["--since", "70s ago", "--until", "45s ago"], ["bad"]),
        (["--limit", "2", "--direction", "out"], ["c-1-a", "c-1-leg"]),
        (["--imported"], []),
    ],
)
def test_the_list_is_narrowed(cimgate: Run, shelf: Shelf, filters: list[str], found: list[str]) -> None:
    now = time.time()
    dead = refused(now - 50, "bad")
    shelf.put(outage(now - 80, "good"), dead, done(now - 40, "retried", dead), conversation(now - 30))
    result = cimgate("journal", "list", "--json", *filters)
    assert (listed(result), result.exit_code) == (found, 0 if found else 1)


def test_the_next_page_begins_where_this_one_ends(cimgate: Run, shelf: Shelf) -> None:
    now = time.time()
    shelf.put([outage(now - 10 + at, f"m-{at}") for at in range(5)])
    first = cimgate("journal", "list", "--limit", "3")
    last = first.stdout.splitlines()[3].split()[1]
    assert f"--before {last}" in first.stdout
    rest = cimgate("journal", "list", "--limit", "3", "--json", "--before", last)
    assert listed(rest) == ["m-1", "m-0"]


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (["--since", "last week"], "yesterday 22:00"),
        (["--since", "1m ago", "--until", "2m ago"], "--since is not before --until"),
        (["--direction", "up"], "in (to the gateway) or out"),
        (["--before", "bad-1"], "column `id`"),
    ],
)
def test_what_is_no_filter_is_refused_with_what_would_be(
    cimgate: Run, shelf: Shelf, options: list[str], advice: str
) -> None:
    shelf.put(outage(time.time(), "first"))
    result = cimgate("journal", "list", *options)
    assert (result.exit_code, advice in " ".join(result.stderr.split())) == (2, True)


def test_the_story_of_a_delivered_message_tells_who_got_it_and_how_hard_that_was(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(outage(time.time() - 60, "good"))
    told = words(cimgate("journal", "show", "good"))
    assert "created(EndDeviceEvents) from HES-NORTH" in told
    assert "events 3.26.0.85 (outage)" in told
    assert "MDM queue:cim.MDM confirmed after 4 ms, 1 attempt" in told
    assert "confirmed after 2.250 s, 3 attempts" in told
    assert "kept is the message as it passed" in told
    assert "Why" not in told


def test_the_story_of_a_refused_message_tells_why_and_what_to_do(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(refused(time.time() - 60, "bad", outcome="dead:unroutable", rule="no-route", code="2.5"))
    told = words(cimgate("journal", "show", "bad"))
    assert "in the dead letters (unroutable): no route takes it" in told
    assert "no-route: A route takes the message" in told
    assert "2.5 invalid noun" in told
    assert "cimgate routes explain FILE" in told


def test_the_story_tells_what_operators_did_about_a_dead_letter_and_what_came_of_it(cimgate: Run, shelf: Shelf) -> None:
    now = time.time()
    dead = refused(now - 60, "bad")
    again = outage(now - 20, "bad")
    shelf.put(dead, done(now - 21, "retried", dead, note="route repaired"), again)
    result = cimgate("journal", "show", "bad")
    assert "anna retried it: route repaired" in words(result)
    assert f"came again ({short(again.id)}): delivered to MDM, OMS" in words(result)
    assert words(result).index("in the dead letters") < words(result).index("anna retried it")


def test_the_story_holds_what_belongs_to_the_same_conversation(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(conversation(time.time() - 60), conversation(time.time() - 50, "c-2"))
    result = cimgate("journal", "show", "c-1-m", "--json")
    assert [one["message_id"] for one in json.loads(result.stdout)["related"]] == ["c-1-leg", "c-1-r", "c-1-a"]
    told = words(cimgate("journal", "show", "c-1-m"))
    assert "in MS reply(MeterReadings) reply taken" in told
    assert "cimgate conversations show c-1" in told


@pytest.mark.parametrize("columns", [80, 100])
def test_a_story_stays_within_the_screen(
    cimgate: Run, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shelf.put(conversation(time.time() - 200_000), outage(time.time(), "good", conversation="c-1"))
    lines = cimgate("journal", "show", "good").stdout.splitlines()
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("form", ["short", "number", "upper"])
def test_a_message_is_found_by_the_id_of_the_list_in_any_form(cimgate: Run, shelf: Shelf, form: str) -> None:
    kept = outage(time.time(), "good")
    shelf.put(kept)
    named = {"short": short(kept.id), "number": str(kept.id), "upper": short(kept.id).upper()}[form]
    assert json.loads(cimgate("journal", "show", named, "--json").stdout)["message_id"] == "good"


def test_an_id_means_the_message_that_came_with_it_first_and_not_what_was_said_of_it(
    cimgate: Run, shelf: Shelf
) -> None:
    now = time.time()
    asked = conversation(now)[0]
    shelf.put(done(now - 5, "replayed", asked), conversation(now))
    for named in ("c-1-m", "c-1-c"):
        assert json.loads(cimgate("journal", "show", named, "--json").stdout)["number"] == str(asked.id)


def test_an_id_that_is_not_there_ends_in_1_with_advice(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(outage(time.time(), "good"))
    result = cimgate("journal", "show", "nowhere")
    assert (result.exit_code, "'nowhere'" in result.stderr, "--since 1h" in result.stderr) == (1, True, True)


def test_the_body_is_shown_laid_out_as_it_is_or_written_byte_for_byte(
    cimgate: Run, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.put(outage(time.time(), "good"))
    laid_out = cimgate("journal", "show", "good", "--body").stdout
    assert "    <Verb>created</Verb>\n" in laid_out
    as_is = cimgate("journal", "show", "good", "--body", "--as-is").stdout
    assert "<Header><Verb>created</Verb><Noun>" in as_is
    assert cimgate("journal", "show", "good", "--raw", "-").stdout_bytes == OUTAGE
    written = cimgate("journal", "show", "good", "--raw", tmp_path / "good.xml")
    assert (written.exit_code, (tmp_path / "good.xml").read_bytes()) == (0, OUTAGE)
    again = cimgate("journal", "show", "good", "--raw", tmp_path / "good.xml")
    assert (again.exit_code, "--force" in again.stderr) == (2, True)


def test_a_body_that_is_not_kept_is_said_to_be_so(cimgate: Run, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(outage(time.time(), "bare", body=None), outage(time.time() + 1, "masked", body=b"<name>***</name>"))
    assert "headers alone" in words(cimgate("journal", "show", "bare", "--body"))
    assert cimgate("journal", "show", "bare", "--raw", tmp_path / "bare.xml").exit_code == 1
    assert not (tmp_path / "bare.xml").exists()
    assert "the message with masked values (***)" in words(cimgate("journal", "show", "masked"))


def test_what_a_terminal_would_act_on_is_not_printed(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(
        outage(time.time(), "odd\x1b[2J", source="\x1b]0;owned\x07", reason="[red]\x1b[31m", body=b"<a>\x1b[2J</a>\xff")
    )
    for arguments in (["list"], ["show", "odd\x1b[2J", "--body"], ["stats"]):
        result = cimgate("journal", *arguments)
        assert (result.exit_code, "\x1b" in result.stdout) == (0, False)


def test_a_story_is_one_xml_document_also_with_what_xml_cannot_hold(cimgate: Run, shelf: Shelf) -> None:
    shelf.put(outage(time.time(), "odd", source="A\x00B", body=b"\x00\xff"))
    story = etree.fromstring(cimgate("journal", "show", "odd", "--xml").stdout_bytes)
    [message] = story.findall("message")
    assert message.get("source") == "A\N{REPLACEMENT CHARACTER}B"
    assert message.findtext("body_base64") == "AP8="
    assert [one.get("system") for one in message.findall("delivery")] == ["MDM", "OMS"]


def test_a_delivery_that_was_never_confirmed_is_marked(cimgate: Run, shelf: Shelf) -> None:
    lost = (Handover("queue:cim.MDM", "MDM", "", 4),)
    shelf.put(outage(time.time(), "good", deliveries=lost))
    assert "not confirmed by the broker, 4 attempts" in words(cimgate("journal", "show", "good"))


def test_counts_tell_when_and_of_what_sort(cimgate: Run, shelf: Shelf) -> None:
    now = time.time()
    dead = refused(now - 1, "bad")
    shelf.put([outage(now - 7_200 - at, f"m-{at}") for at in range(30)], dead, done(now, "retried", dead))
    result = cimgate("journal", "stats")
    told = words(result)
    assert "created(EndDeviceEvents) HES-NORTH delivered 30" in told
    assert "create(EndDeviceControls) CIS dead:invalid 1" in told
    counts = [json.loads(line) for line in cimgate("journal", "stats", "--json").stdout.splitlines()]
    assert sum(one["messages"] for one in counts) == 32
    by_noun = cimgate("journal", "stats", "--by", "noun", "--per", "day", "--system", "OMS")
    assert "EndDeviceEvents 30" in words(by_noun)
    assert "EndDeviceControls" not in words(by_noun)
    assert cimgate("journal", "stats", "--by", "colour").exit_code == 2
    assert cimgate("journal", "stats", "--until", "2h ago", "--since", "3d").exit_code in (0, 1)


@pytest.mark.parametrize("id_", [0, 1, 1 << 40, (1 << 63) - 1])
def test_a_short_id_is_read_as_the_number_that_it_stands_for(id_: int) -> None:
    assert passage_id(short(id_)) == id_
    assert short(id_) < short(id_ + 1)
