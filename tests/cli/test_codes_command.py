import json
from collections.abc import Callable

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def test_a_code_is_explained_with_its_parts(cimgate: Run) -> None:
    result = cimgate("codes", "explain", "3.26.0.85")
    assert result.exit_code == 0
    assert "Event Power.Failed of an electric meter: outage." in result.output
    rows = [line.split() for line in result.output.splitlines()]
    assert ["1", "device", "3", "ElectricMeter"] in rows
    assert ["4", "action", "85", "Failed"] in rows


def test_a_control_is_explained_with_the_events_that_answer_it(cimgate: Run) -> None:
    lines = cimgate("codes", "explain", "3.31.0.23").output.splitlines()
    answers = lines[lines.index("  Events that answer it:") + 1 :]
    assert answers[0].split() == ["success", "3.31.0.68", "RCDSwitch.Disconnected"]
    assert answers[1].split() == ["failure", "3.31.0.84", "RCDSwitch.DisconnectFailed"]


def test_a_reading_type_is_explained_without_the_parts_that_do_not_apply(cimgate: Run) -> None:
    output = cimgate("codes", "explain", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0").output
    assert "15-minute delta of active energy delivered (forward)" in output
    assert "fifteenMinute: 15-minute" in output
    assert "currency" not in output
    assert "11 other parts are 0: they do not apply" in output


def test_a_bad_code_ends_in_1_and_the_others_are_explained(cimgate: Run) -> None:
    result = cimgate("codes", "explain", "3.x.0.85", "2.5", "1.2.3.4.5")
    assert result.exit_code == 1
    assert "InvalidNoun" in result.stdout
    assert result.stderr.splitlines() == [
        "cimgate: '3.x.0.85' cannot be explained: part 2 (domain) is 'x', which is no number.",
        (
            "cimgate: '1.2.3.4.5' cannot be explained: it has 5 parts; a reading type has 18, an event or control 4, "
            "a quality code 3."
        ),
        "`cimgate codes search WORD` finds codes by what they mean.",
    ]


def test_explanations_as_json_are_one_object_a_code(cimgate: Run) -> None:
    result = cimgate("codes", "explain", "--json", "3.31.0.23", "3.x.0.85", "kWh delivered")
    assert result.exit_code == 1
    control, bad, reading = (json.loads(line) for line in result.stdout.splitlines())
    assert control["asked"] == "3.31.0.23"
    assert [answer["code"] for answer in control["explanations"][0]["answers"]] == ["3.31.0.68", "3.31.0.84"]
    assert bad == {"asked": "3.x.0.85", "error": "part 2 (domain) is 'x', which is no number"}
    assert reading["explanations"][0]["code"] == "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
    assert len(reading["explanations"][0]["parts"]) == 18


def test_control_characters_of_what_was_asked_do_not_reach_the_terminal(cimgate: Run) -> None:
    result = cimgate("codes", "explain", "3.26.0.\x1b[31m")
    assert result.exit_code == 1
    assert "\x1b" not in result.output


@pytest.mark.parametrize("columns", ["80", "100"])
def test_a_search_for_outage_gives_the_power_failure_first(
    cimgate: Run, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = cimgate("codes", "search", "outage")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "Events (EndDeviceEventType); first number 3: electric meter"
    assert lines[1].split() == ["3.26.0.85", "Power.Failed", "outage"]
    assert max(map(len, lines)) <= int(columns)


def test_a_search_is_narrowed_to_a_kind(cimgate: Run) -> None:
    output = cimgate("codes", "search", "disconnect", "--kind", "control").output
    assert "3.31.0.23" in output
    assert "EndDeviceEventType" not in output


def test_many_hits_are_cut_off_unless_all_are_asked_for(cimgate: Run) -> None:
    few, every = (cimgate("codes", "search", "failed", *more).output for more in ([], ["--all"]))
    assert "hits more; --all shows them" in few
    assert "--all" not in every
    assert len(every.splitlines()) > len(few.splitlines())


def test_hits_as_json_say_how_sure_they_are(cimgate: Run) -> None:
    hits = json.loads(cimgate("codes", "search", "outage", "--json").stdout)
    assert (hits[0]["shown"], hits[0]["code"], hits[0]["confidence"]) == ("3.26.0.85", "*.26.0.85", "B")


def test_a_search_without_hits_ends_in_1(cimgate: Run) -> None:
    result = cimgate("codes", "search", "zzz", "--kind", "reply")
    assert result.exit_code == 1
    assert "Nothing of kind reply has 'zzz' in its name, meaning or code." in result.stderr


def test_an_inferred_result_is_shown_as_such(cimgate: Run) -> None:
    assert "Result FAILED [inferred]" in " ".join(cimgate("codes", "search", "invalid", "noun").output.split())
    assert "Result FAILED [inferred]" in " ".join(cimgate("codes", "explain", "2.5").output.split())
