"""A gateway killed anywhere in an OperationSet: after a restart all is done or nothing, and there is one answer."""

from pathlib import Path

import pytest

from tests.e2e.crashes import SCENARIOS, Scenario, prepare, run

EVERY = 13
"""Killed at every thirteenth point only, each kind in turn; `make faults` tries all."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_kill_leaves_all_or_nothing_and_one_answer(amqp_url: str, tmp_path: Path, scenario: Scenario) -> None:
    await prepare(amqp_url, tmp_path / "first")
    unharmed = await run(amqp_url, tmp_path / "count", scenario, "count")
    assert (unharmed.answers, unharmed.repeated, unharmed.problems) == (1, 0, ())
    runs = {
        number: await run(amqp_url, tmp_path / str(number), scenario, f"any:{number}")
        for number in range(EVERY, unharmed.passed + 1, EVERY)
    }
    assert not {(number, one.point): one.problems for number, one in runs.items() if one.problems}
    assert len({one.point for one in runs.values()} - {""}) >= 2, "too few were killed to show anything"
