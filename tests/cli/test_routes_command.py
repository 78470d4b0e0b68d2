from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def _write(tmp_path: Path, content: str) -> Path:
    file = tmp_path / "message.xml"
    file.write_text(content, encoding="utf-8")
    return file


def test_the_shipped_routes_have_no_faults(cimgate: Run) -> None:
    result = cimgate("routes", "check")
    assert result.exit_code == 0
    assert "4 systems" in result.output
    assert "no faults" in result.output


def test_each_fault_of_a_table_is_told_with_file_and_line(cimgate: Run, routes_folder: Path) -> None:
    file = routes_folder / "oms.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("EndDeviceEvents", "EndDeviceEvent"), encoding="utf-8")
    result = cimgate("routes", "check", "--folder", routes_folder)
    assert result.exit_code == 1
    assert f"{file}:8: " in result.output
    assert "EndDeviceEvents" in result.output
    assert f"1 fault in {routes_folder}" in result.output


@pytest.mark.parametrize("command", ["check", "list"])
def test_a_folder_that_is_missing_or_empty_ends_in_a_clear_line(cimgate: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "void").mkdir()
    for folder, reason in (("gone", "does not exist"), ("void", "has no file *.toml")):
        result = cimgate("routes", command, "--folder", folder)
        assert result.exit_code == 2
        assert reason in result.stderr


def test_a_broken_table_stops_other_commands_with_its_faults(cimgate: Run, routes_folder: Path) -> None:
    (routes_folder / "oms.toml").write_text("[system", encoding="utf-8")
    result = cimgate("routes", "list", "--folder", routes_folder)
    assert result.exit_code == 1
    assert "cimgate: oms.toml:1: " in result.stderr


def test_the_list_shows_systems_and_what_each_receives(cimgate: Run, routes_folder: Path) -> None:
    result = cimgate("routes", "list", "--folder", routes_folder)
    assert result.output.splitlines()[:4] == [
        "OMS  queue:cim.OMS, sends as OMS",
        "  1 outages  oms.toml:6",
        "      EndDeviceEvents: created",
        "      only with an event type of *.26.*.*",
    ]


def test_the_folder_of_the_settings_is_used(cimgate: Run, routes_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMGATE_ROUTES", str(routes_folder))
    assert f"1 system, 1 route, no faults in {routes_folder}" in cimgate("routes", "check").output


def test_explaining_a_message_names_its_receivers_and_the_route(
    cimgate: Run, routes_folder: Path, tmp_path: Path, event: str
) -> None:
    result = cimgate("routes", "explain", _write(tmp_path, event), "--folder", routes_folder)
    assert result.exit_code == 0
    assert "OMS receives it at queue:cim.OMS, by route 1 'outages' (oms.toml:6)" in result.output


def test_explaining_a_message_that_nobody_receives_says_why(
    cimgate: Run, routes_folder: Path, tmp_path: Path, event: str
) -> None:
    file = _write(tmp_path, event.replace("3.26.0.85", "3.12.0.257"))
    result = cimgate("routes", "explain", file, "--folder", routes_folder)
    assert result.exit_code == 1
    assert "Nobody receives it:" in result.output
    assert "*.26.*.*" in result.output
    assert "reply code 2.9" in result.output


def test_an_invalid_message_is_explained_with_the_note_that_it_would_be_refused(
    cimgate: Run, routes_folder: Path, tmp_path: Path, event: str
) -> None:
    file = _write(tmp_path, event.replace("2026-03-01T09:59:58Z", "yesterday"))
    result = cimgate("routes", "explain", file, "--folder", routes_folder)
    assert result.exit_code == 1
    assert "would refuse this message before any route sees it" in result.output
    assert "OMS receives it" in result.output


def test_bytes_that_are_no_message_are_told_so(cimgate: Run, routes_folder: Path, tmp_path: Path) -> None:
    result = cimgate("routes", "explain", _write(tmp_path, "junk"), "--folder", routes_folder)
    assert result.exit_code == 1
    assert "not well-formed" in result.output
    assert "no route sees it" in result.stderr


def test_a_reply_goes_to_its_conversation(cimgate: Run, routes_folder: Path, tmp_path: Path) -> None:
    reply = """<ResponseMessage xmlns="http://iec.ch/TC57/2011/schema/message">
      <Header><Verb>reply</Verb><Noun>MeterReadings</Noun><CorrelationID>c-1</CorrelationID></Header>
      <Reply><Result>OK</Result><Error><code>0.0</code></Error></Reply>
    </ResponseMessage>"""
    result = cimgate("routes", "explain", _write(tmp_path, reply), "--folder", routes_folder)
    assert result.exit_code == 0
    assert "goes to the conversation that it answers" in result.output


def test_explaining_a_folder_is_refused(cimgate: Run, tmp_path: Path, event: str) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.xml").write_text(event, encoding="utf-8")
    result = cimgate("routes", "explain", tmp_path)
    assert result.exit_code == 2
    assert "name one message" in result.stderr


def test_the_list_shows_what_a_route_does_not_want(cimgate: Run) -> None:
    assert "not with the property OnDemand: true" in " ".join(cimgate("routes", "list").output.split())
