"""Many meters lose power at once: nothing is lost, and every device stands as it should. `make storm` has 50,000."""

from pathlib import Path

from tests.e2e.harness import store_of
from tests.e2e.storm import weather


async def test_a_storm_reaches_the_oms_and_twenty_subscribers_and_nothing_is_lost(
    amqp_url: str, tmp_path: Path
) -> None:
    came = await weather(amqp_url, tmp_path, store_of(tmp_path), 500, 3, view='{"on": true, "seconds": 1}')
    assert came.problems == ()
    assert came.copies == 0
    assert came.oms_messages < came.events / 5, "in a storm the OMS gets many reports in a message"
