"""A gateway killed anywhere: after a restart all has ended as it must, and there is one answer."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.e2e.crash_scenarios import SCENARIOS, Scenario
from tests.e2e.crashes import NotReached, Run, prepare, run, serving
from tests.e2e.harness import make_queue, running, store_of, take
from tests.e2e.plain_client import send_plainly
from tests.e2e.registry import Registry

SAMPLES = [scenario for scenario in SCENARIOS if scenario.sample]


@pytest.mark.parametrize("scenario", SAMPLES, ids=lambda scenario: scenario.name)
async def test_a_kill_changes_nothing_of_how_it_ends(amqp_url: str, tmp_path: Path, scenario: Scenario) -> None:
    """Each scenario with one kill, at a point where much is under way; `make faults` kills at every point."""
    await prepare(amqp_url)
    one = await killed(amqp_url, tmp_path, replace(scenario, limit=3.0))
    assert one.problems == ()
    assert one.point == scenario.sample.partition(":")[0], "it was not killed, so this shows nothing"


async def killed(url: str, folder: Path, scenario: Scenario) -> Run:
    while True:
        with suppress(NotReached):
            return await run(url, Path(mkdtemp(dir=folder)) / "run", scenario, scenario.sample)


async def test_requests_without_any_id_that_are_the_same_are_all_carried_out(amqp_url: str, tmp_path: Path) -> None:
    """The same bytes are the same request only where the broker says that it hands them out again."""
    [scenario] = (scenario for scenario in SCENARIOS if not scenario.named)
    registry = Registry("MDM")
    routes = tmp_path / "routes"
    routes.mkdir()
    (routes / "mdm.toml").write_text(scenario.routes["MDM"])
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)), serving([registry], amqp_url):
        for _ in range(2):
            await send_plainly(amqp_url, scenario.asked, scenario.key)
        answers = await take(amqp_url, "replies", 2)
    assert registry.asked == [("create", "a")] * 2
    assert [b"OK" in answer.body for answer in answers] == [True, False]
    assert all("cim-redelivered" not in answer.headers for answer in answers)


async def test_an_event_that_the_gateway_publishes_again_is_marked_for_whoever_receives_it(
    amqp_url: str, tmp_path: Path
) -> None:
    """Its mark is read where it comes in again; that of anybody else says nothing."""
    [scenario] = (scenario for scenario in SCENARIOS if "cim.OMS" in scenario.heard)
    routes = tmp_path / "routes"
    routes.mkdir()
    (routes / "oms.toml").write_text(scenario.routes["OMS"])
    key = "TESTING.EVENTS.MeterConfig.created"
    event = scenario.asked.replace(b"RequestMessage", b"EventMessage").replace(b">create<", b">created<")
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)):
        await send_plainly(amqp_url, event, key, {"cim-follows": "a", "cim-redelivered": True})
        await send_plainly(amqp_url, event, key, {"cim-redelivered": True})
        arrived = await take(amqp_url, "cim.OMS", 2)
    assert [one.headers.get("cim-redelivered") for one in arrived] == [True, None]
