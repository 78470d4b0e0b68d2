"""What stands in schemas/: written by its generator, self-contained, in the standard's order, honest of its basis."""

import re
from collections.abc import Mapping
from typing import Final

import pytest
from lxml import etree

from gateway.message.nouns import PART9_NOUNS, get_profile, profile_namespace
from gateway.validation import SchemaSet
from schemas import generate

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_CONFIDENCE: Final = re.compile(r"Confidence: (.*?)\.\s", re.DOTALL)
_ASKED_FOR: Final = {
    "CustomerMeterDataSet",
    "EndDeviceConfig",
    "EndDeviceControls",
    "EndDeviceEvents",
    "MeterConfig",
    "MeterReadSchedule",
    "MeterReadings",
    "MeterServiceRequests",
    "UsagePointConfig",
}
_OURS: Final = {
    "AuxiliaryAgreementConfig",
    "CustomerAccountConfig",
    "CustomerAgreementConfig",
    "CustomerConfig",
    "CustomerMeterDataSet",
    "EndDeviceFirmware",
    "GetCustomerMeterDataSet",
    "GetEndDeviceConfig",
    "GetEndDeviceControls",
    "GetMeterReadSchedule",
    "GetMeterServiceRequests",
    "GetUsagePointConfig",
    "PricingStructureConfig",
    "ReceiptRecord",
    "TransactionRecord",
}
_PROFILES: Final = sorted(PART9_NOUNS | {get_profile(noun) for noun in _ASKED_FOR})


def _confidence(raw: bytes) -> str:
    found = _CONFIDENCE.search(raw.decode())
    return " ".join(found[1].split()) if found else ""


def test_every_noun_of_part_9_and_every_known_get_profile_has_its_schema(schemas: SchemaSet) -> None:
    assert schemas.nouns == PART9_NOUNS
    assert schemas.profiles == {get_profile(noun) for noun in _ASKED_FOR}


def test_the_schemas_are_what_the_generator_writes(sources: Mapping[str, bytes]) -> None:
    written = {name: text.encode() for name, text in generate.texts(generate.load()).items()}
    by_hand = {"message-2011.xsd", "message-2011-draft.xsd"}
    assert {name: raw for name, raw in sources.items() if name not in by_hand} == written, "run make schemas"


@pytest.mark.parametrize("name", _PROFILES)
def test_a_schema_stands_alone_and_states_its_version_and_how_sure_it_is(
    sources: Mapping[str, bytes], name: str
) -> None:
    raw = sources[f"{name}.xsd"]
    schema = etree.fromstring(raw)
    assert schema.get("targetNamespace") == profile_namespace(name)
    assert schema.get("version") == "1.0"
    assert not list(schema.iterchildren(_XS + "include", _XS + "import", _XS + "redefine"))
    assert b"cimgate's own writing" in raw
    assert _confidence(raw)


@pytest.mark.parametrize("name", _PROFILES)
def test_who_reads_the_confidence_alone_knows_whether_a_schema_is_the_standard_s_or_ours(
    sources: Mapping[str, bytes], name: str
) -> None:
    said = _confidence(sources[f"{name}.xsd"])
    assert ("not the standard's: partners' schemas will differ, so put the official XSD in its place" in said) == (
        name in _OURS
    )
    assert said.startswith("read from") != (name in _OURS)


@pytest.mark.parametrize("name", _PROFILES)
def test_elements_stand_in_the_order_of_the_published_schemas(sources: Mapping[str, bytes], name: str) -> None:
    schema = etree.fromstring(sources[f"{name}.xsd"])
    complex_types = {f"p:{kind.get('name')}" for kind in schema.iterchildren(_XS + "complexType")}
    for sequence in schema.iter(_XS + "sequence"):
        places = []
        for element in sequence.iterchildren(_XS + "element"):
            is_complex = element.get("type") in complex_types or element.find(_XS + "complexType") is not None
            key = element.get("name", "")
            places.append((0 if key == "mRID" else 2 if is_complex else 1, key.lower()))
        assert places == sorted(places)


def test_a_type_that_two_profiles_share_reads_the_same_in_both(sources: Mapping[str, bytes]) -> None:
    def written(name: str, kind: str) -> bytes:
        found = etree.fromstring(sources[name]).find(f"{_XS}complexType[@name='{kind}']")
        assert found is not None
        return etree.tostring(found, method="c14n2", strip_text=True)

    assert written("MeterConfig.xsd", "Register") == written("EndDeviceConfig.xsd", "Register")
    assert written("MeterReadings.xsd", "Meter") != written("GetMeterReadings.xsd", "Meter")
