import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click import unstyle
from typer.testing import Result

from gateway import resources

Run = Callable[..., Result]

_SPACE = "http://iec.ch/TC57/2011/MeterReadings#"


def _lines(result: Result) -> list[str]:
    return [unstyle(line).rstrip() for line in result.output.splitlines()]


@pytest.fixture
def readings() -> str:
    """Give our schema of MeterReadings, to change it."""
    return resources.schema_sources()["MeterReadings.xsd"].decode()


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of the site's own schemas, named in the settings."""
    folder = tmp_path / "official"
    folder.mkdir()
    monkeypatch.setenv("CIMGATE_SCHEMAS", "official")
    return folder


def test_schemas_are_listed_under_what_they_rest_on(cimgate: Run) -> None:
    result = cimgate("schemas", "list")
    assert result.exit_code == 0
    lines = _lines(result)
    published = lines.index("Read from published schemas of the 2013 edition")
    ours = next(number for number, line in enumerate(lines) if line.startswith("A proposal of cimgate's"))
    assert lines[published + 1].split() == ["noun", "version", "verbs", "namespace"]
    row = next(line for line in lines if line.startswith("MeterReadings "))
    assert row.split() == ["MeterReadings", "1.0", "all", _SPACE]
    customer = next(number for number, line in enumerate(lines) if line.startswith("CustomerConfig "))
    assert published < lines.index(row) < ours < customer
    assert max(map(len, lines)) <= 100


def test_the_list_fits_a_narrow_terminal(cimgate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    lines = _lines(cimgate("schemas", "list"))
    assert max(map(len, lines)) <= 80
    assert "..       stands for http://iec.ch/TC57" in lines
    assert any(line.endswith("../2011/UsagePointLocationConfig#") for line in lines)


def test_what_goes_into_a_pipe_has_the_whole_namespaces(cimgate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert _SPACE in cimgate("schemas", "list").output


def test_the_list_as_json_says_more(cimgate: Run) -> None:
    listed = {entry["noun"]: entry for entry in json.loads(cimgate("schemas", "list", "--json").stdout)}
    meter = listed["MeterConfig"]
    assert (meter["version"], meter["file"], meter["from"]) == ("1.0", "MeterConfig.xsd", "cimgate")
    assert meter["verbs"]["requests"] == ["get", "create", "change", "cancel", "close", "delete"]
    assert meter["verbs"]["replies"] == ["reply"]
    assert "deleted" in meter["verbs"]["events"]
    assert "cancel" not in meter["verbs"]["in_operation_set"]
    assert listed["GetMeterConfig"]["verbs"] == {"parameters_of": ["get"]}
    assert "not the standard's" in listed["EndDeviceFirmware"]["basis"]


def test_a_schema_of_the_site_is_listed_with_its_file(cimgate: Run, official: Path, readings: str) -> None:
    (official / "Readings.xsd").write_text(readings.replace('version="1.0">', 'version="9.9">'), encoding="utf-8")
    (official / "Newer.xsd").write_text(readings.replace("/2011/", "/2015/"), encoding="utf-8")
    (official / "Alike.xsd").write_text(readings, encoding="utf-8")
    lines = _lines(cimgate("schemas", "list"))
    assert lines[0] == "From your folder official"
    rows = [line.split() for line in lines if line.startswith("MeterReadings ")]
    assert rows == [
        ["MeterReadings", "9.9", "all", _SPACE],
        ["MeterReadings", "1.0", "all", "http://iec.ch/TC57/2015/MeterReadings#"],
    ]
    assert "    Readings.xsd, in place of ours" in lines
    assert "    Newer.xsd" in lines
    assert "    Not used, because it describes the same namespace: Alike.xsd" in lines


def test_a_schema_that_cannot_be_used_ends_in_a_line(cimgate: Run, official: Path, readings: str) -> None:
    (official / "Readings.xsd").write_text(
        readings.replace("<xs:element", '<xs:include schemaLocation="types.xsd"/><xs:element', 1), encoding="utf-8"
    )
    for command in (["list"], ["diff", "MeterReadings"]):
        result = cimgate("schemas", *command)
        assert result.exit_code == 2
        assert result.stderr == "cimgate: Readings.xsd includes types.xsd, which is not there.\n"


def test_what_differs_is_shown_by_who_allows_it(cimgate: Run, official: Path, readings: str) -> None:
    theirs = readings.replace('name="createdDateTime" type="xs:dateTime"/>', 'name="createdDateTime" type="xs:date"/>')
    theirs = theirs.replace('name="userID" type="xs:string" minOccurs="0"', 'name="userID" type="xs:string"')
    (official / "Readings.xsd").write_text(theirs, encoding="utf-8")
    result = cimgate("schemas", "diff", "MeterReadings")
    assert result.exit_code == 1
    event = "MeterReadings/MeterReading/EndDeviceEvents"
    assert _lines(result) == [
        "theirs   official/Readings.xsd, version 1.0",
        "ours     MeterReadings.xsd, version 1.0: read from published schemas of the 2013 edition",
        "",
        "Allowed by theirs, not by ours: 1 difference",
        f"  {event}/createdDateTime",
        "    date (in ours: date and time)",
        "",
        "Allowed by ours, not by theirs: 2 differences",
        f"  {event}/userID",
        "    may be left out, which theirs does not allow",
        f"  {event}/createdDateTime",
        "    date and time (in theirs: date)",
        "",
    ]


def test_every_version_of_the_site_is_compared(cimgate: Run, official: Path, readings: str) -> None:
    (official / "a.xsd").write_text(readings, encoding="utf-8")
    newer = readings.replace("/2011/", "/2015/").replace('name="comment"', 'name="remark"')
    (official / "b.xsd").write_text(newer, encoding="utf-8")
    result = cimgate("schemas", "diff", "MeterReadings", "--json")
    same, other = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (same["same"], same["theirs"]["from"], same["differences"]) == (True, "official/a.xsd", [])
    assert (other["same"], other["theirs"]["namespace"]) == (False, "http://iec.ch/TC57/2015/MeterReadings#")
    assert {(one["allowed_by"], one["path"].rpartition("/")[2], one["kind"]) for one in other["differences"]} == {
        ("theirs", "remark", "element"),
        ("ours", "comment", "element"),
    }


def test_a_single_file_is_compared_with_what_it_includes(cimgate: Run, tmp_path: Path, readings: str) -> None:
    head, first, rest = readings.partition('  <xs:complexType name="Asset">')
    opening = head[head.index("<xs:schema") :].partition(">")[0] + ">"
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "types.xsd").write_text(f"{opening}{first}{rest}", encoding="utf-8")
    including = head.replace(opening, f'{opening}<xs:include schemaLocation="parts/types.xsd"/>')
    (tmp_path / "theirs.xsd").write_text(f"{including}</xs:schema>", encoding="utf-8")
    result = cimgate("schemas", "diff", "MeterReadings", "--with", "theirs.xsd")
    assert (result.exit_code, _lines(result)[-2]) == (0, "Both allow the same in MeterReadings.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MeterReadings"], "the setting schemas names no folder"),
        (["MeterReading", "--with", "."], "Do you mean MeterReadings?"),
        (["MeterReadings", "--with", "gone"], "gone, does not exist"),
        (["MeterReadings", "--with", "odd.xsd"], "odd.xsd has no schema with the root MeterReadings"),
        (["MeterReadings", "--with", "broken.xsd"], "broken.xsd is not well-formed XML"),
    ],
)
def test_where_nothing_can_be_compared_it_is_said(
    cimgate: Run, tmp_path: Path, arguments: list[Any], message: str
) -> None:
    (tmp_path / "odd.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:odd"/>', encoding="utf-8"
    )
    (tmp_path / "broken.xsd").write_text("<", encoding="utf-8")
    result = cimgate("schemas", "diff", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
