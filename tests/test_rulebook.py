"""What the settings say of sources becomes dialects, checked against the schemas that are there."""

import pytest

from gateway.message.speech import CANONICAL
from gateway.rulebook import dialects, schema_set
from gateway.settings import Settings, SettingsError

FINAL = "http://iec.ch/TC57/2011/schema/message"


def _settings(*tables: dict[str, object]) -> Settings:
    return Settings.model_validate({"sources": tables})


def test_a_source_has_its_own_table_and_what_everybodys_says_beside_it() -> None:
    settings = _settings(
        {"name": "*", "mode": "lenient", "namespaces": {"urn:a": FINAL}, "nouns": {"Alarms": "EndDeviceEvents"}},
        {"name": "HES", "mode": "strict", "namespaces": {"urn:b": FINAL}},
    )
    found = dialects(settings, schema_set(settings))
    hes, other = found.of("HES"), found.of("anybody")
    assert (hes.lenient, other.lenient) == (False, True)
    assert hes.namespaces.ours("urn:a", "") == hes.namespaces.ours("urn:b", "") == FINAL
    assert hes.aliases == {"Alarms": "EndDeviceEvents"}
    assert found.speech_of("HES").namespaces.theirs(FINAL) == "urn:b"
    assert found.speech_of("anybody") == CANONICAL


def test_without_tables_there_is_no_dialect() -> None:
    settings = Settings()
    assert not dialects(settings, schema_set(settings))


def test_a_map_that_leads_nowhere_is_told_with_the_nearest() -> None:
    settings = _settings(
        {
            "name": "HES",
            "namespaces": {"urn:a": "http://iec.ch/TC57/2011/schema/mesage", "urn:b/*#": "http://iec.ch/TC57/2011/*"},
            "nouns": {"Alarms": "EndDeviceEvent"},
        }
    )
    with pytest.raises(SettingsError) as refused:
        dialects(settings, schema_set(settings))
    envelope, profile, noun = refused.value.problems
    assert f"did you mean '{FINAL}'?" in envelope
    assert "no schema describes 'http://iec.ch/TC57/2011/*'" in profile
    assert "did you mean EndDeviceEvents?" in noun
