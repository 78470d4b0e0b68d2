from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import Result

from gateway.cli._envelopes import verbs_of
from gateway.cli._shared import CommandError
from gateway.cli.example import written
from gateway.message import Verb, read
from gateway.message.nouns import OPERATION_SET
from gateway.rulebook import schema_set
from gateway.settings import Settings
from gateway.validation import Checker, SchemaSet
from gateway.validation.instances import Full, instance_of

Run = Callable[..., Result]

_MESSAGE = "{http://iec.ch/TC57/2011/schema/message}"


@pytest.fixture(scope="module")
def schemas() -> SchemaSet:
    return schema_set(Settings())


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("verb", Verb)
def test_every_example_passes_without_a_finding(schemas: SchemaSet, verb: Verb, full: bool) -> None:
    checker = Checker(schemas, context="TESTING")
    fitting = [noun for noun in (*schemas.nouns, OPERATION_SET) if verb in verbs_of(noun)]
    assert fitting
    for noun in fitting:
        raw = written(schemas, verb, noun, full=full, draft=False, context="TESTING", source="")
        message = read(raw)
        assert checker.check(message).findings == (), (verb, noun)
        assert message.header.verb == verb


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in (Verb.EXECUTE, Verb.EXECUTED)])
def test_every_example_can_be_had_in_the_draft_namespace(schemas: SchemaSet, verb: Verb) -> None:
    for noun in schemas.nouns:
        raw = written(schemas, verb, noun, full=True, draft=True, context="TESTING", source="")
        assert Checker(schemas).check(read(raw)).findings == (), noun


def test_a_full_example_has_every_element_of_the_profile(schemas: SchemaSet) -> None:
    for name in schemas.nouns | schemas.profiles:
        space = schemas.namespace_of(name)
        model = None if space is None else schemas.model(space)
        declared = None if model is None else model.element([f"{{{space}}}{name}"])
        assert declared is not None
        written_tags = {element.tag for element in instance_of(declared, Full()).iter()}
        waiting, known = [declared], set()
        while waiting:
            element = waiting.pop()
            known.add(element.name)
            waiting += [] if element.type.content is None else element.type.content.elements()
        assert written_tags == known, name


def test_a_control_is_printed_ready_to_send(cimgate: Run, tmp_path: Path) -> None:
    result = cimgate("example", "create", "EndDeviceControls")
    assert result.exit_code == 0
    assert result.stdout.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<RequestMessage ')
    assert '<EndDeviceControlType ref="3.31.0.23"/>' in result.stdout
    file = tmp_path / "control.xml"
    file.write_text(result.stdout, encoding="utf-8")
    assert cimgate("validate", file).exit_code == 0
    assert cimgate("example", "create", "EndDeviceControls").stdout == result.stdout


def test_a_get_has_its_parameters_in_the_request(cimgate: Run) -> None:
    request = etree.fromstring(cimgate("example", "get", "MeterReadings").stdout.encode()).find(f"{_MESSAGE}Request")
    assert request is not None
    assert [etree.QName(child).localname for child in request] == ["GetMeterReadings"]


def test_a_get_without_a_profile_names_an_object(cimgate: Run) -> None:
    request = etree.fromstring(cimgate("example", "get", "ServiceCategoryConfig").stdout.encode())
    assert request.find(f"{_MESSAGE}Request/{_MESSAGE}ID") is not None


@pytest.mark.parametrize("option", [[], ["--full"]])
def test_a_request_by_id_names_the_object_that_the_noun_is_about(cimgate: Run, option: list[str]) -> None:
    request = etree.fromstring(cimgate("example", "delete", "UsagePointConfig", *option).stdout.encode())
    named = request.find(f"{_MESSAGE}Request/{_MESSAGE}ID")
    assert named is not None
    assert named.get("objectType") == "UsagePoint"


def test_execute_puts_the_noun_into_an_operation_set(cimgate: Run) -> None:
    root = etree.fromstring(cimgate("example", "execute", "MeterConfig").stdout.encode())
    assert root.findtext(f"{_MESSAGE}Header/{_MESSAGE}Noun") == "OperationSet"
    assert root.findtext(f".//{_MESSAGE}Operation/{_MESSAGE}noun") == "MeterConfig"


def test_context_and_source_are_those_asked_for(cimgate: Run) -> None:
    output = cimgate("example", "created", "EndDeviceEvents", "--context", "STUDY", "--source", "MS-7").stdout
    assert "<Context>STUDY</Context>" in output
    assert "<Source>MS-7</Source>" in output


def test_the_order_of_verb_and_noun_does_not_matter(cimgate: Run) -> None:
    assert (
        cimgate("example", "MeterReadings", "created").stdout == cimgate("example", "created", "MeterReadings").stdout
    )


@pytest.mark.parametrize(
    ("verb", "noun", "said"),
    [
        ("creat", "MeterReadings", "Do you mean create?"),
        ("update", "MeterReadings", "Do you mean change?"),
        ("create", "MeterReading", "Do you mean MeterReadings?"),
        ("create", "Elephants", "The nouns are AuxiliaryAgreementConfig"),
        ("create", "OperationSet", "The verbs of OperationSet are execute, executed, reply."),
        ("create", "", "Say which noun to create."),
    ],
)
def test_what_cannot_be_written_is_told_with_what_can(cimgate: Run, verb: str, noun: str, said: str) -> None:
    result = cimgate("example", verb, noun)
    assert result.exit_code == 2
    assert said in result.output


def test_the_draft_has_no_operation_sets(schemas: SchemaSet) -> None:
    with pytest.raises(CommandError, match="OperationSet"):
        written(schemas, Verb.EXECUTE, OPERATION_SET, full=False, draft=True, context="TESTING", source="")


def test_a_profile_that_is_our_own_proposal_is_called_so_outside_of_the_message(cimgate: Run) -> None:
    result = cimgate("example", "create", "CustomerConfig")
    assert "not the standard's" in result.stderr
    assert "not the standard's" not in result.stdout
    assert cimgate("example", "create", "MeterReadings").stderr == ""


def test_without_arguments_it_lists_what_can_be_asked_for(cimgate: Run) -> None:
    output = cimgate("example").output
    assert "cimgate example create EndDeviceControls" in output
    assert "UsagePointLocationConfig" in output


def test_a_sites_own_schema_gives_its_own_examples(cimgate: Run, tmp_path: Path) -> None:
    folder = tmp_path / "xsd"
    folder.mkdir()
    (folder / "own.xsd").write_text(
        """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://iec.ch/TC57/2011/Pumps#"
            elementFormDefault="qualified">
          <xs:element name="Pumps"><xs:complexType><xs:sequence>
            <xs:element name="Pump" maxOccurs="unbounded"><xs:complexType><xs:sequence>
              <xs:element name="tag"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="2"/>
                </xs:restriction></xs:simpleType></xs:element>
              <xs:element name="power" type="xs:decimal"/>
            </xs:sequence></xs:complexType></xs:element>
          </xs:sequence></xs:complexType></xs:element>
        </xs:schema>""",
        encoding="utf-8",
    )
    (tmp_path / "cimgate.toml").write_text('schemas = "xsd"\n', encoding="utf-8")
    file = tmp_path / "pumps.xml"
    file.write_text(cimgate("example", "created", "Pumps").stdout, encoding="utf-8")
    assert "<Pump>" in file.read_text(encoding="utf-8")
    assert cimgate("validate", file).exit_code == 0
