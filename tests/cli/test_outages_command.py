"""Who has no power, as an operator asks for it: a real store, filled as the outage view fills it."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.message.instants import microseconds
from gateway.outages import DEFAULT_POLICY, Device, DeviceName, OutageCodes, PowerEvent
from gateway.pipeline.outage_ledger import Told, folded
from gateway.store.outages.opening import open_outages
from tests.cli.conftest import Run

CODES = OutageCodes()
NOW = datetime.now(UTC)
GASP, RESTORED, PHASE = "3.26.0.85", "3.26.0.216", "3.26.25.85"


def told(device: Device, code: str, minutes: float, said: str = "") -> PowerEvent:
    meant = CODES.find(code)
    assert meant is not None
    at = None if said else microseconds(NOW - timedelta(minutes=minutes))
    return PowerEvent(device, code, meant.meaning, meant.scope, at, said, f"{code} {minutes}")


def named(name: str) -> Device:
    return Device(names=(DeviceName(name),))


def keep(folder: Path, events: Sequence[PowerEvent], source: str = "HES-NORTH") -> None:
    async def put() -> None:
        store = await open_outages(f"sqlite:///{folder / 'cimgate.db'}")
        devices, _ = folded([Told(tuple(events), microseconds(NOW), source)], {}, DEFAULT_POLICY)
        async with store.begin() as unit:
            await unit.put(devices)
        await store.close()

    asyncio.run(put())


@pytest.fixture
def _kept(tmp_path: Path) -> None:
    keep(tmp_path, [told(named("M-1"), GASP, 90), told(named("M-2"), GASP, 30), told(named("M-2"), RESTORED, 10)])
    keep(
        tmp_path, [told(named("M-3"), PHASE, 5), told(Device("abc-1", (DeviceName("M-4"),)), GASP, 0, "noon")], "HES-2"
    )


@pytest.mark.usefixtures("_kept")
def test_those_without_power_are_listed_the_longest_outage_first(cimgate: Run) -> None:
    lines = cimgate("outages", "list").stdout.splitlines()
    assert lines[0] == "2 without power, 1 without a phase, 1 with power"
    assert [line.split()[0] for line in lines[3:]] == ["M-1", "M-3", "M-4"]
    assert "without power" in lines[3]
    assert " 1 h " in lines[3]
    assert lines[3].rstrip().endswith("HES-NORTH")
    listed = [json.loads(line) for line in cimgate("outages", "list", "--all", "--json").stdout.splitlines()]
    assert [(one["shown"], one["power"]) for one in listed] == [
        ("M-1", "out"),
        ("M-3", "partly"),
        ("M-4", "out"),
        ("M-2", "on"),
    ]
    only = cimgate("outages", "list", "--source", "HES-2", "--json").stdout.splitlines()
    assert [json.loads(line)["device"] for line in only] == ["name M-3", "abc-1"]


@pytest.mark.usefixtures("_kept")
def test_one_device_is_told_with_the_events_that_its_state_rests_on(cimgate: Run) -> None:
    text = cimgate("outages", "show", "M-2").stdout
    assert text.startswith("M-2  with power since ")
    assert [line.split("  ")[1].strip() for line in text.splitlines()[3:5]] == ["lost power", "restored"]
    assert "by HES-NORTH: 3.26.0.216" in text
    for named_so in ("abc-1", "M-4"):
        assert "lost power (time of arrival: the event said noon)" in cimgate("outages", "show", named_so).stdout
    assert json.loads(cimgate("outages", "show", "M-2", "--json").stdout)["events"][1]["what"] == "restored"


@pytest.mark.usefixtures("_kept")
def test_a_device_that_is_unknown_or_several_is_said_so(cimgate: Run, tmp_path: Path) -> None:
    result = cimgate("outages", "show", "M-9")
    assert result.exit_code == 1
    assert "Nothing was told of the power of 'M-9'." in result.stderr
    keep(tmp_path, [told(Device("other", (DeviceName("M-4"),)), GASP, 1)])
    result = cimgate("outages", "show", "M-4")
    assert result.exit_code == 2
    assert [line.split()[1] for line in result.stderr.splitlines()[1:3]] == ["abc-1", "other"]


def test_where_no_outages_are_kept_the_command_says_how_to_switch_the_view_on(cimgate: Run, tmp_path: Path) -> None:
    result = cimgate("outages", "list")
    assert result.exit_code == 2
    assert "[outages] on = true" in result.stderr
    assert list(tmp_path.glob("*.db")) == []


def test_a_list_of_a_thousand_devices_ends_where_the_user_wants(cimgate: Run, tmp_path: Path) -> None:
    keep(tmp_path, [told(named(f"M-{number}"), GASP, number) for number in range(1_000)])
    lines = cimgate("outages", "list", "--limit", "3").stdout.splitlines()
    assert [line.split()[0] for line in lines[3:6]] == ["M-999", "M-998", "M-997"]
    assert lines[6] == "There are more; --limit 12 shows further ones."
