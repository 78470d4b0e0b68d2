"""A gateway killed anywhere: after a restart all has ended as it must, and there is one answer."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.crash_scenarios import SCENARIOS, Scenario
from tests.e2e.crashes import prepare, run


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_kill_changes_nothing_of_how_it_ends(amqp_url: str, tmp_path: Path, scenario: Scenario) -> None:
    """Each scenario with one kill, at a point where much is under way; `make faults` kills at every point."""
    await prepare(amqp_url)
    one = await run(amqp_url, tmp_path / "run", replace(scenario, limit=3.0), scenario.sample)
    assert one.problems == ()
    assert one.point == scenario.sample.partition(":")[0], "it was not killed, so this shows nothing"
