import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from gateway.message.nouns import PART9_NOUNS

Run = Callable[..., Result]


def test_the_tree_shows_occurrence_type_and_values(cimgate: Run) -> None:
    lines = cimgate("noun", "MeterReadings").output.splitlines()
    assert lines[0] == "MeterReadings"
    tree = [line.split() for line in lines]
    assert ["MeterReading", "0..n"] in tree
    assert ["createdDateTime", "1", "date", "and", "time"] in tree
    assert any(row[:5] == ["reason", "0..1", "one", "of", "billing,"] for row in tree)
    assert ["EndDeviceEventType", "1", "such", "as", 'ref="3.26.0.85"'] in tree


def test_the_head_says_what_the_profile_rests_on_and_how_it_is_asked_for(cimgate: Run) -> None:
    output = cimgate("noun", "MeterReadings").output
    assert "rests on read from published schemas of the 2013 edition" in output
    assert "get with GetMeterReadings in Request" in output
    assert "xmlns    http://iec.ch/TC57/2011/MeterReadings#" in output


def test_a_proposal_of_ours_is_called_so(cimgate: Run) -> None:
    assert "not the standard's" in cimgate("noun", "CustomerConfig").output
    lines = cimgate("noun").output.splitlines()
    assert any(line.startswith("CustomerConfig *") for line in lines)
    assert any(line.startswith("MeterReadings  ") for line in lines)


def test_a_get_profile_says_where_it_is_used(cimgate: Run) -> None:
    assert "used in  Request of get(MeterConfig)" in cimgate("noun", "GetMeterConfig").output


def test_a_choice_is_shown_as_one(cimgate: Run) -> None:
    lines = cimgate("noun", "EndDeviceControls", "--depth", 3).output.splitlines()
    at = next(number for number, line in enumerate(lines) if line.split() == ["(one", "of", "these)", "0..1"])
    indent = len(lines[at]) - len(lines[at].lstrip())
    assert lines[at + 1].startswith(" " * (indent + 2) + "PanDemandResponse ")


def test_a_type_is_shown_once_and_then_pointed_at(cimgate: Run) -> None:
    output = cimgate("noun", "MeterReadings").output
    assert "as in EndDeviceEventType/Names" in output
    assert output.count("NameTypeAuthority") == 1


def test_the_depth_can_be_limited(cimgate: Run) -> None:
    output = cimgate("noun", "MeterReadings", "--depth", 1).output
    assert "IntervalBlocks" not in output
    assert "7 more inside" in output


def test_a_part_of_the_tree_can_be_asked_for(cimgate: Run) -> None:
    output = cimgate("noun", "MeterReadings", "--path", "MeterReading/Meter").output
    assert "\nMeter" in output
    assert "IntervalBlocks" not in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("MeterReadng",), "Do you mean MeterReadings?"),
        (("MeterReadings", "--path", "MeterReading/Reading"), "Do you mean Readings?"),
        (("MeterReadings", "--path", "MeterReading/isCoincidentTrigger/x"), "It holds no elements."),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(cimgate: Run, arguments: tuple[str, ...], said: str) -> None:
    result = cimgate("noun", *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_upper_and_lower_case_do_not_matter(cimgate: Run) -> None:
    assert cimgate("noun", "meterreadings").output == cimgate("noun", "MeterReadings").output


def test_every_noun_has_a_sentence_of_its_own(cimgate: Run) -> None:
    listed = {item["name"]: item["about"] for item in json.loads(cimgate("noun", "--json").output)}
    assert set(listed) >= PART9_NOUNS
    assert len(set(listed.values())) == len(listed)
    assert not any("your own schemas" in about for about in listed.values())


def test_the_tree_can_be_had_as_json(cimgate: Run) -> None:
    about = json.loads(cimgate("noun", "EndDeviceEvents", "--json").output)
    assert about["get_profile"] == "GetEndDeviceEvents"
    event = next(child for child in about["tree"]["children"] if child["name"] == "EndDeviceEvent")
    assert event["occurs"] == "0..n"
    reference = next(child for child in event["children"] if child["name"] == "EndDeviceEventType")
    assert [attribute["name"] for attribute in reference["attributes"]] == ["@ref"]


def test_the_operation_set_is_explained_though_it_has_no_profile(cimgate: Run) -> None:
    assert "part of the envelope" in cimgate("noun", "OperationSet").output


def test_a_type_that_holds_itself_ends(cimgate: Run, tmp_path: Path) -> None:
    folder = tmp_path / "xsd"
    folder.mkdir()
    (folder / "own.xsd").write_text(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:p="http://iec.ch/TC57/2011/Trees#"
            targetNamespace="http://iec.ch/TC57/2011/Trees#" elementFormDefault="qualified">
          <xs:element name="Trees" type="p:Tree"/>
          <xs:complexType name="Tree"><xs:sequence>
            <xs:element name="mRID" type="xs:string"/>
            <xs:element name="Tree" type="p:Tree" minOccurs="0" maxOccurs="unbounded"/>
          </xs:sequence></xs:complexType>
        </xs:schema>""",
        encoding="utf-8",
    )
    (tmp_path / "cimgate.toml").write_text('schemas = "xsd"\n', encoding="utf-8")
    assert "A noun that your own schemas add." in cimgate("noun", "Trees").output
    assert cimgate("example", "created", "Trees", "--full").exit_code == 0
