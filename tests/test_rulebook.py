"""What the settings say of sources becomes dialects, checked against the schemas that are there."""

from pathlib import Path

import pytest

from gateway.message import Severity, read
from gateway.message.speech import CANONICAL
from gateway.rulebook import checker, dialects, outage_plan, route_table, schema_set, told_twice
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


@pytest.mark.parametrize(
    ("endpoint", "address", "told"),
    [
        ("https://crm.example/cim", "https://crm.example/cim/x?key=s3cret", False),
        ("https://crm.example/cim", "https://crm.example/x?key=s3cret", True),
        ("https://crm.example/cim", "queue:replies", False),
        ("", "https://crm.example/x", False),
    ],
)
def test_where_endpoints_are_set_a_reply_address_that_none_covers_is_warned_of(
    endpoint: str, address: str, told: bool
) -> None:
    settings = Settings.model_validate({"endpoints": [{"name": "crm", "url": endpoint}] if endpoint else []})
    message = read(
        f"""<RequestMessage xmlns="{FINAL}"><Header><Verb>get</Verb><Noun>MeterReadings</Noun>
        <ReplyAddress>{address}</ReplyAddress></Header><Request>
        <GetMeterReadings xmlns="http://iec.ch/TC57/2011/GetMeterReadings#"/></Request></RequestMessage>""".encode()
    )
    findings = checker(settings, schema_set(settings)).check(message).findings
    assert [(finding.rule, finding.severity) for finding in findings] == (
        [("reply-address-uncovered", Severity.WARNING)] if told else []
    )
    assert not any("s3cret" in finding.text for finding in findings)


def test_the_outage_view_needs_a_system_to_tell_and_says_which_of_its_routes_tell_it_too(tmp_path: Path) -> None:
    (tmp_path / "oms.toml").write_text(
        '[system]\nname = "OMS"\n[[route]]\nname = "all power"\nnoun = "EndDeviceEvents"\nverbs = ["created"]\n'
        'events = ["*.26.*.*"]\n'
    )
    settings = Settings.model_validate({"outages": {"on": True}, "routes": tmp_path})
    table = route_table(settings)
    plan = outage_plan(settings, table)
    assert plan is not None
    assert told_twice(plan, table) == ("all power",)
    assert outage_plan(Settings(), table) is None
    with pytest.raises(SettingsError, match=r"outages\.to is 'OMSS'.*did you mean OMS"):
        outage_plan(Settings.model_validate({"outages": {"on": True, "to": "OMSS"}}), table)
